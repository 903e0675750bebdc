import numpy as np
import pytest

from hub.calibrate.lens_jacobian import fitted_camera
from hub.calibrate.overlap import match
from simulator.scenes import scene
from wire.pitch import Pitch


@pytest.fixture(scope="module")
def mast():
    return scene("mast", Pitch(), 3, (960, 540))


def test_neighbours_share_things_and_see_them_where_they_truly_are(mast):
    cameras = [fitted_camera(camera) for camera in mast.rig.cameras]
    found = match(cameras, 0, 1, mast.pictures, 6.0)
    assert len(found.in_left) > 100
    ground = mast.rig.cameras[0].to_plane(found.in_left)
    on_pitch = np.hypot(*ground.T) < 60
    there = mast.rig.cameras[1].project(np.column_stack([ground, np.zeros(len(ground))]))
    assert np.median(np.linalg.norm(there - found.in_right, axis=1)[on_pitch]) < 0.6


def test_pictures_that_have_nothing_in_common_match_nowhere(mast):
    cameras = [fitted_camera(camera) for camera in mast.rig.cameras]
    strange = np.random.default_rng(1).integers(0, 255, mast.pictures[1].shape, dtype=np.uint8)
    found = match(cameras, 0, 1, [mast.pictures[0], strange, mast.pictures[2]], 0.4)
    assert found.in_left.shape == found.in_right.shape == (0, 2)
