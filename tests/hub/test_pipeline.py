import hashlib
import io
import shutil
import tarfile
from fractions import Fraction

import av
import cv2
import msgspec
import numpy as np
import pytest

from firmware.clock import SystemClock
from firmware.log import Log
from hub import eye, pipeline
from hub.errors import HubError, PitchNotFound
from hub.eye import SessionEye
from hub.messages import CalibrationRequest, SessionPlan, SessionRequest, Stage
from hub.package import HEAD
from hub.panorama import vision
from hub.panorama.conveyor import CostBook
from hub.panorama.footage import StoredSegment
from hub.panorama.timeline import Arrivals
from hub.panorama.writer import rigs_later
from hub.pipeline import Pipeline
from hub.sessions import SessionFolder, Sessions
from wire.events import Event, EventType
from wire.ids import session_id
from wire.match import MatchPackage, MatchSheet, Team
from wire.message import decode
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track
from wire.rig import CameraModel, Rig
from wire.rigtime import SECOND
from wire.tracks import SegmentTracks, encode_tracks

SESSION, START = session_id("s"), 1_000 * SECOND
RATE = 5
HIDDEN = 3


class Recorded:
    """A shelf with whole sessions of still pictures, five a second."""

    def __init__(self, root):
        self._root = root
        self._segments: dict[str, list[StoredSegment]] = {}

    def record(self, node, pictures):
        """One picture for each of the node's segments."""
        folder = self._root / node
        folder.mkdir(parents=True)
        self._segments[node] = [self._segment(folder, node, *each) for each in enumerate(pictures)]

    def _segment(self, folder, node, sequence, picture):
        stored = StoredSegment(sequence, folder / f"{sequence:08d}.mp4", folder / f"{sequence:08d}.tracks")
        height, width = picture.shape[:2]
        planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
        with av.open(str(stored.video), "w") as container:
            stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "12"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for index in range(2 * RATE):
                frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
                frame.pts, frame.time_base = index, Fraction(1, RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        times = START + (2 * sequence * RATE + np.arange(2 * RATE)) * (SECOND // RATE)
        none = np.zeros(0, np.int64)
        tracks = SegmentTracks(
            SESSION, node, sequence, width, height, "motion", (), times, none, none, np.zeros((0, 4)), none * 0.0
        )
        stored.tracks.write_bytes(encode_tracks(tracks))
        return stored

    def held(self, _session, node):
        return frozenset(range(len(self._segments[node])))

    def stored(self, _session, node, sequence):
        segments = self._segments[node]
        return segments[sequence] if sequence < len(segments) else None

    def settled(self, *_):
        return True

    def last(self, _session, node):
        return len(self._segments[node]) - 1

    def end_ns(self, _session, node):
        return START + 2 * SECOND * len(self._segments[node])


@pytest.fixture
def rig(mast_rig) -> Rig:
    """The left and the middle camera of a mast."""
    return msgspec.structs.replace(mast_rig, cameras=mast_rig.cameras[:2])


@pytest.fixture
def knocked(rig) -> CameraModel:
    """The middle camera after a ball has hit it."""
    turn = cv2.Rodrigues(np.radians([[1.0], [6.0], [0.5]]))[0] @ rig.cameras[1].turn
    return msgspec.structs.replace(rig.cameras[1], rotation=tuple(turn.ravel().tolist()))


@pytest.fixture
def played(rig, photograph, tmp_path):
    """`played(left, right)` puts a session on the hub's shelf, a picture for each segment, and takes it through the
    pipeline; `again()` does so once more."""

    class Played:
        sessions = Sessions(tmp_path / "sessions")

        def __call__(self, left, right) -> SessionFolder:
            self.shelf = Recorded(tmp_path / "segments")
            for camera, pictures in zip(rig.cameras, (left, right), strict=True):
                self.shelf.record(camera.node, pictures)
            sheet = MatchSheet(title="t", pitch=rig.pitch, home=Team("a"), away=Team("b"))
            request = SessionRequest(sheet=sheet, lens_degrees=77.0)
            nodes = tuple(camera.node for camera in rig.cameras)
            self.sessions.begin(SessionPlan(session=SESSION, start_ns=START, nodes=nodes, request=request))
            return self.again()

        def again(self) -> SessionFolder:
            log = Log(io.StringIO(), SystemClock())
            Pipeline(self.sessions, self.shelf, Arrivals(), delivers=False, panorama_width=1280, log=log).run(SESSION)
            assert self.sessions.progress(SESSION).stage is Stage.DONE
            return self.sessions.folder(SESSION)

        def eye(self) -> SessionEye:
            log, folder = Log(io.StringIO(), SystemClock()), self.sessions.folder(SESSION)

            def ignore(*_):
                return None

            return SessionEye(
                self.sessions.plan(SESSION),
                folder,
                self.shelf,
                Arrivals(),
                None,
                CostBook(),
                log,
                ignore,
                ignore,
                ignore,
            )

        def dies_while(self, monkeypatch) -> None:
            """The power goes while what was made before is being taken away."""

            def dies(path, *_, **__):
                raise KeyboardInterrupt

            with monkeypatch.context() as patch:
                patch.setattr(shutil, "rmtree", lambda path, **more: dies(path) if path.name == "clips" else None)
                with pytest.raises(KeyboardInterrupt):
                    self.again()
            assert not self.sessions.folder(SESSION).package.exists()

    return Played()


def apart_deg(a: CameraModel, b: CameraModel) -> float:
    return float(np.degrees(np.linalg.norm(cv2.Rodrigues(a.turn @ b.turn.T)[0])))


def first_rig(folder: SessionFolder) -> Rig:
    return decode(folder.rig.read_bytes(), Rig)


@pytest.mark.slow
def test_a_camera_that_is_knocked_during_a_match_is_told_of_and_calibrated_anew(
    rig, knocked, played, photograph, monkeypatch
):
    monkeypatch.setattr(vision, "LOOK_WINDOWS", 2)
    left, usual, other = (photograph(camera, rig.pitch) for camera in (*rig.cameras, knocked))
    folder = played([left] * 9, [usual] * 4 + [other] * 5)
    node = rig.cameras[1].node
    assert played.sessions.progress(SESSION).warnings == (
        f"camera {node} has not shown the pitch's lines where they were since minute 0:08: it was knocked or covered, "
        "look after it",
        f"from minute 0:12 on the rig is calibrated anew, because of camera {node}",
    )
    [(since_ns, later)] = rigs_later(folder.panorama)
    assert since_ns == 12 * SECOND
    assert apart_deg(first_rig(folder).cameras[1], rig.cameras[1]) < 0.25
    assert apart_deg(later.cameras[1], knocked) < 0.25


@pytest.mark.slow
def test_a_recorded_session_is_calibrated_again_from_another_time_and_made_anew_though_the_hub_dies_over_it(
    rig, knocked, played, photograph, monkeypatch
):
    left, usual, other = (photograph(camera, rig.pitch) for camera in (*rig.cameras, knocked))
    folder = played([left] * 7, [usual] * 4 + [other] * 3)
    before = folder.archive.read_bytes()
    assert apart_deg(first_rig(folder).cameras[1], rig.cameras[1]) < 0.25
    played.sessions.start_over(SESSION, CalibrationRequest(at_s=8.0))
    played.dies_while(monkeypatch)
    folder = played.again()
    assert not folder.over.exists()
    assert apart_deg(first_rig(folder).cameras[1], knocked) < 0.25
    assert folder.archive.read_bytes() != before
    assert folder.package.exists()
    assert {path.name for path in folder.calibration.iterdir()} == {
        f"{camera.node}{kind}.jpg" for camera in rig.cameras for kind in ("", "-lines")
    }


@pytest.mark.slow
def test_a_pitch_that_the_first_pictures_do_not_show_is_found_in_later_ones(rig, played, photograph, monkeypatch):
    monkeypatch.setattr(eye, "CALIBRATION_TRIES", (0, 3))
    left, right = (photograph(camera, rig.pitch) for camera in rig.cameras)
    folder = played([left] * 6, [np.full_like(right, 30)] * 3 + [right] * 3)
    assert apart_deg(first_rig(folder).cameras[1], rig.cameras[1]) < 0.25


def test_a_session_whose_pictures_show_no_pitch_fails_in_words_and_keeps_them_to_click_in(rig, played, photograph):
    dark = np.full((1080, 1920, 3), 30, np.uint8)
    with pytest.raises(PitchNotFound, match="click at least four points"):
        played([dark] * 3, [dark] * 3)
    folder = played.sessions.folder(SESSION)
    assert {path.name for path in folder.calibration.iterdir()} == {f"{camera.node}.jpg" for camera in rig.cameras}
    played.sessions.abandon(SESSION, "no pitch")
    played.sessions.start_over(SESSION, CalibrationRequest(at_s=600.0))
    with pytest.raises(HubError, match="not all cameras show something 600 s after"):
        played.again()
    assert not folder.calibration.exists(), "those were pictures of another time"


@pytest.mark.slow
def test_a_calibration_that_would_move_a_camera_that_nobody_lost_is_not_taken(rig, knocked, played, photograph):
    left, other = (photograph(camera, rig.pitch) for camera in (rig.cameras[0], knocked))
    played([left] * 4, [other] * 4)
    finder = played.eye()
    assert finder.found_anew(8 * SECOND, rig, {1}) is not None
    assert finder.found_anew(8 * SECOND, rig, {0}) is None
    # Long after its last picture nobody knows how a camera stands.
    assert finder.found_anew(60 * SECOND, rig, {1}) is None


def test_a_calibration_that_was_asked_for_is_tried_by_the_pictures_asked_for_and_no_others(played, monkeypatch):
    tried = []

    def calibrate(views, *_):
        tried.append(views)
        raise PitchNotFound("no pitch")

    monkeypatch.setattr(eye, "calibrate", calibrate)
    monkeypatch.setattr(eye, "CALIBRATION_TRIES", (0, 1))
    dark = np.full((360, 640, 3), 30, np.uint8)
    with pytest.raises(PitchNotFound):
        played([dark] * 5, [dark] * 5)
    assert len(tried) == 2
    played.sessions.abandon(SESSION, "no pitch")
    played.sessions.start_over(SESSION, CalibrationRequest(at_s=2.0))
    with pytest.raises(PitchNotFound):
        played.again()
    assert len(tried) == 3


@pytest.fixture
def shown(rig, played, photograph, monkeypatch) -> SessionFolder:
    """A finished session with a player on the halfway line, and a goal."""
    frames, across = np.arange(300), np.linspace(-6.0, 6.0, 300)
    tracks = PitchTracks(
        START,
        25.0,
        (Track(HIDDEN, Role.PLAYER, TeamSide.HOME),),
        frames,
        np.full(300, HIDDEN),
        np.stack([np.zeros(300), across], axis=1),
        np.ones(300, bool),
    )
    goal = Event(time_s=6.0, type=EventType.GOAL, x_m=0.0, y_m=0.0, team=TeamSide.HOME, track=HIDDEN)
    monkeypatch.setattr(pipeline, "fuse", lambda *_: tracks)
    monkeypatch.setattr(pipeline, "find_events", lambda *_: [goal])
    left, right = (photograph(camera, rig.pitch) for camera in rig.cameras)
    return played([left] * 6, [right] * 6)


def made_of(folder: SessionFolder) -> dict[str, bytes]:
    clips = [path for path in folder.clips.iterdir() if path.suffix == ".mp4"]
    assert len(clips) == 1
    return {path.name: path.read_bytes() for path in (folder.archive, folder.poster, *clips)}


def packed(folder: SessionFolder) -> MatchPackage:
    with tarfile.open(folder.package) as package:
        return decode(package.extractfile(HEAD).read(), MatchPackage)


@pytest.mark.slow
@pytest.mark.parametrize("dies", ["", "burn", "thumbnail", "write_durably"])
def test_whoever_is_to_be_blurred_is_blurred_in_all_that_was_made_though_the_hub_dies_over_it(
    shown, played, monkeypatch, dies
):
    before = made_of(shown)
    assert packed(shown).blurred == ()
    assert played.sessions.blur(SESSION, (HIDDEN,))
    if dies:
        with monkeypatch.context() as patch:
            real = getattr(pipeline, dies)

            def once_more_and_no_further(*words, **more):
                if dies == "burn":
                    real(*words, **more)
                raise KeyboardInterrupt

            patch.setattr(pipeline, dies, once_more_and_no_further)
            with pytest.raises(KeyboardInterrupt):
                played.again()
        if dies != "burn":
            assert not shown.package.exists(), "what shows the player could still be sent"
    played.again()
    after = made_of(shown)
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] == before[name]] == []
    package = packed(shown)
    assert package.blurred == (HIDDEN,)
    sums = {file.path: file.sha256 for file in package.files}
    assert sums[shown.archive.name] == hashlib.sha256(after[shown.archive.name]).hexdigest()
    sent = shown.package.read_bytes()
    played.again()
    assert (made_of(shown), shown.package.read_bytes()) == (after, sent)
