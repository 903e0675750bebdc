"""How many bytes a second the offload may take of the field's network."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_BURST_S = 0.1
"""Of unused time that may be made up for: enough for a loop that woke late, too little to be felt by others."""

_BYTES_PER_MBIT = 125_000


class Bandwidth:
    """A token bucket shared by all connections: `spend` before sending, and wait for its turn in order of asking.

    `bytes_per_s` (None: no limit) may be changed at any time; who waits already still waits as long as he was told.
    `now` gives seconds that never go back, `sleep` waits for so many.
    """

    def __init__(
        self,
        bytes_per_s: float | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.bytes_per_s = bytes_per_s
        self._now = now
        self._sleep = sleep
        self._free_at = now()

    def limit(self, mbit: float | None) -> None:
        """Keep to so many megabits a second from now on; None: no limit."""
        self.bytes_per_s = None if mbit is None else mbit * _BYTES_PER_MBIT

    async def spend(self, size: int) -> None:
        """Wait until `size` bytes may be sent."""
        if self.bytes_per_s is None:
            return
        now = self._now()
        begin = max(self._free_at, now - _BURST_S)
        self._free_at = begin + size / self.bytes_per_s
        if begin > now:
            await self._sleep(begin - now)
