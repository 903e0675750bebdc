"""Answers without an end: each is for few at a time, and lasts until one side has enough."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from edge.errors import EdgeError
from firmware.log import Log

ENDING = web.AppKey("ending", asyncio.Event)
"""Set when the node stops serving."""
STALLED_S = 10.0
"""Whoever takes nothing for so long has gone, and only keeps the place from others."""
BUFFER_BYTES = 128 << 10
"""What the system may hold for one onlooker; else a slow one would be shown seconds that are long past."""


class TooManyOnlookers(EdgeError):
    """More ask for an endless answer than the node can serve beside its recording."""


class Streams:
    """Serves one endless thing to at most `most` onlookers."""

    def __init__(self, most: int, log: Log) -> None:
        self._most = most
        self._log = log
        self._open = 0

    async def serve(
        self, request: web.Request, content_type: str, part: Callable[[], Awaitable[bytes]], every_s: float
    ) -> web.StreamResponse:
        """Send a `part` every so many seconds, later where the onlooker is slow; an empty one is not sent.

        Raises `TooManyOnlookers`, and what the first part raises.
        """
        if self._open >= self._most:
            raise TooManyOnlookers(f"{self._most} look on already: close one of them")
        self._open += 1
        try:
            first = await part()
            answer = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-store"})
            line = request.get_extra_info("socket")
            if line is not None:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
            await answer.prepare(request)
            await self._go_on(request, answer, first, part, every_s)
            return answer
        finally:
            self._open -= 1

    async def _go_on(
        self,
        request: web.Request,
        answer: web.StreamResponse,
        now: bytes,
        part: Callable[[], Awaitable[bytes]],
        every_s: float,
    ) -> None:
        try:
            while True:
                if now:
                    async with asyncio.timeout(STALLED_S):
                        await answer.write(now)
                if await _ended(request.app[ENDING], every_s):
                    return
                now = await part()
        except (ConnectionError, TimeoutError):
            # Nobody is there any more.
            answer.force_close()
        except Exception as fault:
            # The answer has begun: it can only be cut off.
            self._log.event("stream-ended", path=request.path, fault=f"{type(fault).__name__}: {fault}")
            answer.force_close()


async def _ended(ending: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await ending.wait()
    except TimeoutError:
        return False
    return True
