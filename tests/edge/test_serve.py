import asyncio
import contextlib

import aiohttp
import msgspec
import pytest
from yarl import URL

from edge.capture import CameraSource, Sync
from edge.config import Config
from edge.errors import HubUnreachable
from edge.offload import Hub as HubClient
from edge.serve import Settings, elsewhere, locate, on_this_machine, serve
from firmware.panel import PanelSource
from wire.message import decode, encode
from wire.session import NodeStatus

BESIDE = ("announcement", "hub-search")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000", "http://127.8.9.1", "http://[::1]:8000", "http://localhost:8000", "https://LOCALHOST"],
)
def test_a_hub_on_loopback_shares_this_machines_clock(url):
    assert on_this_machine(url)


@pytest.mark.parametrize(
    "url", ["http://10.42.0.1:8000", "http://hub.local", "http://localhost.example.org", "http://[fe80::1]", "hub", ""]
)
def test_any_other_hub_has_a_clock_of_its_own(url):
    assert not on_this_machine(url)


class Hub:
    """A hub at these addresses, which is not found before it was looked for `misses` times."""

    def __init__(self, *addresses, misses=0):
        self.addresses = frozenset(addresses)
        self.misses = misses
        self.looks = 0

    async def locate(self):
        self.looks += 1
        if self.looks <= self.misses:
            raise HubUnreachable("no hub of this rig is found on the network")


@pytest.mark.parametrize(
    ("addresses", "told"),
    [((), set()), (("192.0.2.1", "fd00::1"), {"192.0.2.1", "fd00::1"}), (("192.0.2.1", "127.0.0.1"), set())],
)
def test_a_hub_that_was_found_on_this_machine_is_not_elsewhere(addresses, told):
    assert set(elsewhere(Hub(*addresses))) == told


async def test_the_hub_is_looked_for_until_it_is_found(monkeypatch):
    monkeypatch.setattr("edge.serve._LOCATE_EVERY_S", 0)
    hub = Hub(misses=3)
    await locate(hub)
    assert hub.looks == 4


async def address(log_text, eventually) -> str:
    await eventually(lambda: "event=listening" in log_text.getvalue())
    return f"http://127.0.0.1:{log_text.getvalue().split('port=')[1].split()[0]}"


@pytest.fixture
def serving(tmp_path, running, health, make_eyes, clock, log):
    """Serves the node of a camera as long as its block lasts; gives the task."""

    @contextlib.asynccontextmanager
    async def begin(source, **config):
        settings = Settings(
            node="left",
            source=source,
            data=tmp_path,
            host="127.0.0.1",
            port=0,
            hub="http://127.0.0.1:9",
            token="open-sesame",
            config=msgspec.structs.replace(running, **config),
            kept=Config(tmp_path / "config.json"),
            health=health,
            panel=PanelSource.parse("disabled"),
        )
        task = asyncio.create_task(serve(settings, lambda _camera, _first: make_eyes(), clock, log))
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return begin


async def test_a_node_that_cannot_announce_itself_or_look_for_its_hub_says_so_and_serves_on(
    serving, log_text, eventually, monkeypatch
):
    def broken(*_told, **_options):
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("edge.serve.Announcement", broken)
    monkeypatch.setattr(HubClient, "locate", broken)
    says = 'fault="RuntimeError: nobody foresaw this"'
    async with serving(CameraSource.parse("virtual:nobody.sock")) as node:
        await eventually(lambda: all(f"event={part}-fault {says}" in log_text.getvalue() for part in BESIDE))
        assert not node.done()


@pytest.mark.parametrize("sync", Sync)
async def test_a_node_tells_its_cameras_part_in_the_rig(serving, log_text, eventually, sync):
    async with serving(CameraSource.parse("picamera:0", sync=sync)):
        url = f"{await address(log_text, eventually)}/api/v1/status"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert decode(await answer.read(), NodeStatus).sync is sync


async def test_the_offload_keeps_to_the_bandwidth_of_the_start_and_then_to_what_is_set(
    serving, log_text, eventually, running, monkeypatch
):
    hubs = []

    class Offloaded(HubClient):
        async def __aenter__(self):
            hubs.append(self)
            return await super().__aenter__()

    monkeypatch.setattr("edge.serve.Hub", Offloaded)
    async with serving(CameraSource.parse("virtual:nobody.sock"), offload_mbit=8), aiohttp.ClientSession() as http:
        url = f"{await address(log_text, eventually)}/api/v1/config"
        assert [hub.bandwidth.bytes_per_s for hub in hubs] == [1_000_000]
        slower = encode(msgspec.structs.replace(running, offload_mbit=2))
        async with http.put(url, data=slower, headers={"Authorization": "Bearer open-sesame"}) as answer:
            assert answer.status == 200
        assert [hub.bandwidth.bytes_per_s for hub in hubs] == [250_000]


async def test_a_stranger_who_connects_and_says_nothing_is_dropped(serving, log_text, eventually, monkeypatch):
    monkeypatch.setattr("edge.api.door.HEAD_S", 0.1)
    async with serving(CameraSource.parse("virtual:nobody.sock")):
        url = URL(await address(log_text, eventually))
        reader, writer = await asyncio.open_connection(url.host, url.port)
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
