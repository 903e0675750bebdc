"""In which order a rig's nodes are told to start, with nodes that really answer."""

import asyncio
import contextlib

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hub.nodes import Node, NodeRefused, RigNodes
from wire.ids import node_id
from wire.message import encode
from wire.session import NodeStatus, StartRecording

ORDER = StartRecording(session="s1", start_ns=9)
FOREVER_S = 60.0


class Rig:
    """Three nodes, of which `middle` is the one that the others follow; `heard` is what they were told, and when they
    answered. Those in `following` answer once `middle` was told to start, those in `refusing` that they cannot."""

    def __init__(self):
        self.heard = []
        self.recording = set()
        self.following, self.refusing = set(), set()
        self._led = asyncio.Event()

    def app(self, name) -> web.Application:
        async def start(_request):
            self.heard.append(f"{name} told")
            if name == "middle":
                self._led.set()
            if name in self.following:
                await self._led.wait()
            elif name != "middle":
                # Long enough for whoever was told at the same moment to be heard.
                for _ in range(200):
                    await asyncio.sleep(0)
            self.heard.append(f"{name} answers")
            if name in self.refusing:
                return web.Response(status=409, text="the lens is covered")
            self.recording.add(name)
            return web.Response()

        async def stop(_request):
            self.recording.discard(name)
            return web.Response()

        async def status(_request):
            session = ORDER.session if name in self.recording else None
            told = NodeStatus(
                node=node_id(name), software="0", width_px=2, height_px=2, frames_per_second=25.0,
                recording=session, frames=0, frames_dropped=0, segments_waiting=0, detector="motion",
            )  # fmt: skip
            return web.Response(body=encode(told))

        app = web.Application()
        app.add_routes(
            [
                web.post("/api/v1/record/start", start),
                web.post("/api/v1/record/stop", stop),
                web.get("/api/v1/status", status),
            ]
        )
        return app

    @contextlib.asynccontextmanager
    async def nodes(self, head_start_s):
        async with contextlib.AsyncExitStack() as running:
            http = await running.enter_async_context(aiohttp.ClientSession())
            nodes = []
            for name in ("left", "middle", "right"):
                server = await running.enter_async_context(TestServer(self.app(name)))
                nodes.append(Node(node_id(name), str(server.make_url("")).rstrip("/")))
            yield RigNodes(http, nodes, "open-sesame", head_start_s=head_start_s)


@pytest.fixture
async def rig():
    return Rig()


async def test_the_camera_that_leads_is_started_once_the_others_have_answered(rig):
    async with rig.nodes(FOREVER_S) as nodes:
        await nodes.start(ORDER, {"middle"})
    assert rig.heard[-2:] == ["middle told", "middle answers"]
    assert rig.recording == {"left", "middle", "right"}


async def test_cameras_that_answer_only_in_step_get_a_head_start_and_then_their_leader(rig):
    rig.following = {"left", "right"}
    async with rig.nodes(1.0) as nodes:
        await nodes.start(ORDER, {"middle"})
    assert set(rig.heard[:2]) == {"left told", "right told"}
    assert rig.heard[2] == "middle told"
    assert rig.recording == {"left", "middle", "right"}


async def test_a_camera_that_follows_and_cannot_keeps_no_leader_from_being_asked(rig):
    rig.refusing = {"left"}
    rig.following = {"right"}
    async with rig.nodes(1.0) as nodes:
        with pytest.raises(NodeRefused, match="the lens is covered"):
            await nodes.start(ORDER, {"middle"})
    assert "middle answers" in rig.heard
    # All record, or none.
    assert rig.recording == set()


async def test_cameras_that_follow_nobody_are_started_at_once(rig):
    rig.following = {"left", "right"}
    async with rig.nodes(FOREVER_S) as nodes:
        await nodes.start(ORDER)
    assert rig.recording == {"left", "middle", "right"}
