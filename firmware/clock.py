"""The machine's clock, how far it may be from the truth, and whether it was stepped."""

import ctypes
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from wire.rigtime import MILLISECOND, SECOND, nanoseconds

WORST_UNCERTAINTY_NS = 16_000_000_000
"""What Linux itself reports of a clock that nobody disciplines (NTP_PHASE_LIMIT, 16 s)."""


class Clock(Protocol):
    """A clock that counts rig time, as well as this machine knows it."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""

    def uncertainty_ns(self) -> int:
        """A bound of how far `now_ns` may be off."""

    def offset_ns(self) -> int | None:
        """What has to be added to `now_ns` by the word of whom the clock follows; None when unknown."""


class ClockSource(StrEnum):
    """Who keeps the clock right."""

    CHRONY = "chrony"
    """chrony follows another machine."""
    OWN = "own"
    """chrony follows nobody: it serves this machine's own clock."""
    KERNEL = "kernel"
    """Nobody answered but the kernel, which knows a bound and nothing else."""


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the clock at one moment.

    `offset_ns` has to be added to the clock to get the time of its `reference`; None when unknown. `uncertainty_ns`
    bounds how far the clock may be off, that offset included.
    """

    source: ClockSource
    reference: str
    offset_ns: int | None
    uncertainty_ns: int


class RigClock(Clock, Protocol):
    """A clock that can also tell who keeps it right."""

    def read(self) -> ClockReading:
        """What is known of the clock now; never raises."""


class _Timex(ctypes.Structure):
    # The head of `struct timex` (adjtimex(2)); the rest only has to be there.
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_char * 512),
    )


class SystemClock:
    """The system's clock; its uncertainty is the kernel's `maxerror`, which chrony keeps up to date."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return time.time_ns()

    def uncertainty_ns(self) -> int:
        """The kernel's bound of the clock's error, 16 s where nobody disciplines it."""
        state = _Timex()
        try:
            answer = ctypes.CDLL(None).adjtimex(ctypes.byref(state))
        except (AttributeError, OSError):
            return WORST_UNCERTAINTY_NS
        return min(state.maxerror * 1000, WORST_UNCERTAINTY_NS) if answer >= 0 else WORST_UNCERTAINTY_NS

    def offset_ns(self) -> int | None:
        """Not known: the kernel does not say where the truth lies."""
        return None

    def read(self) -> ClockReading:
        """The kernel's bound; it does not say where the truth lies."""
        return ClockReading(
            source=ClockSource.KERNEL, reference="", offset_ns=None, uncertainty_ns=self.uncertainty_ns()
        )


_CHRONYC_S = 1.0
_OWN_REFERENCE = "7F7F0101"
_NO_REFERENCE = "00000000"
_FIELDS = 14
_FRESH_NS = 10 * SECOND
"""How old a reading may be that is told without asking: chrony asks its servers no more often than every 4 s."""


class ChronyClock:
    """The system's clock as chrony keeps it, by `chronyc -c tracking`; where chrony does not answer, the kernel's word.

    `chronyc` is the command, `steady_ns` a clock that only runs forward. A clock that follows nobody has no bound: it
    may be as far off as one that nobody disciplines.
    """

    def __init__(
        self,
        chronyc: Sequence[str] = ("chronyc",),
        system: RigClock | None = None,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._command = [*chronyc, "-c", "tracking"]
        self._system = system or SystemClock()
        self._steady_ns = steady_ns
        self._lock = threading.Lock()
        self._last: tuple[int, int, ClockReading] | None = None
        """When it was read, by the steady clock and by the one that may be set, and what."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._system.now_ns()

    def uncertainty_ns(self) -> int:
        """A bound of how far `now_ns` may be off, at most 10 s old."""
        return self._recent().uncertainty_ns

    def offset_ns(self) -> int | None:
        """What has to be added to `now_ns`, at most 10 s old; None when unknown."""
        return self._recent().offset_ns

    def read(self) -> ClockReading:
        """What chrony knows of the clock now; never raises."""
        reading = self._tracking() or self._system.read()
        with self._lock:
            self._last = (self._steady_ns(), self._system.now_ns(), reading)
        return reading

    def _recent(self) -> ClockReading:
        with self._lock:
            last = self._last
        if last is None:
            return self.read()
        read_ns, read_at_ns, reading = last
        age_ns = self._steady_ns() - read_ns
        # What was known of a clock that has been set since holds no longer.
        stepped_ns = self._system.now_ns() - read_at_ns - age_ns
        return self.read() if age_ns > _FRESH_NS or abs(stepped_ns) > MILLISECOND else reading

    def _tracking(self) -> ClockReading | None:
        try:
            run = subprocess.run(self._command, capture_output=True, text=True, timeout=_CHRONYC_S, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return tracking(run.stdout)


def tracking(line: str) -> ClockReading | None:
    """The reading in a line of `chronyc -c tracking`; None when it is none.

    Fields and signs: chronyc(1). The bound is |system time| + root dispersion + half the root delay.
    """
    fields = line.strip().split(",")
    if len(fields) != _FIELDS:
        return None
    reference, leap = fields[0].upper(), fields[13]
    if reference == _OWN_REFERENCE:
        return ClockReading(source=ClockSource.OWN, reference="", offset_ns=None, uncertainty_ns=WORST_UNCERTAINTY_NS)
    if reference == _NO_REFERENCE or leap == "Not synchronised":
        return None
    try:
        # Positive where the clock is slow, which is what has to be added to it.
        offset_ns = nanoseconds(float(fields[4]))
        bound_ns = abs(offset_ns) + nanoseconds(float(fields[11]) + float(fields[10]) / 2)
    except (ValueError, OverflowError):
        return None
    return ClockReading(
        source=ClockSource.CHRONY,
        reference=fields[1],
        offset_ns=offset_ns,
        uncertainty_ns=min(bound_ns, WORST_UNCERTAINTY_NS),
    )


def _boot_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


_TRIES = 3


class StepDetector:
    """Notices that the wall clock was stepped: set anew, not gently slewed.

    Linux slews the wall clock and the time since boot alike, so their difference moves only by a step. Steps up to
    `bound_ns` are no matter by themselves, but they add up. `wall_ns` and `steady_ns` are the two clocks.
    """

    def __init__(
        self,
        bound_ns: int = 5 * MILLISECOND,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = _boot_ns,
    ) -> None:
        self._bound_ns = bound_ns
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._difference_ns = self._difference()

    def stepped_ns(self) -> int:
        """How far the wall clock was stepped since the last step told, forward or back; 0 within the bound."""
        difference_ns = self._difference()
        step_ns = difference_ns - self._difference_ns
        if abs(step_ns) <= self._bound_ns:
            return 0
        self._difference_ns = difference_ns
        return step_ns

    def _difference(self) -> int:
        """Wall clock minus time since boot, of the try that was interrupted least: the two cannot be read at once."""
        tries = []
        for _ in range(_TRIES):
            before_ns = self._steady_ns()
            wall_ns = self._wall_ns()
            after_ns = self._steady_ns()
            tries.append((after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2))
        return min(tries)[1]
