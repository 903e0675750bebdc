import io

import numpy as np
import pytest

from firmware.clock import SystemClock
from firmware.log import Log
from hub import eye
from hub.calibrate.lenses import LensProfile
from hub.messages import SessionPlan, SessionRequest
from hub.panorama.timeline import Arrivals
from hub.pipeline import Pipeline
from hub.sessions import Sessions
from wire.ids import node_id, session_id
from wire.match import MatchSheet, Team
from wire.message import encode
from wire.pitch import Pitch
from wire.rig import Lens

PROFILE = LensProfile(
    width_px=960, height_px=540, lens=Lens(695.0, 477.0, 272.0, -0.2), rms_px=0.1, pictures=16, covered=0.9
)


class Reached(Exception):
    """The calibration was asked for."""


class EverythingThere:
    """A shelf on which every segment is settled, and whose pictures nobody decodes."""

    def settled(self, _session, _node, _sequence):
        return True

    def held(self, _session, _node):
        return frozenset(range(9))


@pytest.mark.parametrize("asked", [None, 77.0])
def test_a_session_calibrates_with_the_profiles_in_the_hubs_data_and_else_with_what_was_asked(
    asked, tmp_path, monkeypatch
):
    sessions, lenses, out = Sessions(tmp_path / "sessions"), tmp_path / "lenses", io.StringIO()
    lenses.mkdir()
    (lenses / "left.json").write_bytes(encode(PROFILE))
    (lenses / "right.json").write_bytes(b"junk")
    sheet = MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))
    nodes = tuple(map(node_id, ("left", "centre", "right")))
    request = SessionRequest(sheet=sheet, lens_degrees=asked)
    sessions.begin(SessionPlan(session=session_id("one"), start_ns=5, nodes=nodes, request=request))
    seen = []

    def calibrate(views, *_):
        seen.extend(views)
        raise Reached

    monkeypatch.setattr(eye, "calibrate", calibrate)
    monkeypatch.setattr(eye.SessionEye, "_background", lambda *_: np.zeros((1080, 1920, 3), np.uint8))
    log = Log(out, SystemClock())
    run = Pipeline(sessions, EverythingThere(), Arrivals(), False, 4096, log, lenses=lenses)
    with pytest.raises(Reached):
        run.run(session_id("one"))
    assert [view.lens for view in seen] == [PROFILE, asked, asked]
    assert "no lens profile" in out.getvalue()
