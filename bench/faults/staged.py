"""The parts of a node that can be made to fail at a given moment: camera, coder, eyes, clock."""

import errno
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from edge.capture.picamera.camera import MOST_LENT
from edge.encode import Packet
from edge.encode.libav import LibavCoder
from edge.errors import CameraFault, CoderFault, RecorderFault
from edge.frame import Frame
from edge.record.writer import SegmentWriter
from edge.sight import SegmentSight
from firmware.clock import SystemClock
from wire.rigtime import SECOND

WIDTH, HEIGHT, RATE = 320, 180, 25.0
FRAME_NS = round(SECOND / RATE)
FAULTS = (
    "coder-error",
    "coder-stall",
    "camera-silent",
    "camera-error",
    "file-error",
    "eyes-hang",
    "eyes-memory",
    "coder-memory",
    "clock-ahead",
    "clock-behind",
)
_HANG_S = 3600.0
_GRAINS = 7
"""Different grains of noise: a picture without any would cost no bits."""


class Fuse:
    """Burns once in the life of a data folder: at the frame `at`, of the process that gets there first."""

    def __init__(self, data: Path, fault: str, at: int) -> None:
        self._mark = data / f"burnt-{fault}"
        self._fault = fault
        self._at = at
        self._frames = 0

    def burns(self, *faults: str) -> str | None:
        """The fault that strikes now, if it is one of these."""
        if self._fault not in faults or self._frames < self._at or self._mark.exists():
            return None
        self._mark.touch()
        return self._fault

    def count(self) -> None:
        """One more frame was taken."""
        self._frames += 1


class StagedSource:
    """Opens staged cameras, as the settings of a node want it."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    def check(self) -> None:
        """There is always a camera."""

    def alone(self) -> "StagedSource":
        """The same: there is no rig to be in step with."""
        return self

    def open(self, _start_ns: int, _log: object = None) -> "StagedCamera":
        """A new camera, which counts its own frames."""
        return StagedCamera(self._fuse)


class StagedCamera:
    """A live camera of small, noisy, moving pictures at 25 frames a second, stamped by the clock that cannot step.

    Like the board's, it holds a few frames for a node that is late, and drops and counts what goes beyond.
    """

    width, height, frames_per_second = int(WIDTH), int(HEIGHT), RATE
    live = True
    waits_s = 0.0

    def __init__(self, fuse: Fuse) -> None:
        self.frames_dropped = 0
        self._fuse = fuse
        grain = np.random.default_rng(1).integers(0, 40, (_GRAINS, HEIGHT, WIDTH), dtype=np.uint8)
        self._slopes = np.linspace(40, 120, WIDTH, dtype=np.uint8)[None, None] + grain
        self._grey = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)

    def coder(self) -> "FrailCoder":
        """x264, with the fuse."""
        return FrailCoder(self._fuse)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def __iter__(self) -> Iterator[Frame]:
        offset_ns = time.time_ns() - time.monotonic_ns()
        # On the grid of whole frames, so that what is missing can be counted.
        slot = time.monotonic_ns() // FRAME_NS + 1
        index = 0
        while True:
            now = time.monotonic_ns()
            if now < slot * FRAME_NS:
                time.sleep((slot * FRAME_NS - now) / SECOND)
            else:
                late = (now - slot * FRAME_NS) // FRAME_NS
                missed = max(0, late - MOST_LENT)
                self.frames_dropped += missed
                slot += missed
            self._fuse.count()
            if self._fuse.burns("camera-silent"):
                time.sleep(_HANG_S)
            if self._fuse.burns("camera-error"):
                raise CameraFault("the camera's front end timed out")
            yield Frame(self._picture(slot), slot * FRAME_NS + offset_ns, index)
            slot += 1
            index += 1

    def _picture(self, number: int) -> np.ndarray:
        luma = self._slopes[number % _GRAINS].copy()
        left = number * 7 % (WIDTH - 16)
        luma[:, left : left + 16] = 230
        return np.vstack([luma, self._grey])


class FrailCoder(LibavCoder):
    """x264 that fails, hangs or runs out of memory when the fuse burns."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__("h264", WIDTH, HEIGHT, RATE)
        self._fuse = fuse

    def encode(self, frame: Frame, *, key: bool) -> list[Packet]:
        """Code, or fail."""
        match self._fuse.burns("coder-error", "coder-stall", "coder-memory"):
            case "coder-error":
                raise CoderFault("the coder failed")
            case "coder-stall":
                time.sleep(_HANG_S)
            case "coder-memory":
                raise MemoryError
        return super().encode(frame, key=key)


class FrailEyes:
    """Eyes that see nothing, and hang or run out of memory when the fuse burns."""

    name = "staged"
    impaired: str | None = None

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    def look(self, _frame: Frame) -> None:
        """See nothing, or fail."""
        match self._fuse.burns("eyes-hang", "eyes-memory"):
            case "eyes-hang":
                time.sleep(_HANG_S)
            case "eyes-memory":
                raise MemoryError

    def close_segment(self, _sequence: int) -> SegmentSight:
        """Nothing."""
        return SegmentSight.empty()


class SteppingClock(SystemClock):
    """The system's clock, which jumps by three seconds when the fuse burns."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self._step_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, steps included."""
        match self._fuse.burns("clock-ahead", "clock-behind"):
            case "clock-ahead":
                self._step_ns = 3 * SECOND
            case "clock-behind":
                self._step_ns = -3 * SECOND
        return super().now_ns() + self._step_ns


def let_files_fail(fuse: Fuse) -> None:
    """Make the segment that is written when the fuse burns fail as a bad card does."""
    honest = SegmentWriter._mux

    def mux(self: SegmentWriter, coded: object) -> None:
        if fuse.burns("file-error"):
            raise RecorderFault(f"cannot write {self.path}") from OSError(errno.EIO, "injected")
        honest(self, coded)

    SegmentWriter._mux = mux
