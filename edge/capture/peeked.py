"""A camera that was looked through before it records, and loses nothing by it."""

from collections.abc import Iterator
from typing import Self

from edge.capture.camera import Camera
from edge.capture.details import CameraDetails
from edge.encode import Coder
from edge.frame import Frame


class PeekedCamera:
    """`camera`, whose `peeked` frames come first again; those of a live one do not, since it has gone on meanwhile: it
    lends few frames at a time, and what it showed afterwards would be missing behind them."""

    def __init__(self, camera: Camera) -> None:
        self.width = camera.width
        self.height = camera.height
        self.frames_per_second = camera.frames_per_second
        self.frames_dropped = camera.frames_dropped
        self.live = camera.live
        self.waits_s = camera.waits_s
        self.details: CameraDetails = getattr(camera, "details", CameraDetails())
        self.peeked: list[Frame] = []
        self._camera = camera
        self._frames: Iterator[Frame] | None = None

    def peek(self, count: int) -> list[Frame]:
        """The next `count` frames, fewer where the source ends; raises `CameraFault`."""
        while len(self.peeked) < count:
            frame = self._next()
            if frame is None:
                break
            self.peeked.append(frame)
        return self.peeked[:count]

    @property
    def ahead_ns(self) -> int:
        """How far the node's clock is ahead of the time since boot."""
        return self._camera.ahead_ns

    def coder(self) -> Coder:
        """A coder for this camera's frames; raises `CoderFault`."""
        return self._camera.coder()

    def __enter__(self) -> Self:
        self._camera.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._camera.__exit__(*exc)

    def __iter__(self) -> Iterator[Frame]:
        if self.live:
            self._frames = None
            self.peeked.clear()
        while self.peeked:
            yield self.peeked.pop(0)
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        if self._frames is None:
            self._frames = iter(self._camera)
        try:
            return next(self._frames, None)
        finally:
            self.frames_dropped = self._camera.frames_dropped
