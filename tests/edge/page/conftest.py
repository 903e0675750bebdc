"""A node's API with answers that the test chooses, under the node's own page."""

import asyncio
import contextlib
import threading

import cv2
import msgspec
import numpy as np
import pytest
from aiohttp import web

from edge.api.page import page_routes
from edge.encode.libav import LibavCoder
from edge.frame import Frame
from edge.framing import assess
from edge.preview import jpeg
from edge.storage import Level, StorageState
from edge.viewing import FramingState, ViewState
from edge.viewing.film import Film
from firmware.clock import ClockReading, ClockSource
from firmware.health import Battery, HealthReading, Supply
from simulator.pictures.camera import background
from simulator.pictures.rigs import virtual_rig
from wire.message import decode, encode
from wire.pitch import default_pitch
from wire.readiness import Finding, GateReport, SelfTestReport, Verdict
from wire.rig import looking
from wire.session import NodeStatus, StartRecording

PIN = "374 910"
AT_NS = 1_795_344_000_123_456_789
IDLE = NodeStatus(
    node="left",
    software="touchline 0.1.0",
    width_px=1920,
    height_px=1080,
    frames_per_second=25.0,
    recording=None,
    frames=0,
    frames_dropped=0,
    segments_waiting=0,
    detector="motion",
)
GOOD_SUPPLY = Supply(
    under_voltage=False,
    frequency_capped=False,
    throttled=False,
    soft_temperature_limit=False,
    under_voltage_before=False,
    throttled_before=False,
    volts=5.12,
)
GATES = GateReport(
    node="left",
    at_ns=0,
    gates=(
        Finding(
            code="clock",
            verdict=Verdict.FAIL,
            sentence="the clock follows nobody: wait until the node has found the hub's time",
        ),
        Finding(code="battery", verdict=Verdict.WARN, sentence="the battery is at 22 %: it may not last"),
        Finding(code="camera", verdict=Verdict.PASS, sentence="the camera gives pictures"),
    ),
)


class Node:
    """What the page asks. `refuses` says whether a start is refused as `gates` say; `asked` are the changes it was
    asked for; `gates_asked` are the queries with which the gates were; `off` is why there is no live picture; `late` is
    a status that its events still tell."""

    def __init__(self, picture: np.ndarray, film: Film) -> None:
        self.status = IDLE
        self.late: NodeStatus | None = None
        self.board = HealthReading(
            temperature_c=52.0, supply=GOOD_SUPPLY, battery=Battery(percent=81, discharging=True), load=1.2, cores=4
        )
        self.clock = ClockReading(
            source=ClockSource.CHRONY, reference="10.42.0.1", offset_ns=-200_000, uncertainty_ns=1_100_000
        )
        self.clock_verdict = Verdict.PASS
        self.storage = StorageState(
            level=Level.OK,
            minutes_left=312.0,
            free_bytes=48_200_000_000,
            deletable_bytes=0,
            bytes_per_second=1e6,
            slowest_close_s=0.1,
            slowest_sync_s=0.1,
            sentence="",
        )
        self.refuses = False
        self.gates = GATES
        self.off: str | None = None
        self.locked = False
        self.asked: list[str] = []
        self.orders: list[StartRecording] = []
        self.gates_asked: list[str] = []
        self.framing: FramingState | None = None
        self._sessions: set[str] = set()
        self._self_test = 0
        self._film = film
        self._jpeg = jpeg(Frame(picture, 0, 0))
        self._framing, drawn = assess(picture)
        self._drawn = bytes(cv2.imencode(".jpg", drawn)[1])

    def records(self, session="1795344000-0a1b2c3d4e", **more) -> None:
        more = {"frames": 25 * 754, "segments_waiting": 3} | more
        self.status = msgspec.structs.replace(IDLE, recording=session, **more)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        for route in page_routes():
            app.router.add_get(route.path, route.respond)
        answers = {
            "GET status": lambda _body: encode(self.status),
            "GET condition": lambda _body: self._condition(),
            "GET gates": lambda _body: encode(self.gates),
            "GET view": lambda _body: encode(ViewState(locked=self.locked)),
            "GET framing": lambda _body: encode(self.framing or FramingState(running=False, left_s=0)),
            "GET self-test": lambda _body: self._tested(),
            "POST self-test": lambda _body: self._testing(),
            "POST record/start": self._start,
            "POST record/stop": lambda _body: self._stop(),
            "POST mark": lambda _body: b'{"kind": "mark", "version": 1, "body": {}}',
            "POST view/lock": lambda _body: self._lock(),
            "POST framing/start": lambda _body: self._begin_framing(),
            "POST framing/stop": lambda _body: self._end_framing(),
        }
        for where, answer in answers.items():
            method, path = where.split()
            app.router.add_route(method, f"/api/v1/{path}", self._answering(where, answer))
        app.router.add_get("/api/v1/events", self._events)
        app.router.add_get("/api/v1/preview.jpg", self._picture(self._jpeg))
        app.router.add_get("/api/v1/framing.jpg", self._picture(self._drawn))
        app.router.add_get("/api/v1/live.m3u8", self._playlist)
        app.router.add_get("/api/v1/live/{part}", self._part)
        app.router.add_post("/api/v1/sign-in", self._sign_in)
        app.router.add_post("/api/v1/sign-out", self._sign_out)
        return app

    def _answering(self, where, answer):
        async def respond(request: web.Request) -> web.Response:
            if request.method == "POST":
                self.asked.append(where)
            if where == "GET gates":
                self.gates_asked.append(request.query_string)
            given = answer(await request.read())
            if isinstance(given, web.Response):
                return given
            return (
                web.Response(status=204) if given is None else web.Response(body=given, content_type="application/json")
            )

        return respond

    @web.middleware
    async def _guard(self, request, handler):
        path = request.path
        opened = path == "/" or path.startswith("/static/") or path in ("/api/v1/status", "/api/v1/sign-in")
        if not opened and request.cookies.get("operator") not in self._sessions:
            return web.Response(status=401, text="this needs the rig's token, or an operator who has signed in")
        return await handler(request)

    async def _sign_in(self, request: web.Request) -> web.Response:
        if (await request.json())["body"]["pin"] != PIN:
            return web.Response(status=403, text="this is not the node's PIN")
        answer = web.Response(status=204)
        self._sessions.add("a-secret")
        answer.set_cookie("operator", "a-secret", httponly=True, samesite="Strict")
        return answer

    async def _sign_out(self, _request: web.Request) -> web.Response:
        self._sessions.clear()
        return web.Response(status=204)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                for kind, raw in (
                    (b"node-status", encode(self.late or self.status)),
                    (b"node-condition", self._condition()),
                ):
                    await answer.write(b"event: %b\ndata: %b\n\n" % (kind, raw))
                await asyncio.sleep(0.1)
        return answer

    def _condition(self) -> bytes:
        body = {
            "node": "left",
            "at_ns": AT_NS,
            "storage": self.storage,
            "clock": self.clock,
            "clock_verdict": self.clock_verdict,
            "board": self.board,
            "segments": {},
        }
        return msgspec.json.encode({"kind": "node-condition", "version": 1, "body": body})

    def _start(self, raw: bytes):
        order = decode(raw, StartRecording)
        self.orders.append(order)
        if self.refuses and "clock" not in order.override:
            return web.Response(status=409, body=encode(self.gates), content_type="application/json")
        self.records(order.session, frames=0)
        return encode(self.status)

    def _stop(self) -> bytes:
        self.status = IDLE
        return encode(self.status)

    def _lock(self) -> bytes:
        self.locked = True
        return encode(ViewState(locked=True))

    def _begin_framing(self) -> bytes:
        self.framing = FramingState(running=True, left_s=299.0, framing=self._framing)
        return encode(self.framing)

    def _end_framing(self) -> None:
        self.framing = None

    def _testing(self) -> bytes:
        self._self_test = 2
        return b'{"kind": "self-test-state", "version": 1, "body": {"running": true, "report": null, "fault": null}}'

    def _tested(self) -> bytes:
        self._self_test -= 1
        report = SelfTestReport(node="left", at_ns=0, seconds=10, stages=GATES.gates)
        body = {"running": self._self_test > 0, "report": None if self._self_test > 0 else report, "fault": None}
        return msgspec.json.encode({"kind": "self-test-state", "version": 1, "body": body})

    async def _playlist(self, _request: web.Request) -> web.Response:
        if self.off:
            return web.Response(status=503, text=self.off)
        return web.Response(text=self._film.playlist("live"), content_type="application/vnd.apple.mpegurl")

    async def _part(self, request: web.Request) -> web.Response:
        return web.Response(body=self._film.part(request.match_info["part"]), content_type="video/iso.segment")

    def _picture(self, raw: bytes):
        async def respond(_request: web.Request) -> web.Response:
            return web.Response(body=raw, content_type="image/jpeg")

        return respond


@pytest.fixture(scope="session")
def pitch_picture() -> np.ndarray:
    """I420 planes of a camera on a mast that looks a little too high."""
    pitch = default_pitch(11)
    rig = virtual_rig("mast", pitch, 3, 960, 540)
    camera = rig.rig.cameras[1]
    x, y, z = np.asarray(camera.rotation).reshape(3, 3)[2]
    up = looking(np.degrees(np.arctan2(x, y)), np.degrees(np.arcsin(z)) + 10, 0)
    camera = msgspec.structs.replace(camera, rotation=up)
    rgb = background(camera, rig.faults[1], pitch, 3).astype(np.uint8)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)


@pytest.fixture(scope="session")
def film(pitch_picture) -> Film:
    """Four seconds of it."""
    height, width = pitch_picture.shape[0] * 2 // 3, pitch_picture.shape[1]
    made = Film("1", width, height, 10)
    coder = LibavCoder("h264", width, height, 10, most_bits_per_second=1_000_000)
    for number in range(41):
        for packet in coder.encode(Frame(pitch_picture, number * 100_000_000, number), key=number % 10 == 0):
            made.add(packet)
    return made


@pytest.fixture
def node(pitch_picture, film):
    """A running node; `url` is where."""
    made = Node(pitch_picture, film)
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(made.application(), access_log=None, shutdown_timeout=0)

    async def serve() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
