import os
from pathlib import Path

import av
import numpy as np
import pytest

from hub.calibrate import View, background, calibrate
from hub.panorama.video import shot_of
from wire.clicks import read_clicks
from wire.ids import node_id
from wire.pitch import Pitch

ROOT = Path(__file__).parents[3]
FOOTAGE = Path(os.environ.get("TOUCHLINE_FOOTAGE", ROOT.parent / "shared/data/two_cameras"))


def still(name: str) -> np.ndarray:
    with av.open(str(FOOTAGE / name)) as container:
        frames = container.decode(video=0)
        return background([shot_of(f, 0).picture for k, f in enumerate(frames) if k % 14 == 0])


@pytest.mark.slow
@pytest.mark.footage
@pytest.mark.skipif(not (FOOTAGE / "left.mp4").exists(), reason="the two-camera clip is not beside the checkout")
@pytest.mark.parametrize("clicked", [True, False])
def test_the_real_clip_gives_a_rig_whose_lines_lie_on_the_paint_with_clicks_and_without(clicked):
    views = [View(node_id(side), still(f"{side}.mp4")) for side in ("left", "right")]
    clicks = read_clicks((ROOT / "tests/data/two_cameras/clicks.csv").read_text())
    rig = calibrate(views, Pitch(105, 68), clicks if clicked else [], lambda step, share: None)
    assert rig.quality.trusted, rig.quality.notes
    assert rig.quality.lines_px is not None
    assert rig.quality.lines_px < 1.2
    left, right = rig.cameras
    assert np.linalg.norm(left.centre - right.centre) < 2.0
    assert left.sees(left.project([[-52.5, -34.0, 0.0]]))[0]
    assert right.sees(right.project([[52.5, -34.0, 0.0]]))[0]
