import re

import numpy as np

from bench.kernels import PEER, in_turn, main, remapping
from hub.picture import Picture
from hub.stitch import plan_panorama
from tests.hub.stitch.conftest import mast_rig, pictures


def test_every_kernel_is_timed_beside_the_peer_and_judged(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["kernels", "--rounds", "1", "--camera", "480", "270", "--width", "512"])
    status = main()
    printed = capsys.readouterr().out
    assert re.search(rf"{PEER} +[\d.]+ +[\d.]+ +1\.000 +1\.000", printed)
    for name in ("cv2.remap, float maps", "reference", "cpu, plain"):
        assert re.search(rf"^{name} +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$", printed, re.MULTILINE)
    assert ("PASS" in printed) == (status == 0)


def test_the_peer_warps_every_plane_of_every_camera_once(monkeypatch):
    plan = plan_panorama(mast_rig(), 512)
    warped = []
    monkeypatch.setattr("bench.kernels.cv2.remap", lambda plane, *_, **given: warped.append(given["dst"].shape))
    remapping(plan, [Picture(*frame) for frame in pictures(plan.rig)], fixed=True)()
    assert len(warped) == 9
    columns = sum(width for _, width in warped[::3])
    seams = sum(seam.feather for seam in plan.seams())
    np.testing.assert_allclose(columns, plan.view.width_px + seams, atol=8)


def test_works_take_turns_and_their_first_round_does_not_count():
    order: list[str] = []
    times = in_turn({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b"] * 3
    assert [len(taken) for taken in times.values()] == [2, 2]
