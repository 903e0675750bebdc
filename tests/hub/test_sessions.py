import pytest

from hub.errors import HubError
from hub.messages import SessionPlan, SessionProgress, SessionRequest, Stage
from hub.sessions import NoSuchSession, Sessions
from wire.errors import BadId
from wire.ids import node_id, session_id
from wire.match import MatchSheet, Team
from wire.pitch import Pitch

SHEET = MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))


def plan(name: str) -> SessionPlan:
    return SessionPlan(
        session=session_id(name), start_ns=5, nodes=(node_id("left"),), request=SessionRequest(sheet=SHEET)
    )


def test_a_begun_session_is_remembered_by_the_next_process(tmp_path):
    Sessions(tmp_path).begin(plan("one"))
    again = Sessions(tmp_path)
    assert again.plan(session_id("one")) == plan("one")
    assert again.unfinished() == ["one"]
    assert again.progress(session_id("one")).stage is Stage.RECORDING


def test_what_is_done_or_failed_is_not_taken_up_again(tmp_path):
    sessions = Sessions(tmp_path)
    for name in ("one", "two", "three"):
        sessions.begin(plan(name))
    sessions.tell(SessionProgress(session=session_id("one"), stage=Stage.DONE))
    sessions.abandon(session_id("two"), "no picture")
    assert Sessions(tmp_path).unfinished() == ["three"]
    assert Sessions(tmp_path).progress(session_id("two")).note == "no picture"


def test_progress_within_a_stage_is_told_at_once(tmp_path):
    sessions = Sessions(tmp_path)
    sessions.begin(plan("one"))
    for done in (1, 2):
        sessions.tell(SessionProgress(session=session_id("one"), stage=Stage.STITCHING, windows_done=done))
    assert sessions.progress(session_id("one")).windows_done == 2


@pytest.mark.parametrize("left", [b"", b"{", b'{"kind": "tracks"}'])
def test_a_session_whose_progress_cannot_be_read_starts_over(tmp_path, left):
    sessions = Sessions(tmp_path)
    sessions.begin(plan("one"))
    sessions.tell(SessionProgress(session=session_id("one"), stage=Stage.PUSHING))
    sessions.folder(session_id("one")).progress.write_bytes(left)
    again = Sessions(tmp_path)
    assert again.unfinished() == ["one"]
    assert again.progress(session_id("one")).stage is Stage.RECORDING


def test_an_unknown_session_is_told_in_words_and_makes_no_folder(tmp_path):
    sessions = Sessions(tmp_path)
    with pytest.raises(NoSuchSession) as fault:
        sessions.progress(session_id("nope"))
    assert str(fault.value) == "this hub has no session nope"
    assert isinstance(fault.value, HubError)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path):
    with pytest.raises(BadId):
        Sessions(tmp_path).folder("../outside")
