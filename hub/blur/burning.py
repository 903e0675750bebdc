"""Burning the blur into a panorama's windows, previews and thumbnails, and into the archive made of them."""

import io
import os
import shutil
from collections.abc import Collection
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np

from hub.blur.boxes import Box, boxes_at
from hub.blur.pixels import obscure, planes_within
from hub.panorama.encoder import Coded, Encoder, WindowCoder, software
from hub.panorama.video import Colours
from hub.panorama.windows import Cadence
from hub.panorama.writer import (
    INIT,
    PLAYLIST,
    PREVIEW,
    THUMBNAILS,
    Making,
    making_of,
    preview_size,
    thumbnail_name,
    window_name,
)
from hub.rendering import remux_playlist
from wire.durable import make_folder, sync_folder, write_durably
from wire.panorama import PanoramaView
from wire.pitch_tracks import PitchTracks


def burn(root: Path, archive: Path, view: PanoramaView, tracks: PitchTracks, ids: Collection[int]) -> int:
    """Blur the tracks in the panorama at `root` and in its `archive`; returns how many windows were coded anew.

    Only windows with somebody to blur are, unless they were coded by something else than what codes them now, which
    would not join. All is made beside and takes the old place by renames, so a hub that is switched off has a whole
    panorama (`mend`) and burns again.
    """
    mend(root)
    making = making_of(root)
    beside = _beside(root)
    _linked(root, beside)
    size = making.width_px, making.height_px
    changed = _Rung(root, beside, making, view, size).burn(tracks, ids)
    if making.preview_width_px is not None:
        small = preview_size(size, making.preview_width_px)
        _Rung(root / PREVIEW, beside / PREVIEW, making, view, small).burn(tracks, ids)
    _thumbnails(beside, changed)
    for folder in (beside, *(path for path in beside.rglob("*") if path.is_dir())):
        sync_folder(folder)
    root.rename(_old(root))
    beside.rename(root)
    sync_folder(root.parent)
    shutil.rmtree(_old(root), ignore_errors=True)
    # Last, so that an archive that is there without what it is made of is never newer than that.
    remux_playlist(root / PLAYLIST, archive)
    return len(changed)


def mend(root: Path) -> None:
    """Put the panorama back in its place where a power cut came between the two renames."""
    if not root.exists() and _beside(root).exists() and _old(root).exists():
        _beside(root).rename(root)
        sync_folder(root.parent)
    if root.exists():
        for left in (_beside(root), _old(root)):
            shutil.rmtree(left, ignore_errors=True)


class _Rung:
    """One size of a panorama: from the folder `old`, where it is whole, to `new`, where its files are linked."""

    def __init__(self, old: Path, new: Path, making: Making, view: PanoramaView, size: tuple[int, int]) -> None:
        self._old, self._new = old, new
        self._cadence: Cadence = making.cadence
        self._colours = Colours(*making.colours)
        self._size = size
        scale = size[0] / view.width_px
        # The same cylinder in fewer pixels.
        self._view = _resized(view, size, scale)
        self._encoder: Encoder = software()

    def burn(self, tracks: PitchTracks, ids: Collection[int]) -> list[int]:
        """Code the windows anew that show somebody; returns which."""
        init = (self._old / INIT).read_bytes()
        windows = range(_windows(self._old))
        boxes = {number: self._boxes(tracks, ids, number) for number in windows}
        shown = [number for number in windows if any(boxes[number])]
        changed, joins = [], True
        for number in shown:
            coded = self._coded(number, boxes[number])
            joins = coded.init == init
            if not joins:
                break
            write_durably(self._new / window_name(number), coded.media)
            changed.append(number)
        if not joins:
            for number in windows:
                coded = self._coded(number, boxes[number])
                write_durably(self._new / INIT, coded.init)
                write_durably(self._new / window_name(number), coded.media)
            return shown
        return changed

    def _boxes(self, tracks: PitchTracks, ids: Collection[int], window: int) -> list[list[Box]]:
        first = window * self._cadence.window_frames
        times = (self._cadence.time_ns(first + k) / 1e9 for k in range(self._cadence.window_frames))
        return [boxes_at(self._view, tracks, ids, time_s) for time_s in times]

    def _coded(self, window: int, boxes: list[list[Box]]) -> Coded:
        coder = WindowCoder(self._encoder, self._size, self._cadence, window, self._colours)
        raw = (self._old / INIT).read_bytes() + (self._old / window_name(window)).read_bytes()
        with av.open(io.BytesIO(raw), "r", format="mp4") as container:
            for index, frame in enumerate(container.decode(video=0)):
                coder.add(_obscured(frame, boxes[index]) if boxes[index] else frame)
        return coder.close()


def _resized(view: PanoramaView, size: tuple[int, int], scale: float) -> PanoramaView:
    """The view in another size; pixels that a smaller height was rounded by do not matter to a box."""
    return msgspec.structs.replace(view, width_px=size[0], height_px=size[1], focal_px=view.focal_px * scale)


def _obscured(frame: av.VideoFrame, boxes: list[Box]) -> av.VideoFrame:
    flat = np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8).reshape(-1)
    obscure(planes_within(flat, frame.width, frame.height), boxes)
    made = av.VideoFrame.from_ndarray(flat.reshape(-1, frame.width), format="yuv420p")
    made.color_range, made.colorspace = frame.color_range, frame.colorspace
    return made


def _thumbnails(root: Path, windows: Collection[int]) -> None:
    """The thumbnails of windows that were coded anew, at the size they had."""
    for window in windows:
        path = root / THUMBNAILS / thumbnail_name(window)
        before = cv2.imread(str(path)) if path.exists() else None
        if before is None:
            continue
        raw = (root / INIT).read_bytes() + (root / window_name(window)).read_bytes()
        with av.open(io.BytesIO(raw), "r", format="mp4") as container:
            picture = next(container.decode(video=0)).to_ndarray(format="bgr24")
        small = cv2.resize(picture, (before.shape[1], before.shape[0]), interpolation=cv2.INTER_AREA)
        write_durably(path, cv2.imencode(".jpg", small)[1].tobytes())


def _linked(old: Path, new: Path) -> None:
    """A second name in `new` for every file below `old`: what is written anew gets another file."""
    for path in sorted(old.rglob("*")):
        target = new / path.relative_to(old)
        if path.is_dir():
            make_folder(target)
        else:
            make_folder(target.parent)
            os.link(path, target)


def _windows(root: Path) -> int:
    return sum(1 for line in (root / PLAYLIST).read_text().splitlines() if line.startswith("#EXTINF:"))


def _beside(root: Path) -> Path:
    return root.with_name(f"{root.name}.blurred")


def _old(root: Path) -> Path:
    return root.with_name(f"{root.name}.plain")
