from itertools import pairwise

import numpy as np
import pytest

from hub.stitch import StitchPlan, plan_panorama
from hub.stitch.colour import MOST_GAIN, Light
from hub.stitch.grid import CELL
from simulator.pictures.rigs import virtual_rig
from simulator.scenes.rig import scene_rig
from tests.hub.stitch.conftest import mast_rig, sideline_rig
from wire.pitch import Pitch
from wire.rig import Rig


def grid_errors(plan: StitchPlan, camera: int) -> np.ndarray:
    """By how many pixels the grid of a camera is off, wherever the camera sees."""
    view, model = plan.view, plan.rig.cameras[camera]
    u, v = np.meshgrid(np.arange(view.width_px) + 0.5, np.arange(view.height_px) + 0.5)
    exact = model.project(view.points(np.stack([u.ravel(), v.ravel()], axis=1)))
    x, y, _ = plan.luma[camera].maps(0, view.width_px, view.height_px)
    off = np.hypot(x.ravel() - exact[:, 0], y.ravel() - exact[:, 1])
    return off[model.sees(np.nan_to_num(exact, nan=-1.0))]


@pytest.mark.parametrize("width", [480, 2304])
def test_a_masts_grid_is_exact_to_a_fiftieth_of_a_pixel_everywhere(width):
    plan = plan_panorama(virtual_rig("mast", Pitch(), 3, width, width * 9 // 16).rig, 2 * width)
    for camera in range(3):
        assert grid_errors(plan, camera).max() < 0.02


def test_a_sideline_rigs_grid_is_as_exact_but_for_the_ground_at_a_cameras_feet():
    plan = plan_panorama(virtual_rig("sideline", Pitch(), 3, 1920, 1080).rig)
    for camera in range(3):
        off = grid_errors(plan, camera)
        assert np.percentile(off, 99) < 0.05
        assert np.median(off) < 0.01
        assert off.max() < 0.25


def test_where_the_far_plane_takes_over_the_map_has_its_edge_between_two_rows(rig: Rig):
    view = plan_panorama(rig, 1024).view
    edge = view.far_px()
    near, at, far = (view.points([[300.0, edge + d]])[0] for d in (1.0, 0.0, -1.0))
    assert np.linalg.norm(at - view.centre_m) == pytest.approx(120)
    assert np.linalg.norm(far - view.centre_m) == pytest.approx(120)
    assert np.linalg.norm(near - view.centre_m) < 119
    assert near[2] == pytest.approx(view.height_m)
    assert far[2] > view.height_m


@pytest.mark.parametrize("width", [512, 1024, 4096])
def test_the_panorama_keeps_to_its_width_and_shows_every_corner_that_a_camera_sees(rig: Rig, width):
    view = plan_panorama(rig, width).view
    assert view.width_px <= width
    assert view.width_px % 16 == 0
    assert view.height_px % 16 == 0
    for x in (-52.5, 0.0, 52.5):
        for y in (-34.0, 34.0):
            point = np.array([[x, y, 0.0]])
            if any(c.sees(np.nan_to_num(c.project(point), nan=-1.0), 5.0)[0] for c in rig.cameras):
                u, v = view.to_pixel(x, y)
                assert -1 <= u <= view.width_px + 17
                assert 0 <= v <= view.height_px + 17


def test_left_is_left_far_is_high_and_points_find_their_pixels_again(rig: Rig):
    view = plan_panorama(rig, 1024).view
    ground = np.array([[x, y, view.height_m] for x in (-40.0, -3.0, 20.0) for y in (-20.0, 5.0, 33.0)])
    np.testing.assert_allclose(view.points(view.project(ground)), ground, atol=1e-6)
    left, right, near, far = view.project([[-10, 0, 0], [10, 0, 0], [0, -20, 0], [0, 20, 0]])
    assert left[0] < right[0]
    assert far[1] < near[1]


def ghosts_px(plan: StitchPlan, height_m: float) -> float:
    """How far (rms) neighbours disagree about what is so high above the pitch, in pixels of their pictures."""
    pitch = plan.rig.pitch
    x, y = np.meshgrid(np.arange(-pitch.half_length, pitch.half_length), np.arange(-pitch.half_width, pitch.half_width))
    true = np.stack([x.ravel(), y.ravel(), np.full(x.size, height_m)], axis=1)
    planned = plan.view.points(plan.view.project(true))
    gaps = []
    for pair in pairwise(plan.rig.cameras):
        seen = [camera.project(true) for camera in pair]
        both = np.all([c.sees(np.nan_to_num(at, nan=-1.0)) for c, at in zip(pair, seen, strict=True)], axis=0)
        a, b = ((c.project(planned) - at)[both] for c, at in zip(pair, seen, strict=True))
        gaps.append(np.linalg.norm(a - b, axis=1))
    return float(np.sqrt((np.concatenate(gaps) ** 2).mean()))


def test_neighbours_on_a_mast_agree_on_the_grass_to_an_eighth_of_a_pixel_and_on_hips_to_less_than_half_of_one():
    plan = plan_panorama(virtual_rig("mast", Pitch(), 3, 2304, 1296).rig)
    assert ghosts_px(plan, 0.0) < 0.12
    assert ghosts_px(plan, 0.9) < 0.4


def sees(plan: StitchPlan, camera: int, columns: np.ndarray, margin: float) -> np.ndarray:
    """Whether a camera sees the middle of each row at these columns (h,)."""
    model, view = plan.rig.cameras[camera], plan.view
    points = view.points(np.stack([columns, np.arange(view.height_px) + 0.5], axis=1))
    return model.sees(np.nan_to_num(model.project(points), nan=-1.0), margin)


@pytest.mark.parametrize("make", [mast_rig, sideline_rig])
def test_a_cut_stays_where_both_cameras_see_and_is_hard_where_they_do_not(make):
    plan = plan_panorama(make(), 1024)
    for nth, seam in enumerate(plan.seams()):
        for wish in (seam.column, 0.0, 1e4):
            cut = seam.cut(wish)
            soft = cut.width > 1
            for end in (cut.centre - cut.width / 2, cut.centre + cut.width / 2):
                for camera in (nth, nth + 1):
                    assert sees(plan, camera, end, 0.5)[soft].all()
        assert 0.3 < soft.mean() <= 1
        assert soft.all() or cut.width[~soft].max() == 1


def test_seams_keep_off_the_goals_and_are_soft(plan: StitchPlan):
    for seam in plan.seams():
        reach = seam.default.width.max() / 2
        assert 16 < reach < 64
        for side in (-1, 1):
            goal = plan.view.to_pixel(side * plan.rig.pitch.half_length, 0.0, 1.0)[0]
            assert not (np.abs(seam.default.centre - goal) < reach)[plan.view.height_px // 3 :].any()


def test_nothing_that_a_camera_sees_is_lost_at_a_seam():
    plan = plan_panorama(mast_rig(2), 1024)
    view = plan.view
    here = np.arange(view.width_px)[None, :] + 0.5 < plan.seams()[0].default.centre[:, None]
    u, v = np.meshgrid(np.arange(view.width_px) + 0.5, np.arange(view.height_px) + 0.5)
    points = view.points(np.stack([u.ravel(), v.ravel()], axis=1))
    left, right = (c.sees(np.nan_to_num(c.project(points), nan=-1.0), 0.0).reshape(u.shape) for c in plan.rig.cameras)
    shown = np.where(here, left, right)
    # A corner that only one of them sees, beyond the other's, may be cut off.
    assert ((left | right) & ~shown).mean() < 2e-4


@pytest.mark.parametrize(("kind", "seed"), [("mast", 2), ("mast", 803), ("sideline", 2), ("sideline", 712)])
def test_no_other_cuts_would_lose_less_of_what_three_cameras_see(kind, seed):
    plan = plan_panorama(scene_rig(kind, Pitch(), seed, (480, 270), 3, 0.05).rig, 1024)
    view = plan.view
    u, v = np.meshgrid(np.arange(view.width_px) + 0.5, np.arange(view.height_px) + 0.5)
    points = view.points(np.stack([u.ravel(), v.ravel()], axis=1))
    seen = np.stack([c.sees(np.nan_to_num(c.project(points), nan=-1.0)).reshape(u.shape) for c in plan.rig.cameras])
    by = np.zeros(u.shape, np.intp)
    for nth, seam in enumerate(plan.seams(), 1):
        by[u > seam.default.centre[:, None]] = nth
    shown = np.take_along_axis(seen, by[None], axis=0).sum()
    # The most that each row can show of cameras that come one after the other, each for one stretch or none.
    counts = np.pad(np.cumsum(seen, axis=2), ((0, 0), (0, 0), (1, 0)))
    most = counts[0]
    for count in counts[1:]:
        most = count + np.maximum.accumulate(most - count, axis=1)
    assert most[:, -1].sum() - shown < 1e-4 * seen.any(axis=0).sum()


def test_a_sideline_rigs_seams_leave_most_to_the_camera_whose_picture_is_not_drawn_out():
    plan = plan_panorama(sideline_rig(), 1024)
    row = plan.view.height_px // 2
    for seam, outer in zip(plan.seams(), ("low", "high"), strict=True):
        room = seam.high[row] - seam.low[row]
        assert room > 1.5 * seam.default.width[row]
        assert abs(seam.default.centre[row] - getattr(seam, outer)[row]) < 0.35 * room


def test_a_missing_cameras_neighbours_share_a_seam_of_their_own_which_is_found_once(plan: StitchPlan):
    (seam,) = plan.seams([0, 2])
    assert plan.seams([0, 2])[0] is seam
    middle = plan.view.width_px / 2
    low, high = plan.seams()[0].column, plan.seams()[1].column
    assert low < middle < high
    assert plan.seams([1]) == ()


def test_a_halved_cut_shares_as_the_mean_of_its_pixels(plan: StitchPlan):
    cut = plan.seams()[0].cut(np.linspace(300, 420, plan.view.height_px))
    whole = cut.share(np.arange(plan.view.width_px))
    mean = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
    half = cut.halved().share(np.arange(plan.view.width_px // 2))
    even = (cut.width > 8) & (np.abs(np.gradient(cut.centre)) < 2)
    assert np.abs(mean - half)[even[::2] & even[1::2]].max() < 0.05
    assert (even[::2] & even[1::2]).mean() > 0.7


def test_nodes_are_eight_pixels_apart_and_rows_where_the_ground_runs_away_have_their_own():
    mast, line = plan_panorama(mast_rig(), 1024), plan_panorama(sideline_rig(), 1024)
    assert len(mast.luma[1].rows) == mast.view.height_px // CELL + 1 + CELL
    assert len(line.luma[0].rows) > 1.4 * line.view.height_px // CELL
    for grid in (*mast.chroma, *line.chroma):
        assert grid.x.shape == grid.y.shape == grid.gain.shape == (len(grid.rows), grid.x.shape[1])
        assert np.diff(grid.rows).min() > 0


def test_no_light_asks_for_more_than_kernels_can_reckon_with():
    wild = Light(7.0, np.array([[0.0, -9.0, 0.1], [0.2, 0.0, 3.0]])).within()
    assert wild.luma == MOST_GAIN
    assert np.abs(wild.chroma).max() == MOST_GAIN
    assert Light().within().luma == 1
