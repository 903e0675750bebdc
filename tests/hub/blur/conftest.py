"""A made-up panorama: two people, each in a shirt with a pattern, one of whom is only there in the last window."""

from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hub.panorama.encoder import WindowCoder, software
from hub.panorama.windows import USUAL
from hub.panorama.writer import MadeWindow, Making, PanoramaFolder, preview_size
from wire.panorama import PanoramaView
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track

SIZE, WINDOWS, SMALL = (960, 320), 3, 320
HIDDEN, OTHER = 1, 2


@dataclass
class Panorama:
    """One on disk; `view` shows the pitch, `tracks` are where everybody is."""

    root: Path
    archive: Path
    view: PanoramaView
    tracks: PitchTracks


def places(track: int) -> tuple[np.ndarray, np.ndarray]:
    frames = np.arange(100, 150) if track == HIDDEN else np.arange(150)
    start = -12.0 if track == HIDDEN else 15.0
    return frames, np.stack([start + frames * 0.04, np.full(len(frames), -22.0)], axis=1)


def made_up() -> tuple[PanoramaView, PitchTracks]:
    view = PanoramaView(*SIZE, SIZE[0] / 2.4, -1.2, 0.02, (0.0, -38.0, 7.0), 0.4)
    rows = [(track, *places(track)) for track in (HIDDEN, OTHER)]
    tracks = PitchTracks(
        0,
        25.0,
        tuple(Track(track, Role.PLAYER, TeamSide.HOME) for track, _, _ in rows),
        np.concatenate([frames for _, frames, _ in rows]),
        np.concatenate([np.full(len(frames), track) for track, frames, _ in rows]),
        np.concatenate([xy for _, _, xy in rows]),
        np.ones(sum(len(frames) for _, frames, _ in rows), bool),
    )
    return view, tracks


def picture(view: PanoramaView, frame: int, width: int) -> av.VideoFrame:
    pitch = np.full((SIZE[1], SIZE[0], 3), (72, 118, 58), np.uint8)
    pitch[::40] = (220, 220, 220)
    for track in (HIDDEN, OTHER):
        frames, xy = places(track)
        if frame not in frames:
            continue
        x, y = xy[frame - frames[0]]
        (u0, v0), (_, v1) = view.to_pixel(x, y, 0.0), view.to_pixel(x, y, 1.8)
        tall = round(v0 - v1)
        top, left = round(v1), round(u0 - tall / 6)
        shirt = np.indices((tall, tall // 3)).sum(axis=0) // 4 % 2
        pitch[top : top + tall, left : left + tall // 3] = np.where(shirt[..., None], (240, 240, 240), (20, 20, 160))
    small = cv2.resize(pitch, preview_size(SIZE, width), interpolation=cv2.INTER_AREA) if width < SIZE[0] else pitch
    return av.VideoFrame.from_ndarray(small, format="bgr24").reformat(format="yuv420p")


def window(view: PanoramaView, number: int, width: int):
    coder = WindowCoder(software(), preview_size(SIZE, width) if width < SIZE[0] else SIZE, USUAL, number)
    for frame in range(number * USUAL.window_frames, (number + 1) * USUAL.window_frames):
        coder.add(picture(view, frame, width))
    return coder.close()


@pytest.fixture
def panorama(tmp_path: Path) -> Panorama:
    """Three windows, with previews and thumbnails, and the archive."""
    view, tracks = made_up()
    making = Making(
        rig="r",
        sources="s",
        width_px=SIZE[0],
        height_px=SIZE[1],
        rate=(25, 1),
        colours=(1, 1, 1),
        encoder="libx264",
        kernel="k",
        preview_width_px=SMALL,
    )
    folder = PanoramaFolder(tmp_path / "panorama", making)
    folder.open()
    thumb = cv2.imencode(".jpg", np.zeros((53, 160, 3), np.uint8))[1].tobytes()
    for number in range(WINDOWS):
        shown = thumb if number == 2 else None
        folder.store(MadeWindow(number, window(view, number, SIZE[0]), window(view, number, SMALL), shown))
    folder.end(WINDOWS, USUAL.window_frames)
    archive = tmp_path / "panorama.mp4"
    folder.archive(archive)
    return Panorama(tmp_path / "panorama", archive, view, tracks)
