"""The hub's own API against real HTTP, with nodes that really answer."""

import asyncio
import io

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from firmware.clock import SystemClock
from firmware.log import Log
from hub.api import SessionsApi, plain_errors
from hub.api.routes import LEAD_NS
from hub.marks import MarkBook
from hub.messages import SessionPlan, SessionProgress, SessionRequest, Stage
from hub.nodes import Node, RigNodes
from hub.sessions import Sessions
from wire.ids import node_id
from wire.marks import Mark, NodeMarks
from wire.match import MatchSheet, Team
from wire.message import decode, encode
from wire.pitch import Pitch
from wire.readiness import Finding, GateReport, Verdict
from wire.rigtime import SECOND
from wire.session import NodeStatus, StartRecording, Sync

TOKEN = "rig-token"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
REQUEST = encode(SessionRequest(sheet=MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))))


class FakeNode:
    """A node's API as the hub knows it: status, start, stop; it checks the token as a real one does."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.recording = None
        self.orders: list[StartRecording] = []
        self.told: list[str] = []
        self.sync = Sync.OFF
        self.refuses = ""
        self.gates: GateReport | None = None
        self.asked = asyncio.Event()
        self.waits_for = self.asked
        """What has to come before it says how it is."""

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/v1/status", self.status),
                web.post("/api/v1/record/start", self.start),
                web.post("/api/v1/record/stop", self.stop),
            ]
        )
        return app

    async def status(self, _request):
        self.asked.set()
        await self.waits_for.wait()
        status = NodeStatus(
            node=node_id(self.name), software="0", width_px=2, height_px=2, frames_per_second=25.0,
            recording=self.recording, frames=0, frames_dropped=0, segments_waiting=0, detector="motion",
            sync=self.sync,
        )  # fmt: skip
        return web.Response(body=encode(status))

    async def start(self, request):
        if request.headers.get("Authorization") != AUTH["Authorization"]:
            return web.Response(status=401)
        if self.refuses:
            return web.Response(status=503, text=self.refuses)
        if self.gates:
            return web.Response(status=409, body=encode(self.gates), content_type="application/json")
        order = decode(await request.read(), StartRecording)
        self.orders.append(order)
        self.told.append(self.name)
        self.recording = order.session
        return web.Response()

    async def stop(self, _request):
        self.recording = None
        return web.Response()


@pytest.fixture
async def rig(tmp_path):
    """A hub's API with two nodes: (client, nodes, sessions, begun)."""
    fakes = [FakeNode("left"), FakeNode("right")]
    servers = [TestServer(fake.app()) for fake in fakes]
    for server in servers:
        await server.start_server()
    begun = []
    log = io.StringIO()
    async with aiohttp.ClientSession() as http:
        nodes = [Node(node_id(f.name), str(s.make_url("")).rstrip("/")) for f, s in zip(fakes, servers, strict=True)]
        sessions = Sessions(tmp_path)
        api = SessionsApi(
            sessions,
            MarkBook(sessions),
            RigNodes(http, nodes, TOKEN),
            TOKEN,
            lambda: client.now_ns,
            lambda n: b"\x07" * n,
            begun.append,
        )
        app = web.Application(middlewares=[plain_errors(Log(log, SystemClock()))])
        app.add_routes(api.routes())
        async with TestClient(TestServer(app)) as client:
            client.log, client.now_ns = log, 10**18
            client.nodes = servers
            yield client, fakes, sessions, begun
    for server in servers:
        await server.close()


async def test_a_session_starts_every_node_with_the_same_zero(rig):
    client, fakes, sessions, begun = rig
    answer = await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)
    assert answer.status == 201
    plan = decode(await answer.read(), SessionPlan)
    assert plan.nodes == ("left", "right")
    assert [fake.orders for fake in fakes] == [[StartRecording(session=plan.session, start_ns=plan.start_ns)]] * 2
    assert begun == [plan.session]
    assert sessions.plan(plan.session) == plan
    progress = await client.get(f"/api/v1/sessions/{plan.session}", headers=AUTH)
    assert decode(await progress.read(), SessionProgress).stage is Stage.RECORDING


async def test_when_one_node_refuses_none_records_and_the_reason_is_told(rig):
    client, fakes, sessions, begun = rig
    fakes[1].refuses = "the camera gives no picture"
    answer = await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)
    assert answer.status == 502
    assert "node right refused" in await answer.text()
    assert "the camera gives no picture" in await answer.text()
    assert fakes[0].recording is None
    assert begun == []
    assert sessions.unfinished() == []


async def test_a_closed_gate_is_told_in_its_own_sentence(rig):
    client, fakes, _, begun = rig
    full = Finding(code="disk", verdict=Verdict.FAIL, sentence="the disk is full: make room")
    fakes[1].gates = GateReport(node=node_id("right"), at_ns=1, gates=(full,))
    answer = await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)
    assert (answer.status, await answer.text()) == (
        502,
        "node right refused (409): the disk is full: make room (disk)",
    )
    assert fakes[0].recording is None
    assert begun == []


async def test_what_is_planned_and_overridden_reaches_every_node(rig):
    client, fakes, _, _ = rig
    asked = msgspec.structs.replace(decode(REQUEST, SessionRequest), planned_minutes=70, override=("clock",))
    answer = await client.post("/api/v1/sessions", data=encode(asked), headers=AUTH)
    assert answer.status == 201
    assert [(o.planned_minutes, o.override) for fake in fakes for o in fake.orders] == [(70, ("clock",))] * 2


async def test_the_camera_that_the_others_follow_is_started_last(rig):
    client, fakes, _, _ = rig
    fakes[0].sync, fakes[1].sync = Sync.SERVER, Sync.CLIENT
    # One list for both.
    fakes[0].told = fakes[1].told = told = []
    assert (await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)).status == 201
    assert told == ["right", "left"]


async def test_a_node_that_already_records_is_left_alone(rig):
    client, fakes, _, _ = rig
    fakes[0].recording = "earlier"
    answer = await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)
    assert answer.status == 502
    assert "already records session earlier" in await answer.text()
    assert fakes[0].recording == "earlier"
    assert fakes[1].orders == []


async def test_a_node_that_already_records_is_told_while_another_one_is_silent(rig):
    client, fakes, _, begun = rig
    fakes[0].waits_for = asyncio.Event()
    fakes[1].recording = "earlier"
    answer = await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)
    assert (answer.status, begun) == (502, [])
    assert "node right already records session earlier" in await answer.text()
    fakes[0].waits_for.set()


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/sessions"), ("GET", "/api/v1/nodes")])
async def test_no_node_is_asked_how_it_is_only_after_another_has_answered(rig, method, path):
    client, fakes, _, _ = rig
    # Each answers once the other has been asked, too.
    fakes[0].waits_for, fakes[1].waits_for = fakes[1].asked, fakes[0].asked
    answer = await client.request(method, path, data=REQUEST, headers=AUTH)
    assert answer.status in (200, 201)
    told = await answer.text()
    assert all(f'"{fake.name}"' in told for fake in fakes)


async def test_a_sessions_zero_is_ahead_of_it_however_long_a_node_took_to_say_how_it_is(rig):
    client, fakes, _, _ = rig
    fakes[0].waits_for = asyncio.Event()
    start = asyncio.create_task(client.post("/api/v1/sessions", data=REQUEST, headers=AUTH))
    await fakes[0].asked.wait()
    client.now_ns += 12 * SECOND
    fakes[0].waits_for.set()
    plan = decode(await (await start).read(), SessionPlan)
    assert plan.start_ns == client.now_ns + LEAD_NS


async def test_stopping_a_session_stops_the_nodes(rig):
    client, fakes, _, _ = rig
    plan = decode(await (await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)).read(), SessionPlan)
    assert (await client.post(f"/api/v1/sessions/{plan.session}/stop", headers=AUTH)).status == 200
    assert [fake.recording for fake in fakes] == [None, None]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v1/sessions"), ("GET", "/api/v1/sessions"), ("GET", "/api/v1/sessions/x"),
     ("POST", "/api/v1/sessions/x/stop"), ("POST", "/api/v1/sessions/x/marks"), ("GET", "/api/v1/nodes")],
)  # fmt: skip
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Bearer \udcff"}]
)
async def test_nobody_without_the_token_is_answered(rig, method, path, headers):
    client, fakes, _, begun = rig
    assert (await client.request(method, path, data=REQUEST, headers=headers)).status == 401
    assert begun == []
    assert all(fake.orders == [] for fake in fakes)


async def test_every_route_of_the_api_is_among_the_guarded_ones_tested(tmp_path):
    sessions = Sessions(tmp_path)
    api = SessionsApi(sessions, MarkBook(sessions), None, TOKEN, int, bytes, print)
    assert len(api.routes()) == 6


async def test_unknown_sessions_and_unreadable_requests_get_a_sentence(rig):
    client, _, _, _ = rig
    answer = await client.get("/api/v1/sessions/unknown", headers=AUTH)
    assert (answer.status, await answer.text()) == (404, "this hub has no session unknown")
    answer = await client.post("/api/v1/sessions", data=b"{}", headers=AUTH)
    assert answer.status == 400
    assert "not a readable session-request" in await answer.text()
    assert (await client.get("/api/v1/sessions/..%2Fx", headers=AUTH)).status == 400


async def test_a_silent_node_is_told_as_null_in_the_rigs_state(rig):
    client, _, _, _ = rig
    await client.nodes[1].close()
    states = await (await client.get("/api/v1/nodes", headers=AUTH)).json()
    assert states[0]["body"]["node"] == "left"
    assert states[1] is None


async def test_two_starts_at_once_give_one_session_and_leave_it_recording(rig):
    client, fakes, _, begun = rig
    answers = await asyncio.gather(*(client.post("/api/v1/sessions", data=REQUEST, headers=AUTH) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [201, 502]
    assert [fake.recording for fake in fakes] == begun * 2


async def test_stopping_an_old_session_leaves_the_running_one_alone(rig):
    client, fakes, _, _ = rig
    old = decode(await (await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)).read(), SessionPlan)
    for fake in fakes:
        fake.recording = "another"
    assert (await client.post(f"/api/v1/sessions/{old.session}/stop", headers=AUTH)).status == 200
    assert [fake.recording for fake in fakes] == ["another", "another"]


async def test_a_node_that_cannot_be_told_to_stop_is_named(rig):
    client, _, _, _ = rig
    plan = decode(await (await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)).read(), SessionPlan)
    await client.nodes[1].close()
    answer = await client.post(f"/api/v1/sessions/{plan.session}/stop", headers=AUTH)
    assert answer.status == 502
    assert "right" in await answer.text()


async def test_an_unforeseen_fault_is_one_line_in_the_log_and_a_sentence_outside(rig, monkeypatch):
    client, _, sessions, _ = rig
    monkeypatch.setattr(sessions, "known", lambda: 1 / 0)
    answer = await client.get("/api/v1/sessions", headers=AUTH)
    assert (answer.status, await answer.text()) == (500, "the hub could not do that; its log tells more")
    assert client.log.getvalue().count("event=request-failed") == 1
    assert "Traceback" not in client.log.getvalue()


def marks_of(session, node="left", *times_ns):
    marks = tuple(Mark(session=session, node=node_id(node), time_ns=time_ns) for time_ns in times_ns)
    return NodeMarks(session=session, node=node_id(node), marks=marks)


async def test_marks_that_are_brought_join_those_known_and_may_be_brought_again(rig):
    client, _, sessions, _ = rig
    plan = decode(await (await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)).read(), SessionPlan)
    book = MarkBook(sessions)
    book.take(plan.session, marks_of(plan.session, "right", 8).marks)
    for _ in range(2):
        for times_ns in ((7,), (7, 9)):
            answer = await client.post(
                f"/api/v1/sessions/{plan.session}/marks",
                data=encode(marks_of(plan.session, "left", *times_ns)),
                headers=AUTH,
            )
            assert (answer.status, await answer.text()) == (204, "")
        assert [(mark.node, mark.time_ns) for mark in book.of(plan.session)] == [("left", 7), ("right", 8), ("left", 9)]


@pytest.mark.parametrize(
    ("node", "body_of", "path_of", "status", "says"),
    [
        ("left", "another", "{}", 400, "these marks are of session another, not of "),
        ("left", "another", "another", 404, "this hub has no session another"),
        ("stranger", "{}", "{}", 409, "node stranger is none of session "),
        ("left", "{}", "..%2Fx", 400, "'../x' is not a session id"),
    ],
)
async def test_marks_of_what_this_rig_did_not_record_are_refused_in_words(rig, node, body_of, path_of, status, says):
    client, _, sessions, _ = rig
    plan = decode(await (await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)).read(), SessionPlan)
    answer = await client.post(
        f"/api/v1/sessions/{path_of.format(plan.session)}/marks",
        data=encode(marks_of(body_of.format(plan.session), node, 7)),
        headers=AUTH,
    )
    assert answer.status == status
    assert says in await answer.text()
    assert MarkBook(sessions).of(plan.session) == []


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw.replace(b'"time_ns":7', b'"time_ns":"7"')])
async def test_what_is_no_list_of_a_nodes_marks_is_refused_in_words(rig, spoil):
    client, _, sessions, _ = rig
    plan = decode(await (await client.post("/api/v1/sessions", data=REQUEST, headers=AUTH)).read(), SessionPlan)
    answer = await client.post(
        f"/api/v1/sessions/{plan.session}/marks", data=spoil(encode(marks_of(plan.session, "left", 7))), headers=AUTH
    )
    assert answer.status == 400
    assert "not a readable" in await answer.text()
    assert MarkBook(sessions).of(plan.session) == []
