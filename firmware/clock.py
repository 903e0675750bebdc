"""The machine's clock, and how far it may be from the truth."""

import ctypes
import time
from typing import Protocol

WORST_UNCERTAINTY_NS = 16_000_000_000
"""What Linux itself reports of a clock that nobody disciplines (NTP_PHASE_LIMIT, 16 s)."""


class Clock(Protocol):
    """A clock that counts rig time, as well as this machine knows it."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""

    def uncertainty_ns(self) -> int:
        """A bound of how far `now_ns` may be off."""


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
