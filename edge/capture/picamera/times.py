"""When a frame was captured, on the node's clock."""

from collections.abc import Callable

_READINGS = 5


def real_minus_boot_ns(boottime_ns: Callable[[], int], realtime_ns: Callable[[], int]) -> int:
    """How far CLOCK_REALTIME is ahead of CLOCK_BOOTTIME, in which sensors stamp their frames.

    Taken once per recording and added to every SensorTimestamp. The kernel steers both clocks at the same rate, so the
    difference only changes when somebody sets the clock; a step in the middle of a match then moves no frame, and times
    never run backwards. libcamera's own FrameWallClock would follow the step, starts its fit over, and was in
    microseconds before August 2025.
    """

    def reading() -> tuple[int, int]:
        before = boottime_ns()
        real = realtime_ns()
        after = boottime_ns()
        return after - before, real - (before + after) // 2

    # The tightest pair: a thread can be put aside between two readings.
    return min(reading() for _ in range(_READINGS))[1]


def lost_between(last_ns: int, now_ns: int, frame_ns: int) -> int:
    """Frames missing between two SensorTimestamps; synchronised cameras stretch and shorten single frames."""
    steps = (now_ns - last_ns) / frame_ns
    return round(steps) - 1 if steps > 1.5 else 0
