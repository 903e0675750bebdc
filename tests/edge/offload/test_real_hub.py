"""The offload against the hub's own ingest: files of several chunks, lines that drop, uploads that are lost."""

import shutil

import pytest
from aiohttp import web

from edge.offload import Hub
from edge.offload.hub import CHUNK_BYTES
from edge.record.shelf import VIDEO
from hub.ingest import Ingest, ingest_routes
from wire.session import SegmentState

TOKEN = "open-sesame"
SIZE = 2 * CHUNK_BYTES + 12_345
"""Three chunks."""


class RealHub:
    """The hub's ingest behind a server; it hangs up on the `drops`-th PATCH, counted from 1."""

    def __init__(self, root, clock) -> None:
        self.root = root
        self.port = 0
        self.asked: list[str] = []
        self.patched = 0
        self.drops: int | None = None
        self._clock = clock

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        async def nothing(*_) -> None:
            return None

        self._ingest = Ingest(self.root, TOKEN, self._clock.now_ns, nothing)
        app = web.Application(middlewares=[self._line])
        app.add_routes(ingest_routes(self._ingest))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()
        self._ingest.close()

    def path(self, key, suffix):
        return self.root / "segments" / key.path(suffix)

    @web.middleware
    async def _line(self, request, handler):
        if request.method == "PATCH" and self.asked.count("PATCH") + 1 == self.drops:
            self.drops = None
            request.transport.abort()
            return web.Response()
        answer = await handler(request)
        if request.path.startswith("/api/v1/uploads"):
            self.asked.append(f"{request.method}" if answer.status < 400 else f"{request.method} {answer.status}")
        if request.method == "PATCH" and answer.status < 400:
            self.patched += request.content_length
        return answer


@pytest.fixture
async def real_hub(tmp_path, clock):
    made = RealHub(tmp_path / "hub", clock)
    await made.start()
    yield made
    await made.stop()


async def test_a_file_of_several_chunks_is_gone_on_with_after_the_hub_was_started_anew(station, real_hub, eventually):
    station.close_segment(0, size=SIZE)
    real_hub.drops = 2

    async def restart() -> None:
        await real_hub.stop()
        await real_hub.start()

    station.before_pause = restart
    async with Hub(real_hub.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(real_hub.path)
    assert real_hub.patched == SIZE, "what the hub held before must not be sent again"
    assert real_hub.asked == ["POST", "PATCH", "HEAD", "PATCH", "PATCH", "POST"]
    assert station.cost.report("left").bytes_sent == sum(station.sizes())
    assert station.pauses == [0.375]


async def test_an_upload_that_the_hub_has_lost_is_begun_anew(station, real_hub, eventually):
    station.close_segment(0, size=SIZE)
    real_hub.drops = 2

    async def lose() -> None:
        await real_hub.stop()
        shutil.rmtree(real_hub.root / "uploads")
        await real_hub.start()

    station.before_pause = lose
    async with Hub(real_hub.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(real_hub.path)
    assert real_hub.asked == ["POST", "PATCH", "HEAD 404", "POST", "PATCH", "PATCH", "PATCH", "POST"]
    assert station.pauses == [0.375]


async def test_a_damaged_file_is_refused_and_taken_once_it_is_right(station, real_hub, eventually, log_text):
    path = station.shelf.path(station.close_segment(0, size=SIZE), VIDEO)
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    station.close_segment(1, size=1000)
    refused_states = []

    async def repair() -> None:
        refused_states.append(station.states())
        path.write_bytes(right)

    station.before_pause = repair
    async with Hub(real_hub.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert refused_states == [[SegmentState.CLOSED, SegmentState.CONFIRMED]]
    assert "PATCH 422" in real_hub.asked
    assert "does not have the SHA-256 that was offered" in log_text.getvalue()
    assert "HEAD" not in " ".join(real_hub.asked), "a refused upload is not gone on with"
    assert station.same_bytes(real_hub.path)
