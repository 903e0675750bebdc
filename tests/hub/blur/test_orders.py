"""Orders to blur on the hub: fetched from a viewer that comes and goes, and taken to finished sessions."""

import asyncio
import hashlib
import io

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from firmware.clock import SystemClock
from firmware.log import Log
from hub.blur.orders import BlurWatch
from hub.messages import BlurredTracks, SessionPlan, SessionProgress, SessionRequest, Stage
from hub.sessions import Sessions, blurred_tracks
from wire.ids import node_id, session_id
from wire.match import MatchSheet, Team
from wire.message import decode, encode
from wire.pitch import Pitch
from wire.privacy import BlurOrders, HiddenTracks

SESSION, TRACKS = session_id("s"), b"pitch tracks"
FITTING = hashlib.sha256(TRACKS).hexdigest()


class Viewer:
    """A portal's route; it counts what it sent in full."""

    def __init__(self, orders: BlurOrders) -> None:
        self.orders, self.sent, self.keys = orders, 0, []

    async def answer(self, request):
        self.keys.append(request.headers.get("Authorization"))
        body = encode(self.orders)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        self.sent += 1
        return web.Response(body=body, headers={"ETag": tag})


@pytest.fixture
def sessions(tmp_path):
    sessions = Sessions(tmp_path / "sessions")
    sheet = MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))
    request = SessionRequest(sheet=sheet)
    sessions.begin(SessionPlan(session=SESSION, start_ns=5, nodes=(node_id("left"),), request=request))
    sessions.folder(SESSION).tracks.write_bytes(TRACKS)
    sessions.tell(SessionProgress(session=SESSION, stage=Stage.DONE))
    return sessions


def ordered(*tracks: int, sha256: str = FITTING) -> BlurOrders:
    return BlurOrders(sessions=(HiddenTracks(SESSION, sha256, tracks),))


async def watched(sessions, tmp_path, viewer: Viewer | None, rounds: int = 1) -> list[str]:
    """Let a hub look so many times; returns the sessions that were begun."""
    begun: list[str] = []
    app = web.Application()
    if viewer is not None:
        app.router.add_get("/api/v1/blur", viewer.answer)
    left = rounds

    async def sleep(_seconds: float) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise asyncio.CancelledError

    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        url = str(server.make_url("")).rstrip("/")
        log = Log(io.StringIO(), SystemClock())
        watch = BlurWatch(http, url, "key", tmp_path / "blur.json", sessions, log, begun.append, sleep)
        with pytest.raises(asyncio.CancelledError):
            await watch.run()
    return begun


async def test_an_order_takes_a_finished_session_through_the_pipeline_once_more(sessions, tmp_path):
    viewer = Viewer(ordered(3, 8))
    assert await watched(sessions, tmp_path, viewer) == [SESSION]
    folder = sessions.folder(SESSION)
    assert blurred_tracks(folder.blur) == {3, 8}
    assert sessions.progress(SESSION).stage is Stage.BLURRING
    assert sessions.unfinished() == [SESSION]
    assert viewer.keys == ["Bearer key"]
    folder.blurred.write_bytes(encode(BlurredTracks(tracks=(3, 8))))
    sessions.tell(SessionProgress(session=SESSION, stage=Stage.DONE))
    assert await watched(sessions, tmp_path, viewer) == []
    # Another track of the player comes on top of what is blurred.
    viewer.orders = ordered(9)
    assert await watched(sessions, tmp_path, viewer) == [SESSION]
    assert blurred_tracks(folder.blur) == {3, 8, 9}


async def test_what_is_known_is_not_sent_again_and_stays_on_disk(sessions, tmp_path):
    viewer = Viewer(ordered(3))
    await watched(sessions, tmp_path, viewer, rounds=3)
    assert viewer.sent == 1
    assert decode((tmp_path / "blur.json").read_bytes(), BlurOrders) == ordered(3)


async def test_a_hub_without_its_viewer_goes_on_by_what_it_heard_last(sessions, tmp_path):
    (tmp_path / "blur.json").write_bytes(encode(ordered(3)))
    assert await watched(sessions, tmp_path, None) == [SESSION]


async def test_a_session_at_work_is_taken_up_when_it_is_done(sessions, tmp_path):
    sessions.tell(SessionProgress(session=SESSION, stage=Stage.PUSHING))
    assert await watched(sessions, tmp_path, Viewer(ordered(3))) == []
    assert sessions.progress(SESSION).stage is Stage.PUSHING
    sessions.tell(SessionProgress(session=SESSION, stage=Stage.DONE))
    assert await watched(sessions, tmp_path, Viewer(ordered(3))) == [SESSION]


async def test_numbers_of_other_tracks_and_sessions_blur_nobody(sessions, tmp_path):
    assert await watched(sessions, tmp_path, Viewer(ordered(3, sha256="00" * 32))) == []
    unknown = BlurOrders(sessions=(HiddenTracks(session_id("other"), FITTING, (3,)),))
    assert await watched(sessions, tmp_path, Viewer(unknown)) == []
    assert not sessions.folder(SESSION).blur.exists()


async def test_nonsense_of_a_viewer_leaves_what_was_heard_before(sessions, tmp_path):
    class Broken(Viewer):
        async def answer(self, request):
            return web.Response(body=b"<html>")

    (tmp_path / "blur.json").write_bytes(encode(ordered(3)))
    await watched(sessions, tmp_path, Broken(ordered(3)))
    assert decode((tmp_path / "blur.json").read_bytes(), BlurOrders) == ordered(3)
