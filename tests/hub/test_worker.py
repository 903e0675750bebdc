import io
import threading

import pytest

from firmware.clock import SystemClock
from firmware.log import Log
from hub.errors import HubError, Interrupted
from hub.messages import SessionPlan, SessionRequest, Stage
from hub.panorama.timeline import Arrivals
from hub.sessions import Sessions
from hub.worker import Worker
from wire.ids import node_id, session_id
from wire.match import MatchSheet, Team
from wire.pitch import Pitch

ONE, TWO = session_id("one"), session_id("two")


class ScriptedPipeline:
    """Does for each session what its script says, in turn: a fault to raise, or None to go through."""

    def __init__(self, **scripts):
        self.scripts = {name: list(script) for name, script in scripts.items()}
        self.ran = []
        self.all_done = threading.Event()

    def run(self, session):
        self.ran.append(session)
        fault = self.scripts[session].pop(0)
        if not any(self.scripts.values()):
            self.all_done.set()
        if fault is not None:
            raise fault


@pytest.fixture
def run(tmp_path):
    sessions, arrivals, out, broken = Sessions(tmp_path), Arrivals(), io.StringIO(), threading.Event()
    sheet = MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))
    for session in (ONE, TWO):
        request = SessionRequest(sheet=sheet)
        sessions.begin(SessionPlan(session=session, start_ns=5, nodes=(node_id("left"),), request=request))

    def through(pipeline, stopping=False):
        log = Log(out, SystemClock())
        worker = Worker(pipeline, sessions, arrivals, log, broken.set, retry_s=0.01)
        if stopping:
            arrivals.stop()
        worker.start()
        assert pipeline.all_done.wait(10)
        assert worker.stop(10)
        return sessions, out.getvalue(), broken

    return through


def test_a_session_that_cannot_be_finished_says_why_and_does_not_stop_the_next(run):
    sessions, log, _ = run(ScriptedPipeline(one=[HubError("no picture")], two=[None]))
    assert (sessions.progress(ONE).stage, sessions.progress(ONE).note) == (Stage.FAILED, "no picture")
    assert "event=packed session=two" in log


def test_an_unforeseen_fault_is_logged_in_one_line_with_its_place(run):
    sessions, log, _ = run(ScriptedPipeline(one=[KeyError("x")], two=[None]))
    assert sessions.progress(ONE).stage is Stage.FAILED
    assert "at=test_worker.py:" in log
    assert "Traceback" not in log


def test_a_full_disk_ends_no_match_it_is_tried_again(run):
    pipeline = ScriptedPipeline(one=[OSError(28, "no space"), MemoryError(), None], two=[None])
    sessions, _, _ = run(pipeline)
    assert pipeline.ran.count(ONE) == 3
    assert sessions.progress(ONE).stage is Stage.RECORDING


@pytest.mark.parametrize("fault", [Interrupted("stopping"), HubError("torn down"), RuntimeError("cancelled")])
def test_whatever_breaks_while_the_hub_stops_marks_no_match_as_failed(run, fault):
    sessions, _, _ = run(ScriptedPipeline(one=[fault], two=[fault]), stopping=True)
    assert sessions.unfinished() == [ONE, TWO]


def test_a_thread_that_cannot_go_on_is_told_to_the_process(tmp_path):
    sessions, broken = Sessions(tmp_path), threading.Event()
    worker = Worker(ScriptedPipeline(), sessions, Arrivals(), Log(io.StringIO(), SystemClock()), broken.set)
    worker._waiting.get = lambda timeout=None: 1 / 0
    worker.start()
    assert broken.wait(10)
