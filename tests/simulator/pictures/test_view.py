import numpy as np
import pytest

from simulator.pictures.view import view_of
from simulator.scenes.cylinder import Cylinder, panorama_view


@pytest.fixture(scope="module")
def cameras(true_rig):
    return [*true_rig.rig.cameras, Cylinder(panorama_view(true_rig.rig))]


@pytest.mark.parametrize("index", range(4))
def test_every_pixel_looks_where_its_camera_says_to_a_hundredth_of_a_pixel(cameras, index):
    camera = cameras[index]
    view = view_of(camera)
    random = np.random.default_rng(1)
    column, row = random.integers(0, camera.width_px, 4000), random.integers(0, camera.height_px, 4000)
    back = camera.project(camera.centre + 30.0 * view.ray[row, column].astype(np.float64))
    assert np.abs(back - np.stack([column + 0.5, row + 0.5], axis=1)).max() < 0.01


def test_the_ground_under_a_pixel_is_seen_at_that_pixel_and_a_step_on_at_the_next(cameras):
    camera = cameras[1]
    view = view_of(camera)
    rows, columns = np.nonzero(np.hypot(view.x, view.y) < 60)
    pick = np.random.default_rng(2).integers(0, len(rows), 500)
    row, column = rows[pick], columns[pick]
    here = np.stack([view.x[row, column], view.y[row, column]], axis=1).astype(np.float64)
    step = view.step[row, column].astype(np.float64)
    for k, move in enumerate(((1.0, 0.0), (0.0, 1.0))):
        there = camera.project(np.column_stack([here + 0.1 * step[:, :, k], np.zeros(500)]))
        moved = there - np.stack([column + 0.5, row + 0.5], axis=1)
        assert np.abs(moved - 0.1 * np.array(move)).max() < 0.03
