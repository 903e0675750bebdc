"""Taking one request's body into an upload: plain bytes as they come, a chunk with a promised digest all or nothing."""

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar, cast

from wire.tus.errors import UploadRefused
from wire.tus.headers import CHECKSUM_MISMATCH, Checksum
from wire.tus.store import OpenUpload, UploadStore

BLOCK = 1 << 20
"""Bytes gathered before they are written in a worker thread."""
_SPOOL = 8 << 20

T = TypeVar("T")


class BodyEnd(Enum):
    """Why a body ended."""

    WHOLE = "whole"
    BROKEN = "broken"
    STOPPED = "stopped"
    TOO_LONG = "too long"


class Sink(Protocol):
    """Where a body goes; the methods block."""

    def write(self, data: bytes) -> None:
        """Takes the next bytes."""

    def finish(self, end: BodyEnd) -> None:
        """Ends the body; raises `UploadRefused` when its bytes are not the promised ones."""

    def close(self) -> None:
        """Lets go of what it holds."""


class PlainSink:
    """Writes at once; whatever arrived is kept however the body ends, unless it was longer than the upload."""

    def __init__(self, upload: OpenUpload) -> None:
        self._upload = upload
        self._start = self._at = upload.offset

    def write(self, data: bytes) -> None:
        """Takes the next bytes."""
        self._upload.write(self._at, data)
        self._at += len(data)

    def finish(self, end: BodyEnd) -> None:
        """Makes the bytes durable."""
        if end is BodyEnd.TOO_LONG:
            self._upload.drop_after(self._start)
        self._upload.sync()

    def close(self) -> None:
        """Holds nothing."""


class CheckedSink:
    """Keeps the chunk aside, in memory while small, until its digest is proven.

    The data file's size is the offset, so unproven bytes must not get into it even for a moment.
    """

    def __init__(self, upload: OpenUpload, promised: Checksum, folder: Path) -> None:
        self._upload = upload
        self._promised = promised
        self._hash = hashlib.new(promised.algorithm, usedforsecurity=False)
        # typeshed wants a literal mode here; `close` is the way out, not a `with`.
        self._spool = cast(IO[bytes], tempfile.SpooledTemporaryFile(_SPOOL, dir=str(folder)))  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """Takes the next bytes."""
        self._hash.update(data)
        self._spool.write(data)

    def finish(self, end: BodyEnd) -> None:
        """Moves the chunk into the upload and makes it durable; a chunk that was cut short is dropped.

        Raises `UploadRefused` 460 when the digest differs.
        """
        if end in (BodyEnd.STOPPED, BodyEnd.TOO_LONG):
            return
        if self._hash.digest() != self._promised.digest:
            raise UploadRefused(CHECKSUM_MISMATCH, "the chunk arrived damaged and was dropped: send it again")
        self._spool.seek(0)
        at = self._upload.offset
        while block := self._spool.read(BLOCK):
            self._upload.write(at, block)
            at += len(block)
        self._upload.sync()

    def close(self) -> None:
        """Lets go of the chunk."""
        self._spool.close()


async def receive(
    body: AsyncIterator[bytes], sink: Sink, room: int | None, stop: asyncio.Event, idle_s: float
) -> BodyEnd:
    """Feeds `body` to `sink` until it ends, breaks, brings nothing for `idle_s` seconds, exceeds `room` bytes (None: no
    bound), or `stop` is set; says which. Raises what the sink raises."""
    stopped = asyncio.ensure_future(stop.wait())
    blocks: list[bytes] = []
    held = taken = 0
    end: BodyEnd | None = None
    try:
        while end is None:
            chunk, end = await _next(body, stopped, idle_s)
            if room is not None and taken + len(chunk) > room:
                end = BodyEnd.TOO_LONG
                break
            if chunk:
                blocks.append(chunk)
                held += len(chunk)
                taken += len(chunk)
            if held >= BLOCK or (end is not None and held):
                data = b"".join(blocks)
                blocks.clear()
                held = 0
                await in_thread(sink.write, data)
        await in_thread(sink.finish, end)
    except asyncio.CancelledError:
        # Some servers cancel the request of a dropped line; what arrived is kept as if the body had just ended.
        with contextlib.suppress(UploadRefused):
            if blocks:
                await in_thread(sink.write, b"".join(blocks))
            await in_thread(sink.finish, BodyEnd.BROKEN)
        raise
    finally:
        stopped.cancel()
        await in_thread(sink.close)
    return end


async def _next(
    body: AsyncIterator[bytes], stopped: asyncio.Future[Any], idle_s: float
) -> tuple[bytes, BodyEnd | None]:
    coming: asyncio.Future[bytes] = asyncio.ensure_future(anext(body))
    try:
        await asyncio.wait((coming, stopped), timeout=idle_s, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            await asyncio.wait((coming,))
            return b"", BodyEnd.STOPPED if stopped.done() else BodyEnd.BROKEN
    except asyncio.CancelledError:
        coming.cancel()
        raise
    if coming.cancelled():
        return b"", BodyEnd.BROKEN
    fault = coming.exception()
    if fault is None:
        return coming.result(), BodyEnd.STOPPED if stopped.done() else None
    # Each framework has its own exception for a line that dropped; here they all mean the same.
    return b"", BodyEnd.WHOLE if isinstance(fault, StopAsyncIteration) else BodyEnd.BROKEN


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Runs `work` in a worker thread and waits for its end even when cancelled, so that no thread outlives its lock."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _settled(task)
        raise


@asynccontextmanager
async def opened(store: UploadStore, upload: str) -> AsyncIterator[OpenUpload]:
    """`store.open` in a worker thread, closed at the end, and also when cancelled while it opens."""
    task = asyncio.ensure_future(asyncio.to_thread(store.open, upload))
    try:
        held = await asyncio.shield(task)
    except asyncio.CancelledError:
        await _settled(task)
        if not task.cancelled() and task.exception() is None:
            task.result().close()
        raise
    with held:
        yield held


async def _settled(task: asyncio.Future[Any]) -> None:
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()
