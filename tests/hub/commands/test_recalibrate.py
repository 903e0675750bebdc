"""The command against a real hub API in a thread of its own; what its pipeline does is played by the test."""

import asyncio
import io
import threading
from types import SimpleNamespace

import msgspec
import pytest
from aiohttp import web

from firmware.clock import SystemClock
from firmware.log import Log
from hub.api import CalibrationApi, SessionsApi, plain_errors
from hub.cli import main
from hub.marks import MarkBook
from hub.messages import CalibrationRequest, SessionPlan, SessionProgress, SessionRequest, Stage
from hub.sessions import Sessions
from wire.ids import node_id, session_id
from wire.match import MatchSheet, Team
from wire.message import encode
from wire.pitch import Pitch
from wire.rig import Quality, Rig

TOKEN, SESSION = "rig-token", session_id("s")
JPEG = b"\xff\xd8picture"


def plan() -> SessionPlan:
    sheet = MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))
    return SessionPlan(
        session=SESSION, start_ns=5, nodes=(node_id("left"), node_id("right")), request=SessionRequest(sheet=sheet)
    )


@pytest.fixture
def hub(tmp_path, small_rig):
    """A hub with one session that has failed. `plays(sessions, session)` is what its pipeline then does."""
    sessions = Sessions(tmp_path / "hub")
    sessions.begin(plan())
    sessions.abandon(SESSION, "no pitch")
    here = SimpleNamespace(sessions=sessions, folder=sessions.folder(SESSION), plays=None, asked=[])

    def begun(session):
        here.asked.append(sessions.plan(session).calibration)
        threading.Thread(target=here.plays, args=(sessions, session)).start()

    async def serve():
        app = web.Application(middlewares=[plain_errors(Log(io.StringIO(), SystemClock()))])
        app.add_routes(SessionsApi(sessions, MarkBook(sessions), None, TOKEN, int, bytes, print).routes())
        app.add_routes(CalibrationApi(sessions, TOKEN, begun).routes())
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        here.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        here.loop, here.end = asyncio.get_running_loop(), asyncio.Event()
        up.set()
        await here.end.wait()
        await runner.cleanup()

    up = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    up.wait()
    yield here
    here.loop.call_soon_threadsafe(here.end.set)
    thread.join()


def calibrates(rig: Rig):
    """A pipeline that finds this rig."""

    def play(sessions, session):
        folder = sessions.folder(session)
        folder.calibration.mkdir(exist_ok=True)
        for camera in rig.cameras:
            folder.still(camera.node).write_bytes(JPEG)
            folder.lines(camera.node).write_bytes(JPEG + b" with lines")
        folder.rig.write_bytes(encode(rig))
        sessions.tell(SessionProgress(session=session, stage=Stage.STITCHING))

    return play


def recalibrate(hub, *words) -> int:
    return main(["recalibrate", SESSION, "--hub", hub.url, "--token", TOKEN, *words])


def test_a_failed_session_is_calibrated_from_another_time_and_clicks_and_its_pictures_are_fetched(
    hub, small_rig, tmp_path, capsys
):
    trusted = msgspec.structs.replace(small_rig, quality=Quality(lines_px=0.31, trusted=True))
    hub.plays = calibrates(trusted)
    clicks = tmp_path / "clicks.csv"
    clicks.write_text("camera,x_m,y_m,u_px,v_px\n0,0,0,10,20\n")
    words = ["--at", "95", "--clicks", str(clicks), "--lens", "cm3", "--lines", str(tmp_path / "lines")]
    assert recalibrate(hub, *words) == 0
    [asked] = hub.asked
    assert (asked.at_s, asked.lens_degrees, len(asked.clicks)) == (95.0, 66.0, 1)
    heard = capsys.readouterr()
    assert "lines: 0.31 px" in heard.out
    assert "session s: calibrated" in heard.out
    assert {path.name: path.read_bytes() for path in (tmp_path / "lines").iterdir()} == {
        f"{node}{kind}.jpg": JPEG + more
        for node in ("left", "right")
        for kind, more in (("", b""), ("-lines", b" with lines"))
    }


def test_a_rig_that_is_not_to_be_trusted_exits_with_one(hub, small_rig, capsys):
    hub.plays = calibrates(small_rig)
    assert recalibrate(hub) == 1
    assert "NOT to be trusted" in capsys.readouterr().out


def test_a_pitch_that_was_not_found_is_told_with_the_hubs_words_and_leaves_the_pictures_to_click_in(
    hub, tmp_path, capsys
):
    def fails(sessions, session):
        folder = sessions.folder(session)
        folder.calibration.mkdir(exist_ok=True)
        folder.still("left").write_bytes(JPEG)
        sessions.abandon(session, "camera 0: the lines were not recognised")

    hub.plays = fails
    assert recalibrate(hub, "--lines", str(tmp_path / "lines")) == 2
    assert "camera 0: the lines were not recognised" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "lines").iterdir()] == ["left.jpg"]


def test_a_session_at_work_is_left_alone_and_nothing_of_it_is_lost(hub, capsys):
    hub.folder.rig.write_bytes(b"as it was")
    hub.sessions.tell(SessionProgress(session=SESSION, stage=Stage.STITCHING))
    assert recalibrate(hub) == 2
    assert "session s is still at work (stitching)" in capsys.readouterr().err
    assert hub.folder.rig.read_bytes() == b"as it was"
    assert hub.asked == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--token", "wrong"], "this needs the rig's token"),
        (["--at", "-1"], "--at takes seconds"),
        (["--at", "nan"], "--at takes seconds"),
        (["--lens", "fisheye"], "'fisheye' is no lens"),
        (["--lines", "/nowhere/lines"], "there is no folder /nowhere"),
        (["--hub", "http://127.0.0.1:9"], "does not answer"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_changed(hub, words, told, capsys):
    assert recalibrate(hub, *words) == 2
    assert told in capsys.readouterr().err
    assert hub.sessions.progress(SESSION).stage is Stage.FAILED


def test_an_unknown_session_is_told(hub, capsys):
    assert main(["recalibrate", "other", "--hub", hub.url, "--token", TOKEN]) == 2
    assert "the hub does not know this session" in capsys.readouterr().err


def test_a_request_without_a_time_of_a_session_is_not_taken(hub):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"at_s": -5}', type=CalibrationRequest)
