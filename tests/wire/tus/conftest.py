"""A real aiohttp server around the tus protocol, in this process or, run as a program, in one of its own."""

import asyncio
import contextlib
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

from wire.durable import publish
from wire.tus.errors import UploadRefused
from wire.tus.protocol import TusProtocol, TusRequest
from wire.tus.store import Upload, UploadStore

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


class Process:
    """The same site as a process of its own that can be killed and started again on the same port."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.port = port
        self.kills = 0
        self.url = f"http://127.0.0.1:{port}/files"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, str(self.root), str(self.port), stdout=asyncio.subprocess.PIPE
        )
        assert await self._process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()
        self.kills += 1

    async def kill_and_start(self) -> None:
        await self.kill()
        await self.start()

    def accepted(self, url: str) -> bytes:
        return (self.root / "accepted" / url.rsplit("/", 1)[1]).read_bytes()


@pytest.fixture
async def process(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Process]:
    process = Process(tmp_path, unused_tcp_port)
    await process.start()
    yield process
    await process.kill()


Fault = Callable[[bytes], Awaitable[bytes | None]]


class BadLine:
    """A TCP proxy in front of a server; `faults` maps a count of bytes, over all connections, to what happens there.

    A fault gets the block it falls into and returns what goes on instead; None cuts the connection.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.faults: dict[int, Fault] = {}
        self.passed = 0
        self.hit = 0
        self._repair = asyncio.Lock()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/files"

    async def stop(self) -> None:
        self._server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._repair:
            pass
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(self._copy(up_reader, writer))
        with contextlib.suppress(OSError):
            while block := await reader.read(1 << 16):
                self.passed += len(block)
                due = min((at for at in self.faults if at <= self.passed), default=None)
                if due is not None:
                    self.hit += 1
                    async with self._repair:
                        changed = await self.faults.pop(due)(block)
                    if changed is None:
                        break
                    block = changed
                up_writer.write(block)
                await up_writer.drain()
        up_writer.transport.abort()
        writer.transport.abort()
        await back

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while block := await reader.read(1 << 16):
                writer.write(block)
                await writer.drain()
        writer.transport.abort()


@pytest.fixture
async def bad_line(site: Site) -> AsyncIterator[BadLine]:
    line = BadLine(int(site.url.rsplit(":", 1)[1].split("/")[0]))
    await line.start()
    yield line
    await line.stop()


@pytest.fixture
async def line_to_process(process: Process) -> AsyncIterator[BadLine]:
    line = BadLine(process.port)
    await line.start()
    yield line
    await line.stop()


async def _serve(root: Path, port: int) -> None:
    site = Site(root, now_ns=time.time_ns())
    runner = web.AppRunner(site.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
