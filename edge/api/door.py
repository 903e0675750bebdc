"""The way in to the node's API: few connections at a time and none that says nothing. Each takes one of the process's
files, and where none is left the next segment cannot be opened."""

import asyncio
import socket

from aiohttp import web
from aiohttp.typedefs import Handler

from firmware.log import Log

PER_PEER = 32
"""From one address: a browser opens six, and one address may be a hub's with everybody who listens (16) or sees moving
pictures (4) through it."""
MOST = 256
"""From all other machines together. With this machine's, and what a node has open itself, that is far below 1024, where
many systems have a process end."""
HEAD_S = 10.0
"""To the end of the first request's head. A browser that connects ahead of need comes again."""
BODY_S = 120.0
"""To the end of a request's body: the longest one, 16 MiB of receipts, takes as long at 1.1 Mbit/s."""
KEEPALIVE_S = 75.0
"""Between two requests, longer than hub or page ever pause."""

_STOP_S = 0.5
_TELL_EVERY_S = 60.0


class Door:
    """Lets guests in to `api`, which must not have been started before."""

    def __init__(self, api: web.Application, log: Log) -> None:
        api.middlewares.insert(0, self._hear)
        self._runner = web.AppRunner(api, access_log=None, shutdown_timeout=_STOP_S, keepalive_timeout=KEEPALIVE_S)
        self._log = log
        self._server: asyncio.Server | None = None
        self._guests: dict[asyncio.BaseProtocol, _Guest] = {}
        self._told_at: float | None = None

    async def open(self, listener: socket.socket) -> None:
        """Serve whoever connects to a listening socket."""
        await self._runner.setup()
        serve = self._runner.server
        assert serve is not None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Guest(self, serve()), sock=listener)

    async def close(self) -> None:
        """Let nobody in any more and finish with those who are here."""
        if self._server:
            self._server.close()
        await self._runner.cleanup()

    def enter(self, guest: "_Guest") -> bool:
        """Whether there is a place for a guest, which is taken then."""
        inside = [each.peer for each in self._guests.values()]
        elsewhere = sum(not each.is_own for each in self._guests.values())
        # The hub beside a node has its places whoever stands outside.
        if inside.count(guest.peer) >= PER_PEER or (elsewhere >= MOST and not guest.is_own):
            self._tell(guest.peer, inside)
            return False
        self._guests[guest.handler] = guest
        return True

    def leave(self, guest: "_Guest") -> None:
        """Give a guest's place to others."""
        del self._guests[guest.handler]

    def _tell(self, peer: str, inside: list[str]) -> None:
        now = asyncio.get_running_loop().time()
        # Whoever wants to fill the house shall not fill the log.
        if self._told_at is None or now >= self._told_at + _TELL_EVERY_S:
            self._told_at = now
            self._log.event("guest-refused", peer=peer, from_there=inside.count(peer), in_all=len(inside))

    @web.middleware
    async def _hear(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if guest := self._guests.get(request.protocol):
            guest.owe(BODY_S)
            # At once where there is no body.
            request.content.on_eof(guest.owe_nothing)
        return await handler(request)


class _Guest(asyncio.Protocol):
    """A connection: gives all it hears to aiohttp's `handler` once it is let in, and ends when what it owes is late."""

    def __init__(self, door: Door, handler: asyncio.Protocol) -> None:
        self.handler = handler
        self.peer = ""
        self.is_own = False
        """Whether it comes from this machine: who calls an own address does so by that one."""
        self._door = door
        self._inside = False
        self._line: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None

    def owe(self, within_s: float) -> None:
        """Have the rest of a request within so many seconds, or end."""
        self.owe_nothing()
        if self._line:
            # Not `close`, which waits for what was sent to be taken.
            self._late = asyncio.get_running_loop().call_later(within_s, self._line.abort)

    def owe_nothing(self) -> None:
        """There is nothing more to wait for."""
        if self._late:
            self._late.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._line = transport
        # There is no name for one who has gone again already.
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        self.is_own = self.peer == str((transport.get_extra_info("sockname") or ("",))[0])
        self._inside = self._door.enter(self)
        if not self._inside:
            transport.abort()
            return
        self.owe(HEAD_S)
        self.handler.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.owe_nothing()
        self._line = None
        if self._inside:
            self._door.leave(self)
            self.handler.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.handler.data_received(data)

    def eof_received(self) -> bool | None:
        return self.handler.eof_received()

    def pause_writing(self) -> None:
        self.handler.pause_writing()

    def resume_writing(self) -> None:
        self.handler.resume_writing()
