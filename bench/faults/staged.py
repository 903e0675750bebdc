"""The parts of a node that can be made to fail at a given moment: camera, coder, eyes, clock, disk."""

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from edge.capture.clocks import boottime_ns, real_minus_boot_ns
from edge.capture.picamera.camera import MOST_LENT
from edge.encode import Packet
from edge.encode.libav import LibavCoder
from edge.errors import CameraFault, CoderFault, RecorderFault
from edge.frame import Frame
from edge.ledger import Ledger
from edge.record.writer import SegmentWriter
from edge.sight import SegmentSight
from firmware.clock import Clock, SystemClock
from firmware.log import Log
from firmware.panel import Beep, DisabledPanel, Panel, PanelSource
from wire.rigtime import SECOND
from wire.session import Sync

WIDTH, HEIGHT, RATE = 320, 180, 25.0
_HANG_S = 3600.0
FRAME_NS = round(SECOND / RATE)
STEPS_NS = {"clock-ahead": 3 * SECOND, "clock-behind": -3 * SECOND, "clock-far-behind": -10 * SECOND}
"""How far each of these faults sets the clock forward: the last one by more than a busy machine needs to start a node,
which a clock that is 3 s behind may have caught up with by then."""
STALLS_S = {"disk-slow": 4.0, "disk-hang": _HANG_S}
"""How long each of these faults lets the disk stand still."""
FAULTS = (
    "coder-error",
    "coder-stall",
    "camera-silent",
    "camera-error",
    "file-error",
    "eyes-hang",
    "eyes-memory",
    "coder-memory",
    *STEPS_NS,
    *STALLS_S,
)
_STEPS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate")
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

    @property
    def burnt(self) -> str | None:
        """The fault that struck, in this process or in one before."""
        return self._fault if self._mark.exists() else None

    def count(self) -> None:
        """One more frame was taken."""
        self._frames += 1


class Doom:
    """Kills its process (-9) just before the given step that a start takes on the files of the process before; 0 spares
    it. A step is whatever Python tells an audit hook of: to open, rename, cut or remove."""

    def __init__(self, data: Path, step: int) -> None:
        self._folders = tuple(str(data / name) for name in ("open", "segments", "sessions"))
        self._left = step
        sys.addaudithook(self._look)

    def call_off(self) -> None:
        """The start is over."""
        self._left = 0

    def _look(self, event: str, told: tuple[object, ...]) -> None:
        if self._left and event in _STEPS and str(told[0]).startswith(self._folders):
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


class StagedSource:
    """Opens staged cameras, as the settings of a node want it."""

    sync = Sync.OFF

    def __init__(self, fuse: Fuse, clock: Clock, doom: Doom) -> None:
        self._fuse = fuse
        self._clock = clock
        self._doom = doom

    def check(self) -> None:
        """There is always a camera."""

    def alone(self) -> "StagedSource":
        """The same: there is no rig to be in step with."""
        return self

    at_once = alone

    def open(self, _start_ns: int, _log: object = None) -> "StagedCamera":
        """A new camera, which counts its own frames; a start that has got so far is over."""
        self._doom.call_off()
        return StagedCamera(self._fuse, self._clock)


class StagedCamera:
    """A live camera of small, noisy, moving pictures at 25 frames a second.

    Like the board's, it stamps its frames by the time since boot and by how far the clock was ahead of that at the
    start, holds a few frames for a node that is late, and drops and counts what goes beyond.
    """

    width, height, frames_per_second = int(WIDTH), int(HEIGHT), RATE
    live = True
    waits_s = 0.0

    def __init__(self, fuse: Fuse, clock: Clock) -> None:
        self.frames_dropped = 0
        self._fuse = fuse
        self._clock = clock
        grain = np.random.default_rng(1).integers(0, 40, (_GRAINS, HEIGHT, WIDTH), dtype=np.uint8)
        self._slopes = np.linspace(40, 120, WIDTH, dtype=np.uint8)[None, None] + grain
        self._grey = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)

    @cached_property
    def ahead_ns(self) -> int:
        """How far the clock was ahead of the time since boot when the recording began."""
        return real_minus_boot_ns(boottime_ns, self._clock.now_ns)

    def coder(self) -> "FrailCoder":
        """x264, with the fuse."""
        return FrailCoder(self._fuse)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def __iter__(self) -> Iterator[Frame]:
        # On the grid of whole frames, so that what is missing can be counted.
        slot = boottime_ns() // FRAME_NS + 1
        self.frames_dropped = index = 0
        while True:
            now = boottime_ns()
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
            yield Frame(self._picture(slot), slot * FRAME_NS + self.ahead_ns, index)
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
    """The system's clock, which jumps when the fuse burns and, as a machine's does, stays there for
    every process to come."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, the step included."""
        self._fuse.burns(*STEPS_NS)
        return super().now_ns() + STEPS_NS.get(self._fuse.burnt or "", 0)


class ToldPanels(PanelSource):
    """Opens the panel whose beeps are in the log."""

    def open(self, log: Log, _work: Path) -> Panel:
        """Always there."""
        return ToldPanel(log)


class ToldPanel(DisabledPanel):
    """A panel whose beeps are in the log, for a campaign to hear them."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def beep(self, beep: Beep) -> None:
        """Tell it."""
        self._log.event("beep", name=beep.name)


class FrailDisk:
    """A disk that stands still when the fuse burns, so that everything waits that was asked of it."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self._back_s = 0.0

    def wait(self) -> None:
        """Come back when the disk does."""
        if kind := self._fuse.burns(*STALLS_S):
            self._back_s = time.monotonic() + STALLS_S[kind]
        if (left_s := self._back_s - time.monotonic()) > 0:
            time.sleep(left_s)


class _Behind:
    """A lock that is no sooner taken than the disk answers: whoever changes the ledger holds it until then."""

    def __init__(self, disk: FrailDisk) -> None:
        self._disk = disk
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()
        self._disk.wait()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()


def let_disk_stall(fuse: Fuse) -> None:
    """Make everything that a node writes wait for a disk that may stand still: the files of segments, what is made
    durable, the ledger's steps."""
    disk = FrailDisk(fuse)
    mux, fsync, begin = SegmentWriter._mux, os.fsync, Ledger.__init__

    def slow_mux(self: SegmentWriter, coded: object) -> None:
        disk.wait()
        mux(self, coded)

    def slow_fsync(fd: int) -> None:
        disk.wait()
        fsync(fd)

    def slow_ledger(self: Ledger, path: Path) -> None:
        begin(self, path)
        self._lock = _Behind(disk)

    SegmentWriter._mux, os.fsync, Ledger.__init__ = slow_mux, slow_fsync, slow_ledger


def let_files_fail(fuse: Fuse) -> None:
    """Make the segment that is written when the fuse burns fail as a bad card does."""
    honest = SegmentWriter._mux

    def mux(self: SegmentWriter, coded: object) -> None:
        if fuse.burns("file-error"):
            raise RecorderFault(f"cannot write {self.path}") from OSError(errno.EIO, "injected")
        honest(self, coded)

    SegmentWriter._mux = mux
