"""A real aiohttp server around the tus protocol, in this process or, run as a program, in one of its own."""

import asyncio
import hashlib
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from wire.tus.errors import UploadRefused
from wire.tus.protocol import TusProtocol, TusRequest
from wire.tus.store import Upload, UploadStore, publish

MAX = 256 << 20


@dataclass
class Site:
    """One tus site: its store's folder, its clock, its accepted files, and what its hooks saw."""

    root: Path
    now_ns: int = 1_700_000_000_000_000_000
    created: list[tuple[dict[str, str], int | None, str]] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    refuse_create: UploadRefused | None = None
    fail_complete: Exception | None = None
    lock_wait_s: float = 20.0
    url: str = ""

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A fresh store and protocol over the same folder, as after a crash."""
        self.store = UploadStore(
            self.root / "uploads", lambda: self.now_ns, secrets.token_bytes, lifetime_ns=3600 * 10**9
        )
        self.protocol = TusProtocol(
            self.store,
            "/files",
            on_create=self._create,
            on_complete=self._complete,
            max_bytes=MAX,
            lock_wait_s=self.lock_wait_s,
        )

    def _create(self, metadata, length, who) -> None:
        if self.refuse_create:
            raise self.refuse_create
        self.created.append((dict(metadata), length, who))

    async def _complete(self, upload: Upload) -> None:
        if self.fail_complete:
            fault, self.fail_complete = self.fail_complete, None
            raise fault
        promised = upload.record.metadata.get("sha256")
        digest = await asyncio.to_thread(lambda: hashlib.sha256(upload.path.read_bytes()).hexdigest())
        if promised and promised != digest:
            raise UploadRefused(422, "the file is not the promised one")
        self.completed.append(upload.record.id)
        await asyncio.to_thread(publish, upload.path, self.root / "accepted" / upload.record.id)

    def accepted(self, url: str) -> bytes:
        """The file that was published for the upload at `url`."""
        return (self.root / "accepted" / url.rsplit("/", 1)[1]).read_bytes()

    async def answer(self, request: web.Request) -> web.Response:
        answer = await self.protocol.handle(
            TusRequest(
                request.method,
                request.match_info.get("tail", ""),
                request.headers,
                request.content.iter_any(),
                request.headers.get("X-Who", ""),
            )
        )
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body or None)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/files", self.answer)
        app.router.add_route("*", "/files/{tail}", self.answer)
        return app


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    server = TestServer(site.app())
    await server.start_server()
    site.url = str(server.make_url("/files"))
    yield site
    await server.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def no_pause() -> Callable[[float], Awaitable[None]]:
    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    return sleep


if __name__ == "__main__":
    program = Site(Path(sys.argv[1]))
    program.now_ns = time.time_ns()
    web.run_app(program.app(), host="127.0.0.1", port=int(sys.argv[2]), print=None)
