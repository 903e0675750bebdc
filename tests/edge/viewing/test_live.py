"""The live picture stands back: for nobody who watches, for load, and for a recording that suffers."""

import asyncio
import contextlib
import io
import os
import re
import threading
from types import SimpleNamespace

import av
import cv2
import msgspec
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import edge.viewing.live
from edge.api.viewing import viewing_routes
from edge.cost import Cost
from edge.encode.libav import LibavCoder
from edge.errors import LiveOff
from edge.frame import Frame
from edge.viewing import Live, Load, Viewfinder
from edge.viewing.live import REST_S, WATCHED_S
from edge.viewing.load import BELIEVED, Pressure
from firmware.health import HealthReading, Supply
from wire.session import SegmentState, StartRecording

GOOD = Supply(
    under_voltage=False,
    frequency_capped=False,
    throttled=False,
    soft_temperature_limit=False,
    under_voltage_before=True,
    throttled_before=True,
)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Segments of a few pictures, looked after often."""
    monkeypatch.setattr("edge.viewing.live.SEGMENT_NS", 50_000_000)
    monkeypatch.setattr("edge.viewing.live.FRAMES_PER_SECOND", 100)
    monkeypatch.setattr("edge.viewing.live._CHECK_EVERY_S", 0.01)


@pytest.fixture
def now():
    return SimpleNamespace(s=1000.0)


@pytest.fixture
def bears():
    """What the node has to bear, and how often that was asked."""
    return SimpleNamespace(load=Load(), read=0)


@pytest.fixture
async def live(source, clock, log, now, bears, eventually):
    def read():
        bears.read += 1
        return bears.load

    viewfinder = Viewfinder(source, clock, log, lambda _camera: None)
    made = Live(viewfinder, read, Cost(), log, now_s=lambda: now.s)
    yield made
    now.s += WATCHED_S
    await eventually(lambda: not made.state().running)


def film_of(live, playlist):
    head = re.search(r'URI="live/(.+)"', playlist)[1]
    return b"".join(live.part(name) for name in [head, *re.findall(r"^live/(.+)$", playlist, re.MULTILINE)])


async def test_nobody_watches_and_nothing_is_done(live, source):
    assert not live.state().running
    assert live.part("1-head.mp4") is None
    assert source.opened == []


async def test_whoever_asks_gets_a_film_of_what_the_camera_sees(live):
    frames = []
    async with asyncio.timeout(30):
        # On a busy machine a second may hold one picture only.
        while len(frames) < 2:
            playlist = await live.playlist("live")
            assert live.state().running
            with av.open(io.BytesIO(film_of(live, playlist))) as video:
                frames = list(video.decode(video=0))
    assert (frames[0].width, frames[0].height) == (320, 180)


@pytest.mark.parametrize("size", [(3072, 1728), (1920, 1080), (2028, 1080), (1282, 962)])
def test_a_large_picture_is_shown_1280_wide_and_looks_the_same(picture, size):
    width, height = size
    frame = Frame(picture(40, width, height), 5, 7)
    small = edge.viewing.live._small(frame, 99)
    assert (small.time_ns, small.index) == (99, 7)
    low = round(height * 1280 / width / 2) * 2
    assert small.planes.shape == (low * 3 // 2, 1280)
    expected = cv2.resize(frame.planes[:height], (1280, low), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small.planes[:low] - expected).mean() < 1
    assert np.abs(small.planes[low:].astype(int) - 128).max() <= 1


async def test_its_thread_comes_after_everything_else(live, monkeypatch):
    nice = []
    small = edge.viewing.live._small

    def noticed(*given):
        nice.append(os.getpriority(os.PRIO_PROCESS, 0))
        return small(*given)

    monkeypatch.setattr("edge.viewing.live._small", noticed)
    await live.playlist("live")
    assert set(nice) == {min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)}


async def test_it_ends_when_nobody_has_asked_for_a_while_and_begins_anew(live, source, now, bears, eventually):
    await live.playlist("live")
    now.s += WATCHED_S - 1
    assert live.part("1-head.mp4")
    now.s += WATCHED_S - 1
    looked = bears.read
    await eventually(lambda: bears.read > looked + 2)
    assert live.state().running
    now.s += 2
    await eventually(lambda: not live.state().running)
    await eventually(lambda: source.camera.closed)
    assert live.state().off is None
    assert live.part("1-head.mp4") is None
    assert "2-head.mp4" in await live.playlist("live")


LOADS = {
    "lost 3 frames": [Load(frames_lost=5), Load(frames_lost=8)],
    r"does not keep up with the camera \(encode\)": [Load(lagging="encode")] * BELIEVED,
    "75 °C warm": [Load(health=HealthReading(temperature_c=75.0))],
    "holds itself back": [Load(health=HealthReading(supply=msgspec.structs.replace(GOOD, throttled=True)))],
    r"processor is busy \(load 5.5 on 4 cores\)": [Load(health=HealthReading(load=5.5, cores=4))],
}
"""What is too much, reading by reading, and what is said of it."""
EASY = [
    [Load(frames_lost=7)] * 5,
    [Load(lagging="encode"), Load(), Load(lagging="write")],
    [Load(health=HealthReading(temperature_c=74.9, supply=GOOD, load=4.9, cores=4))],
    [Load(health=HealthReading(load=9.0))],
    [Load(frames_lost=9), Load(frames_lost=0)],
]


@pytest.mark.parametrize("said", LOADS)
def test_load_is_told_in_words(said):
    pressure = Pressure()
    *before, last = [pressure.too_much(load) for load in LOADS[said]]
    assert not any(before)
    assert re.search(said, last)


@pytest.mark.parametrize("loads", EASY)
def test_what_is_no_load_keeps_nothing_off(loads):
    pressure = Pressure()
    assert not any(pressure.too_much(load) for load in loads)


async def test_under_load_it_goes_off_says_why_and_comes_back_by_itself(live, source, bears, now, eventually, log_text):
    await live.playlist("live")
    bears.load = Load(health=HealthReading(temperature_c=78.0))
    await eventually(lambda: not live.state().running)
    assert live.state().off == "the board is 78 °C warm"
    await eventually(lambda: source.camera.closed)
    with pytest.raises(LiveOff, match="78 °C warm"):
        await live.playlist("live")
    assert len(source.opened) == 1
    assert "event=live-ends" in log_text.getvalue()
    # Still too warm after its rest: off again before a picture is taken.
    now.s += REST_S
    with pytest.raises(LiveOff, match="78 °C warm"):
        await live.playlist("live")
    now.s += REST_S
    bears.load = Load()
    assert "head.mp4" in await live.playlist("live")
    assert live.state().off is None


async def test_a_camera_that_shows_nothing_is_said(source, live, monkeypatch):
    monkeypatch.setattr("edge.viewing.live._FIRST_S", 0.05)
    source.faults = ["the cable came loose"] * 9
    with pytest.raises(LiveOff, match="no picture yet"):
        await live.playlist("live")


async def test_a_film_that_fails_is_off_and_told(live, monkeypatch):
    def broken(*_args, **_more):
        raise ValueError("no coder in stock")

    monkeypatch.setattr("edge.viewing.live.LibavCoder", broken)
    with pytest.raises(LiveOff, match="the live picture failed: no coder in stock"):
        await live.playlist("live")


class SlowCoder(LibavCoder):
    """Takes longer over a frame than the camera does."""

    def __init__(self, released):
        super().__init__("h264", 320, 180, 25.0)
        self._released = released

    def encode(self, frame, *, key):
        self._released.wait(0.05)
        return super().encode(frame, key=key)


@pytest.fixture
async def node(make_node, source, ledger):
    made = make_node(source, ledger)
    yield made
    if made._recording:
        await made.stop()


async def test_it_runs_beside_a_recording_that_loses_nothing_by_it(node, source, ledger, zero_ns, eventually):
    # Whatever else this machine has to do.
    node.live._read = Load
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    playlist = await node.live.playlist("live")
    assert film_of(node.live, playlist)
    assert source.most_open == 1
    await eventually(lambda: node._recording.frames > 60)
    await node.stop()
    rows = ledger.segments(SegmentState.CLOSED)
    frames = sum(row.offer.frames for row in rows)
    assert rows[-1].offer.end_ns - rows[0].offer.start_ns == frames * 40_000_000
    assert node.cost().cpu_s["live"] > 0


async def test_a_recorder_that_lags_has_the_processor_to_itself(node, source, zero_ns, eventually, monkeypatch):
    released = threading.Event()
    opened = source.open

    def slowly(*how):
        camera = opened(*how)
        camera.coder = lambda: SlowCoder(released)
        return camera

    monkeypatch.setattr(source, "open", slowly)
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    # It may even begin before it is seen that nothing is left for it.
    with contextlib.suppress(LiveOff):
        await node.live.playlist("live")
    await eventually(lambda: node.live.state().off)
    assert node.live.state().off == "the recording does not keep up with the camera (encode)"
    assert not node.live.state().running
    assert (await node.status()).fault is None
    released.set()
    # Once it has caught up, nothing is held against it.
    await eventually(lambda: node._recording.lagging is None)


async def test_what_is_asked_over_http(node, source, zero_ns):
    app = web.Application()
    for route in viewing_routes(node):
        app.router.add_route(route.method, route.path, route.respond)
    async with TestClient(TestServer(app)) as client:
        playlist = await client.get("/api/v1/live.m3u8")
        assert (playlist.status, playlist.content_type) == (200, "application/vnd.apple.mpegurl")
        assert playlist.headers["Cache-Control"] == "no-store"
        text = await playlist.text()
        [head] = re.findall(r'URI="(live/.+)"', text)
        part = await client.get(f"/api/v1/{head}")
        assert (part.status, part.content_type) == (200, "video/iso.segment")
        assert (await part.read())[4:8] == b"ftyp"
        assert (await client.get("/api/v1/live/99-head.mp4")).status == 404
        assert (await (await client.get("/api/v1/live")).json())["body"] == {"running": True, "off": None}
        node.live._why, node.live._rest_until_s = "the board is 80 °C warm", float("inf")
        off = await client.get("/api/v1/live.m3u8")
        assert (off.status, (await off.text()).partition(":")[0]) == (503, "the board is 80 °C warm")
        assert (await client.get("/api/v1/framing.jpg")).status == 404
        assert (await (await client.post("/api/v1/framing/start")).json())["body"]["running"]
        assert (await client.post("/api/v1/framing/stop")).status == 204
        assert not (await (await client.get("/api/v1/view")).json())["body"]["locked"]
        assert (await (await client.post("/api/v1/view/lock")).json())["body"]["locked"]
        assert (await client.post("/api/v1/view/unlock")).status == 204
        assert not (await (await client.get("/api/v1/view")).json())["body"]["locked"]
