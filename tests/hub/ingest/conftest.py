"""A hub's ingest behind a real aiohttp server, in this process or, run as a program, in one of its own."""

import asyncio
import contextlib
import hashlib
import random
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from hub.ingest import Ingest, ingest_routes
from wire.hand_over import DIGEST, content_digest
from wire.message import decode, encode
from wire.session import SegmentKey, SegmentOffer, SegmentReceipt
from wire.tus.client import TusClient

TOKEN = "rig-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Segment:
    """A segment as a node holds it: two files and the offer that promises them."""

    video: Path
    tracks: Path
    offer: SegmentOffer

    def file(self, part: str) -> Path:
        return self.video if part == "video" else self.tracks


@dataclass
class Rig:
    """What a node does with a hub at `url`."""

    url: str
    http: aiohttp.ClientSession
    root: Path
    confirmed: list[tuple[SegmentKey, SegmentOffer]] = field(default_factory=list)

    def segment(self, sequence=0, *, node="left", size=300_000, last=False) -> Segment:
        files = {}
        for part, count in (("video", size), ("tracks", 2_000)):
            files[part] = self.root / f"{node}-{sequence}.{part}"
            files[part].write_bytes(random.Random(f"{node}{sequence}{part}").randbytes(count))
        sums = {part: hashlib.sha256(path.read_bytes()).hexdigest() for part, path in files.items()}
        offer = SegmentOffer(
            key=SegmentKey("match-1", node, sequence),
            start_ns=sequence * 2_000_000_000,
            end_ns=(sequence + 1) * 2_000_000_000,
            frames=50,
            video_bytes=size,
            video_sha256=sums["video"],
            tracks_bytes=2_000,
            tracks_sha256=sums["tracks"],
            clock_uncertainty_ns=1000,
            last=last,
        )
        return Segment(files["video"], files["tracks"], offer)

    async def offer(self, offer: SegmentOffer) -> SegmentReceipt:
        status, body = await self.post(encode(offer))
        assert status == 200, body
        return decode(body, SegmentReceipt)

    async def post(self, offer: bytes, digest: str | None = None) -> tuple[int, bytes]:
        headers = {**BEARER, DIGEST: content_digest(offer) if digest is None else digest}
        async with self.http.post(f"{self.url}/api/v1/segments", data=offer, headers=headers) as answer:
            return answer.status, await answer.read()

    async def receipt(self, key: SegmentKey) -> SegmentReceipt:
        url = f"{self.url}/api/v1/segments/{key.session}/{key.node}/{key.sequence}"
        async with self.http.get(url, headers=BEARER) as answer:
            assert answer.status == 200, await answer.text()
            return decode(await answer.read(), SegmentReceipt)

    def client(self, **options) -> TusClient:
        async def no_pause(_):
            await asyncio.sleep(0)

        return TusClient(
            self.http, f"{self.url}/api/v1/uploads", BEARER, **{"sleep": no_pause, "attempts": 3, **options}
        )

    async def send(self, segment: Segment, part: str, path: Path | None = None, **options) -> str:
        key = segment.offer.key
        metadata = {"session": key.session, "node": key.node, "sequence": str(key.sequence), "part": part}
        return await self.client(**options).upload(path or segment.file(part), metadata)

    async def hand_over(self, segment: Segment) -> SegmentReceipt:
        receipt = await self.offer(segment.offer)
        for part, wanted in (("video", receipt.video_wanted), ("tracks", receipt.tracks_wanted)):
            if wanted:
                await self.send(segment, part)
        return await self.receipt(segment.offer.key)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    time_ns: int = 1_700_000_000_000_000_000

    def now_ns(self) -> int:
        return self.time_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@contextlib.asynccontextmanager
async def serving(ingest: Ingest, port: int = 0) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(ingest_routes(ingest))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        ingest.close()


@pytest.fixture
async def rig(tmp_path: Path, http: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Rig]:
    rig = Rig("", http, tmp_path)

    async def on_confirmed(key: SegmentKey, offer: SegmentOffer) -> None:
        rig.confirmed.append((key, offer))

    rig.ingest = Ingest(tmp_path / "data", TOKEN, clock.now_ns, on_confirmed)
    async with serving(rig.ingest) as rig.url:
        yield rig


class Process:
    """The same ingest as a process of its own that can be killed and started again on the same port."""

    def __init__(self, root: Path, port: int) -> None:
        self.data = root / "data"
        self.port = port
        self.told = root / "confirmed.txt"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, str(self.data), str(self.port), str(self.told), stdout=asyncio.subprocess.PIPE
        )
        assert await self._process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()


@pytest.fixture
async def process(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Process]:
    process = Process(tmp_path, unused_tcp_port)
    await process.start()
    yield process
    await process.kill()


@pytest.fixture
def rig_of_process(process: Process, http: aiohttp.ClientSession, tmp_path: Path) -> Rig:
    return Rig(f"http://127.0.0.1:{process.port}", http, tmp_path)


async def _serve(data: Path, port: int, told: Path) -> None:
    def note(key: SegmentKey) -> None:
        with open(told, "a") as out:
            out.write(key.path("\n"))

    async def on_confirmed(key: SegmentKey, _offer: SegmentOffer) -> None:
        note(key)

    async with serving(Ingest(data, TOKEN, time.time_ns, on_confirmed), port):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
