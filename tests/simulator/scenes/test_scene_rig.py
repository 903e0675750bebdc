import numpy as np
import pytest

from simulator.scenes import scene_rig
from wire.pitch import Pitch, default_pitch


@pytest.mark.parametrize("apart_m", [0.05, 0.10])
@pytest.mark.parametrize("cameras", [2, 3])
def test_cameras_of_a_mast_are_so_far_apart_and_share_a_part_of_the_pitch(apart_m, cameras):
    rig = scene_rig("mast", Pitch(), 5, cameras=cameras, apart_m=apart_m).rig
    assert [camera.node for camera in rig.cameras] == (
        ["left", "right"] if cameras == 2 else ["left", "centre", "right"]
    )
    for a, b in zip(rig.cameras, rig.cameras[1:], strict=False):
        assert np.linalg.norm(b.centre - a.centre) == pytest.approx(apart_m, rel=0.1)
        x, y = np.meshgrid(np.linspace(-50, 50, 41), np.linspace(-33, 33, 31))
        ground = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1)
        both = [camera.sees(np.nan_to_num(camera.project(ground), nan=-1.0)) for camera in (a, b)]
        assert (both[0] & both[1]).mean() > 0.05


def test_cameras_along_the_sideline_are_25_m_apart():
    for cameras in (2, 3):
        places = [camera.centre for camera in scene_rig("sideline", Pitch(), 5, cameras=cameras).rig.cameras]
        assert np.diff([place[0] for place in places]) == pytest.approx([25.0] * (cameras - 1), abs=0.7)


def test_units_differ_as_real_ones_do():
    rigs = [scene_rig("mast", default_pitch(9), seed).rig for seed in range(12)]
    focal = np.array([[camera.lens.focal_px for camera in rig.cameras] for rig in rigs])
    assert 0.002 < focal.std() / focal.mean() < 0.012
    pole = np.array([rig.cameras[1].centre for rig in rigs])
    assert (np.ptp(pole[:, :2], axis=0) > 0.8).all()
    assert (np.ptp(pole[:, :2], axis=0) < 2.01).all()
