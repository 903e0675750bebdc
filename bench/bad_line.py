"""A line between node and hub on which everything happens that can happen to one."""

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from enum import StrEnum

_BLOCK = 16 << 10
_STUCK_S = 30.0
_HEAD_BYTES = 700
"""About what a request says before its body, and a short body with it."""
_REQUEST = b" HTTP/1.1\r\n"
_PAGE = b"<html><body>Welcome! Sign in to use this network.</body></html>"
_SIGN_IN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(_PAGE), _PAGE)


class Fault(StrEnum):
    """What can happen to a line."""

    CUT = "cut off in the middle"
    RESET = "reset"
    DELAY = "delayed"
    BENT_HEAD = "bytes of a request bent"
    BENT_BODY = "bytes of a file bent"
    BENT_ANSWER = "bytes of an answer bent"
    LOST_ANSWER = "answer lost"
    STUCK = "half open, takes nothing"
    SWALLOWED = "half open, takes everything"
    PORTAL = "answered by a sign-in page"


class BadLine:
    """A TCP proxy to `target`, a port of this machine; about every `mean_bytes` towards it, over all connections, a
    fault happens. What and where is drawn from `chance`.

    `faults` counts what happened, `passed` the bytes that the near end sent.
    """

    def __init__(self, target: int, chance: random.Random, mean_bytes: int) -> None:
        self.port = 0
        self.faults: Counter[Fault] = Counter()
        self.passed = 0
        self._target = target
        self._chance = chance
        self._mean_bytes = mean_bytes
        self._lines: set[asyncio.Task[None]] = set()
        self._draw()

    async def __aenter__(self) -> "BadLine":
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _draw(self) -> None:
        self._next = self._chance.choice(list(Fault))
        self._left = self._chance.expovariate(1 / self._mean_bytes)

    def _falls_on(self, block: bytes) -> Fault | None:
        self.passed += len(block)
        self._left -= len(block)
        fits = {Fault.BENT_HEAD: _REQUEST in block, Fault.BENT_BODY: len(block) > 4 * _HEAD_BYTES}
        if self._left > 0 or not fits.get(self._next, True):
            return None
        fault = self._next
        self.faults[fault] += 1
        self._draw()
        return fault

    async def _connect(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._lines.add(task)
        line = None
        try:
            # Cancelled is how a line ends with the proxy; asyncio's server would make a fault of it.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                far, to_far = await asyncio.open_connection("127.0.0.1", self._target)
                line = _Line(near, to_near, far, to_far, self._chance)
                while block := await near.read(_BLOCK):
                    fault = self._falls_on(block)
                    if fault is None:
                        to_far.write(block)
                        await to_far.drain()
                    elif not await line.suffer(fault, block):
                        break
        finally:
            self._lines.discard(task)
            to_near.close()
            if line:
                await line.end()


class _Line:
    """One connection and its continuation."""

    def __init__(
        self,
        near: asyncio.StreamReader,
        to_near: asyncio.StreamWriter,
        far: asyncio.StreamReader,
        to_far: asyncio.StreamWriter,
        chance: random.Random,
    ) -> None:
        self._near = near
        self._to_near = to_near
        self._far = far
        self._to_far = to_far
        self._chance = chance
        self._next_answer: Fault | None = None
        self._back = asyncio.create_task(self._answers())

    async def end(self) -> None:
        """Close both ends."""
        self._back.cancel()
        await asyncio.gather(self._back, return_exceptions=True)
        self._to_far.close()
        self._to_near.close()

    async def suffer(self, fault: Fault, block: bytes) -> bool:
        """Let `fault` happen while `block` is on its way; whether the line still stands afterwards."""
        at = self._chance.randrange(len(block))
        if fault is Fault.DELAY:
            await asyncio.sleep(self._chance.uniform(0.05, 0.5))
        elif fault is Fault.BENT_HEAD:
            begin = block.rfind(b"\n", 0, block.index(_REQUEST)) + 1
            block = self._bent(block, begin, begin + _HEAD_BYTES)
        elif fault is Fault.BENT_BODY:
            block = self._bent(block, _HEAD_BYTES, len(block))
        elif fault in (Fault.BENT_ANSWER, Fault.LOST_ANSWER):
            self._next_answer = fault
        elif fault is Fault.PORTAL:
            self._to_near.write(_SIGN_IN)
            return False
        elif fault is Fault.CUT:
            self._to_far.write(block[:at])
            return False
        elif fault is Fault.RESET:
            self._to_far.write(block[:at])
            self._reset()
            return False
        else:
            self._back.cancel()
            if fault is Fault.STUCK:
                await asyncio.sleep(_STUCK_S)
            else:
                while await self._near.read(_BLOCK):
                    pass
            return False
        self._to_far.write(block)
        await self._to_far.drain()
        return True

    async def _answers(self) -> None:
        with contextlib.suppress(OSError):
            while block := await self._far.read(_BLOCK):
                if self._next_answer is Fault.LOST_ANSWER:
                    break
                if self._next_answer is Fault.BENT_ANSWER:
                    block = self._bent(block, 0, len(block))
                    self._next_answer = None
                self._to_near.write(block)
                await self._to_near.drain()
        self._to_near.close()

    def _bent(self, block: bytes, begin: int, end: int) -> bytes:
        bent = bytearray(block)
        for _ in range(self._chance.randint(1, 3)):
            at = self._chance.randrange(begin, min(end, len(block)))
            # The worst that can become of a digit is another digit: it still reads well.
            if bent[at] in b"0123456789":
                bent[at] = self._chance.choice(b"0123456789")
            else:
                bent[at] ^= self._chance.randint(1, 255)
        return bytes(bent)

    def _reset(self) -> None:
        for writer in (self._to_far, self._to_near):
            # A linger of 0 s makes the kernel send RST instead of FIN.
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
