"""Packages on their way to a viewer that comes and goes: a real tus server, a real client."""

import asyncio
import io
import os

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from firmware.clock import SystemClock
from firmware.log import Log
from hub.messages import SessionPlan, SessionProgress, SessionRequest, Stage
from hub.push import Deliveries
from hub.sessions import Sessions
from wire.ids import node_id, session_id
from wire.match import MatchSheet, Team
from wire.pitch import Pitch
from wire.tus.protocol import TusProtocol, TusRequest
from wire.tus.store import UploadStore

SESSION = session_id("s")
KEY = "Bearer key"


class Viewer:
    """A portal's upload route: real tus, the device key checked, and a line that can be cut after some bytes."""

    def __init__(self, root):
        self.received = {}
        self.cut_after = None
        self.bytes_in = 0
        store = UploadStore(root, SystemClock().now_ns, os.urandom)
        self._tus = TusProtocol(
            store, "/api/v1/uploads", on_create=lambda *_: None, on_complete=self._take, max_bytes=1 << 30
        )

    async def _take(self, upload):
        self.received[upload.record.metadata["session"]] = upload.path.read_bytes()

    def app(self):
        app = web.Application()
        for path in ("/api/v1/uploads", "/api/v1/uploads/{upload}"):
            app.router.add_route("*", path, self._handle)
        return app

    async def _handle(self, request):
        if request.headers.get("Authorization") != KEY:
            return web.Response(status=401, text="no such device")
        answer = await self._tus.handle(
            TusRequest(
                request.method, request.match_info.get("upload", ""), request.headers, self._body(request), "hub"
            )
        )
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body or None)

    async def _body(self, request):
        async for chunk in request.content.iter_any():
            self.bytes_in += len(chunk)
            if self.cut_after is not None and self.bytes_in > self.cut_after:
                request.transport.abort()
            yield chunk


@pytest.fixture
def sessions(tmp_path):
    sessions = Sessions(tmp_path / "sessions")
    sheet = MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))
    sessions.begin(
        SessionPlan(session=SESSION, start_ns=5, nodes=(node_id("left"),), request=SessionRequest(sheet=sheet))
    )
    sessions.folder(SESSION).package.write_bytes(os.urandom(20 << 20))
    sessions.tell(SessionProgress(session=SESSION, stage=Stage.PUSHING))
    return sessions


async def delivered(sessions, url, key="key", until=None, limit_s=30):
    """Run deliveries until the session is done, or `until()`; returns the log."""
    out = io.StringIO()

    async def short(_seconds):
        await asyncio.sleep(0.005)

    async with aiohttp.ClientSession() as http:
        deliveries = Deliveries(http, url, key, sessions, Log(out, SystemClock()), lambda: 0.5, short)
        task = asyncio.create_task(deliveries.run())
        try:
            async with asyncio.timeout(limit_s):
                while not (until() if until else sessions.progress(SESSION).stage is Stage.DONE):
                    assert not task.done(), task.exception()
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return out.getvalue()


async def test_a_package_reaches_the_viewer_whole_and_the_session_is_done(sessions, tmp_path):
    viewer = Viewer(tmp_path / "viewer")
    async with TestServer(viewer.app()) as server:
        await delivered(sessions, str(server.make_url("")).rstrip("/"))
    assert viewer.received[SESSION] == sessions.folder(SESSION).package.read_bytes()
    assert "push" in sessions.progress(SESSION).costs


async def test_a_hub_restarted_in_the_middle_sends_only_the_rest(sessions, tmp_path):
    viewer = Viewer(tmp_path / "viewer")
    size = sessions.folder(SESSION).package.stat().st_size
    viewer.cut_after = 12 << 20
    async with TestServer(viewer.app()) as server:
        url = str(server.make_url("")).rstrip("/")
        await delivered(sessions, url, until=lambda: viewer.bytes_in > viewer.cut_after)
        viewer.cut_after, viewer.bytes_in = None, 0
        again = Sessions(tmp_path / "sessions")
        await delivered(again, url, until=lambda: again.progress(SESSION).stage is Stage.DONE)
    assert viewer.received[SESSION] == sessions.folder(SESSION).package.read_bytes()
    assert viewer.bytes_in < size - (6 << 20)


async def test_while_the_viewer_is_away_the_package_waits_and_the_loop_goes_on(sessions, tmp_path, unused_tcp_port):
    viewer = Viewer(tmp_path / "viewer")
    tries = []
    url = f"http://127.0.0.1:{unused_tcp_port}"
    waiting = asyncio.create_task(delivered(sessions, url))
    for _ in range(20):
        await asyncio.sleep(0.01)
        tries.append(sessions.progress(SESSION).stage)
    assert set(tries) == {Stage.PUSHING}
    async with TestServer(viewer.app(), port=unused_tcp_port):
        log = await waiting
    assert "event=push-waits" in log
    assert SESSION in viewer.received


async def test_a_refused_key_loses_nothing(sessions, tmp_path):
    viewer = Viewer(tmp_path / "viewer")
    async with TestServer(viewer.app()) as server:
        url = str(server.make_url("")).rstrip("/")
        with pytest.raises(TimeoutError):
            await delivered(sessions, url, key="revoked", limit_s=0.5)
        assert sessions.progress(SESSION).stage is Stage.PUSHING
        await delivered(sessions, url)
    assert SESSION in viewer.received
