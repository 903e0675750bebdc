"""What `calibrate` and `lens` look at: picture and video files."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hub.calibrate.views import Picture as Still
from hub.calibrate.views import background
from hub.errors import HubError
from hub.panorama.footage import file_frames
from hub.panorama.video import Shot, video_facts
from hub.picture import Picture, Plane
from wire.rigtime import SECOND

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_SMALLEST_PX = 320
_LOOKED_AT_NS = 12 * SECOND
_FRAMES = 15
_STILLEST_OF_NS, _STILL_FRAMES = 2 * SECOND // 5, 150
"""Of each so long time in a video the stillest frame, but not more of them than these."""
_COARSE = 8


class UnreadablePicture(HubError, ValueError):
    """A file that is no picture that can be read, or one in which nothing could be found."""


def is_video(path: Path) -> bool:
    """Whether a file is taken for a video, by its name."""
    return path.suffix.lower() not in PICTURES


def read_still(path: Path) -> Still:
    """A camera's picture (h, w, 3) BGR; of a video what stays when people move, from its first 12 s.

    Raises `UnreadablePicture` or `UnsuitableVideo`.
    """
    check_there(path)
    still = _of_video(path) if is_video(path) else read_picture(path)
    if min(still.shape[:2]) < _SMALLEST_PX:
        raise UnreadablePicture(f"{path} is {still.shape[1]}x{still.shape[0]}: too small to find lines in")
    return still


def check_there(path: Path) -> None:
    """Raises `UnreadablePicture` unless there is a file."""
    if not path.is_file():
        raise UnreadablePicture(f"there is no picture or video at {path}")


def read_picture(path: Path) -> Still:
    """A picture file (h, w, 3) BGR; raises `UnreadablePicture`."""
    raw = np.fromfile(path, np.uint8)
    # As it is stored: a picture that has to be turned to be upright is not one of a fixed camera.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    found = cv2.imdecode(raw, flags) if raw.size else None
    if found is None:
        raise UnreadablePicture(f"{path} cannot be read as a picture")
    return np.asarray(found, np.uint8)


def _of_video(path: Path) -> Still:
    # A short video has its frames closer together.
    spacing_ns = min(video_facts(path).duration_ns, _LOOKED_AT_NS) // _FRAMES
    frames: list[Picture] = []
    for shot in first_frames(path):
        if shot.time_ns >= len(frames) * spacing_ns:
            frames.append(shot.picture)
        if len(frames) == _FRAMES:
            break
    return background(frames)


def still_frames(path: Path) -> Iterator[tuple[float, Plane]]:
    """The luma of a video's stillest frames, one of every .4 s, with the share of the video that is behind them.

    Whatever moves is blurred, and bent by a shutter that rolls. Raises `UnsuitableVideo`.
    """
    facts = video_facts(path)
    span_ns = max(_STILLEST_OF_NS, facts.duration_ns // _STILL_FRAMES)
    before: npt.NDArray[np.int16] | None = None
    best: tuple[float, Plane] | None = None
    spans = 0
    for shot in file_frames(facts, 0, _let_be):
        if shot.time_ns >= (spans + 1) * span_ns:
            if best is not None:
                yield min(1.0, shot.time_ns / facts.duration_ns), best[1]
            spans, best = shot.time_ns // span_ns, None
        luma = shot.picture.luma
        coarse = luma[::_COARSE, ::_COARSE].astype(np.int16)
        moved = np.inf if before is None else float(np.abs(coarse - before).mean())
        if best is None or moved < best[0]:
            best = moved, luma
        before = coarse
    if best is not None:
        yield 1.0, best[1]


def first_frames(path: Path) -> Iterator[Shot]:
    """The frames of a video's first 12 s; raises `UnsuitableVideo`."""
    for shot in file_frames(video_facts(path), 0, _let_be):
        if shot.time_ns >= _LOOKED_AT_NS:
            return
        yield shot


def _let_be(_fault: HubError) -> None:
    """A damaged place costs some frames of many."""
