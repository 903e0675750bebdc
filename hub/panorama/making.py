"""From matched pictures to coded windows: stitched, made smaller, and coded, each stage in a thread of its own."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation

from hub.panorama.conveyor import Belt, CostBook
from hub.panorama.encoder import Coded, Encoder, WindowCoder, software
from hub.panorama.matching import Moment
from hub.panorama.video import Colours, planes_of
from hub.panorama.vision import Standpoint, VisionControl, WindowStart
from hub.panorama.windows import Cadence
from hub.panorama.writer import THUMBNAIL_WINDOWS, MadeWindow, preview_size

DEPTH = 3
"""Pictures that may wait between two stages: memory grows with each, and more than a few even nothing out."""
PREVIEW_WIDTH_PX = 1280
_THUMBNAIL_WIDTH_PX = 480
_JPEG_QUALITY = 80


def stitching_threads() -> int:
    """So many that stitching keeps up with decoders and encoder on a machine with many cores."""
    return max(1, (os.cpu_count() or 1) // 4)


class Moments(NamedTuple):
    """Where the pictures come from: the moments in order, how long that has waited for something else, and how to keep
    it from waiting any longer."""

    moments: Iterator[Moment]
    waited: Callable[[], float] = float
    leave: Callable[[], None] = lambda: None


class _Begun(NamedTuple):
    """A window begins: what was known before, and the rig where it stands otherwise from here on."""

    start: WindowStart
    standpoint: Standpoint | None


class _Stitched(NamedTuple):
    """A frame of the panorama; `begun` with the first one of a window."""

    number: int
    picture: av.VideoFrame
    begun: _Begun | None


class _Ended(NamedTuple):
    """A window is complete; its preview."""

    window: int
    preview: Coded | None
    thumbnail: bytes | None


@dataclass(frozen=True)
class Conveyor:
    """Makes a panorama's windows under a vision control by an encoder; `preview` is the width of the small copy, None
    for none."""

    vision: VisionControl
    size: tuple[int, int]
    cadence: Cadence
    colours: Colours
    encoder: Encoder
    preview: int | None
    costs: CostBook

    def windows(self, source: Moments) -> Generator[MadeWindow]:
        """The windows in order, the last one short perhaps. Whoever leaves early closes the generator."""
        stitched = Belt(self._stitched(source), DEPTH, "stitch", self.costs, source.waited, source.leave)
        small = self._previewed(iter(stitched))
        if self.preview is None:
            with stitched:
                yield from self._encoded(small)
            return
        # Left from the end: who waits for pictures is left by whoever makes them.
        with stitched, Belt(small, DEPTH, "preview", self.costs, stitched.waited, source.leave) as previewed:
            yield from self._encoded(previewed)

    def _stitched(self, source: Moments) -> Iterator[_Stitched]:
        for moment in source.moments:
            first = moment.frame % self.cadence.window_frames == 0
            begun = _Begun(*self.vision.begin(moment)) if first else None
            frame = av.VideoFrame(*self.size, "yuv420p")
            self.vision.stitch(moment, planes_of(frame))
            yield _Stitched(moment.frame, frame, begun)

    def _previewed(self, stitched: Iterator[_Stitched]) -> Iterator[_Stitched | _Ended]:
        """Every picture goes by, and behind the last one of a window its small copy, coded."""
        frames = self.cadence.window_frames
        rung: _SmallRung | None = None
        for item in stitched:
            window, place = divmod(item.number, frames)
            rung = rung or _SmallRung(self, window)
            yield item
            rung.add(item.picture)
            if place == frames - 1:
                yield rung.ended()
                rung = None
        if rung is not None:
            yield rung.ended()

    def _encoded(self, items: Iterable[_Stitched | _Ended]) -> Iterator[MadeWindow]:
        coder: WindowCoder | None = None
        begun = _Begun(WindowStart(), None)
        for item in items:
            if isinstance(item, _Stitched):
                begun = item.begun or begun
                coder = coder or self.coder(item.number // self.cadence.window_frames)
                self.costs.measured("encode", partial(coder.add, item.picture))
            elif coder is not None:
                made = self.costs.measured("encode", coder.close, 0)
                coder = None
                yield MadeWindow(item.window, made, item.preview, item.thumbnail, *begun)

    def coder(self, window: int) -> WindowCoder:
        """For one window's large pictures."""
        return WindowCoder(self.encoder, self.size, self.cadence, window, self.colours)

    def small_coder(self, window: int, width: int) -> WindowCoder:
        """For one window's small pictures."""
        small = software("superfast", threads=1, crf=26)
        return WindowCoder(small, preview_size(self.size, width), self.cadence, window, self.colours)


class _SmallRung:
    """The small copy of one window."""

    def __init__(self, conveyor: Conveyor, window: int) -> None:
        self._window = window
        self._coder = None if conveyor.preview is None else conveyor.small_coder(window, conveyor.preview)
        self._size = preview_size(conveyor.size, conveyor.preview or PREVIEW_WIDTH_PX)
        self._thumbnail: bytes | None = None
        self._wants_thumbnail = self._coder is not None and window % THUMBNAIL_WINDOWS == 0

    def add(self, picture: av.VideoFrame) -> None:
        """The window's next picture."""
        if self._coder is None:
            return
        small = picture.reformat(*self._size, "yuv420p", interpolation=Interpolation.AREA)
        if self._wants_thumbnail:
            self._thumbnail, self._wants_thumbnail = _jpeg(small), False
        self._coder.add(small)

    def ended(self) -> _Ended:
        """The window is complete."""
        coded = None if self._coder is None else self._coder.close()
        return _Ended(self._window, coded, self._thumbnail)


def _jpeg(picture: av.VideoFrame) -> bytes:
    width = min(_THUMBNAIL_WIDTH_PX, picture.width)
    size = preview_size((picture.width, picture.height), width)
    rgb = picture.reformat(*size, "bgr24", interpolation=Interpolation.AREA).to_ndarray()
    _, coded = cv2.imencode(".jpg", np.asarray(rgb), (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    return bytes(coded)
