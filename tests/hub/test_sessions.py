import pytest

from hub.errors import HubError, ViewsDoNotFit
from hub.messages import CalibrationRequest, SessionPlan, SessionProgress, SessionRequest, Stage
from hub.sessions import NoSuchSession, SessionAtWork, Sessions
from wire.clicks import Click
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


def made(folder):
    """Something of everything that is made of a recording."""
    files = (folder.rig, folder.archive, folder.poster, folder.tracks, folder.tracks_csv, folder.events)
    for path in (*files, folder.events_csv, folder.package, folder.upload):
        path.write_bytes(b"made")
    for path in (folder.panorama, folder.clips):
        path.mkdir()
        (path / "part").write_bytes(b"made")


def test_a_session_that_starts_over_keeps_what_was_made_until_the_pipeline_clears_it_and_its_marks_for_ever(tmp_path):
    sessions = Sessions(tmp_path)
    sessions.begin(plan("one"))
    folder = sessions.folder(session_id("one"))
    made(folder)
    folder.marks.write_bytes(b"marks")
    sessions.tell(SessionProgress(session=session_id("one"), stage=Stage.DONE, warnings=("odd",)))
    asked = CalibrationRequest(at_s=60.0)
    sessions.start_over(session_id("one"), asked)
    assert folder.package.exists()
    again = Sessions(tmp_path)
    assert again.unfinished() == ["one"]
    assert again.plan(session_id("one")).calibration == asked
    assert again.progress(session_id("one")).warnings == ()
    folder.clear()
    assert {path.name for path in folder.root.iterdir()} == {"plan.json", "progress.json", "marks.json", "start-over"}


def test_clicks_for_a_camera_that_the_session_has_not_are_refused_before_anything_is_changed(tmp_path):
    sessions = Sessions(tmp_path)
    sessions.begin(plan("one"))
    sessions.abandon(session_id("one"), "no pitch")
    with pytest.raises(ViewsDoNotFit, match="cameras only from 0 to 0"):
        sessions.start_over(session_id("one"), CalibrationRequest(clicks=(Click(1, 0.0, 0.0, 5.0, 5.0),)))
    assert sessions.unfinished() == []
    assert not sessions.folder(session_id("one")).over.exists()


def test_what_is_told_of_the_cameras_is_known_to_the_next_process(tmp_path):
    sessions = Sessions(tmp_path)
    sessions.begin(plan("one"))
    for warnings in ((), ("camera left was knocked",)):
        sessions.tell(SessionProgress(session=session_id("one"), stage=Stage.STITCHING, warnings=warnings))
    assert Sessions(tmp_path).progress(session_id("one")).warnings == ("camera left was knocked",)


@pytest.mark.parametrize("stage", [s for s in Stage if s not in (Stage.DONE, Stage.FAILED)])
def test_a_session_at_work_does_not_start_over(tmp_path, stage):
    sessions = Sessions(tmp_path)
    sessions.begin(plan("one"))
    made(sessions.folder(session_id("one")))
    sessions.tell(SessionProgress(session=session_id("one"), stage=stage))
    with pytest.raises(SessionAtWork, match="wait until it is done"):
        sessions.start_over(session_id("one"), CalibrationRequest())
    assert sessions.folder(session_id("one")).package.exists()
    assert sessions.plan(session_id("one")).calibration is None
