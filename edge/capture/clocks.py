"""A node's two clocks: the system's, which can be set, and the time since boot, which runs on through every setting."""

import time
from collections.abc import Callable

_READINGS = 5


def boottime_ns() -> int:
    """The clock of SensorTimestamp; it counts on through every setting of the clock."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def real_minus_boot_ns(
    boottime_ns: Callable[[], int] = boottime_ns, realtime_ns: Callable[[], int] = time.time_ns
) -> int:
    """How far CLOCK_REALTIME is ahead of CLOCK_BOOTTIME, in which sensors stamp their frames.

    Taken once per recording and added to every time of its frames and its sound. The kernel steers both clocks at the
    same rate, so the difference only changes when somebody sets the clock; a step in the middle of a match then moves
    no frame, and times never run backwards. libcamera's own FrameWallClock would follow the step, starts its fit over,
    and was in microseconds before August 2025.
    """

    def reading() -> tuple[int, int]:
        before = boottime_ns()
        real = realtime_ns()
        after = boottime_ns()
        return after - before, real - (before + after) // 2

    # The tightest pair: a thread can be put aside between two readings.
    return min(reading() for _ in range(_READINGS))[1]
