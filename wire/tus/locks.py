"""One request at a time per upload, the newest first: who waits asks the one at work to stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from wire.tus.errors import UploadBusy


@dataclass
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0


class UploadLocks:
    """Locks by upload id within one event loop.

    A phone or node that lost its line comes back while the server still waits for the old line's bytes; without the
    stop request it would have to wait for that line's time-out.
    """

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def hold(self, upload: str, wait_s: float) -> AsyncIterator[asyncio.Event]:
        """Holds `upload`; yields an event that is set once another request wants it.

        Raises `UploadBusy` when the holder does not let go within `wait_s` seconds.
        """
        turn = self._turns.setdefault(upload, _Turn())
        turn.waiting += 1
        turn.stop.set()
        try:
            async with asyncio.timeout(wait_s):
                await turn.lock.acquire()
        except TimeoutError:
            raise UploadBusy("another request is still working on this upload: try again in a moment") from None
        finally:
            turn.waiting -= 1
            self._drop_unused(upload, turn)
        try:
            turn.stop = asyncio.Event()
            if turn.waiting:
                turn.stop.set()
            yield turn.stop
        finally:
            turn.lock.release()
            self._drop_unused(upload, turn)

    def held(self, upload: str) -> bool:
        """Whether a request works on `upload` now."""
        return upload in self._turns

    def _drop_unused(self, upload: str, turn: _Turn) -> None:
        # A released lock whose next waiter has not run yet is not `locked`, but that waiter still counts as waiting.
        if not turn.waiting and not turn.lock.locked() and self._turns.get(upload) is turn:
            del self._turns[upload]
