import io
from fractions import Fraction

import av
import cv2
import msgspec
import numpy as np
import pytest

from firmware.clock import SystemClock
from firmware.log import Log
from hub.messages import SessionPlan, SessionRequest, Stage
from hub.panorama import vision
from hub.panorama.footage import StoredSegment
from hub.panorama.timeline import Arrivals
from hub.panorama.writer import rigs_later
from hub.pipeline import Pipeline
from hub.sessions import Sessions
from wire.ids import session_id
from wire.match import MatchSheet, Team
from wire.message import decode
from wire.rig import Rig
from wire.rigtime import SECOND
from wire.tracks import SegmentTracks, encode_tracks

SESSION, START = session_id("s"), 1_000 * SECOND
RATE = 5


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


@pytest.mark.slow
def test_a_camera_that_is_knocked_during_a_match_is_told_of_and_calibrated_anew(
    mast_rig, photograph, tmp_path, monkeypatch
):
    monkeypatch.setattr(vision, "LOOK_WINDOWS", 2)
    rig = msgspec.structs.replace(mast_rig, cameras=mast_rig.cameras[:2])
    turn = cv2.Rodrigues(np.radians([[1.0], [6.0], [0.5]]))[0] @ rig.cameras[1].turn
    knocked = msgspec.structs.replace(rig.cameras[1], rotation=tuple(turn.ravel().tolist()))
    shelf = Recorded(tmp_path / "segments")
    shelf.record(rig.cameras[0].node, [photograph(rig.cameras[0], rig.pitch)] * 9)
    pictures = [photograph(camera, rig.pitch) for camera in (rig.cameras[1], knocked)]
    shelf.record(rig.cameras[1].node, [pictures[0]] * 4 + [pictures[1]] * 5)
    sessions = Sessions(tmp_path / "sessions")
    sheet = MatchSheet(title="t", pitch=rig.pitch, home=Team("a"), away=Team("b"))
    nodes = tuple(camera.node for camera in rig.cameras)
    request = SessionRequest(sheet=sheet, lens_degrees=77.0)
    sessions.begin(SessionPlan(session=SESSION, start_ns=START, nodes=nodes, request=request))
    log = Log(io.StringIO(), SystemClock())
    Pipeline(sessions, shelf, Arrivals(), delivers=False, panorama_width=1920, log=log).run(SESSION)
    progress = sessions.progress(SESSION)
    assert progress.stage is Stage.DONE
    assert progress.warnings == (
        f"camera {nodes[1]} has not shown the pitch's lines where they were since minute 0:08: it was knocked or "
        "covered, look after it",
        f"from minute 0:12 on the rig is calibrated anew, because of camera {nodes[1]}",
    )
    [(since_ns, later)] = rigs_later(sessions.folder(SESSION).panorama)
    assert since_ns == 12 * SECOND
    first = decode(sessions.folder(SESSION).rig.read_bytes(), Rig)
    for found, true in ((first, rig.cameras[1]), (later, knocked)):
        off = np.degrees(np.linalg.norm(cv2.Rodrigues(found.cameras[1].turn @ true.turn.T)[0]))
        assert off < 0.25
