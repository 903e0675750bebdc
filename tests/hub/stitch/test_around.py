import numpy as np
import pytest

from hub.stitch import plan_panorama
from hub.stitch.around import closed_to_cuts, cut_around, outlines
from wire.rig import CameraModel, Rig


def box(camera: CameraModel, x: float, y: float) -> np.ndarray:
    """The box (1, 4) that a person of 1.8 m at a place on the pitch has in a camera's picture; none where unseen."""
    feet, head = camera.project([[x, y, 0.0], [x, y, 1.8]])
    if np.isnan(feet).any() or not camera.sees(feet[None])[0]:
        return np.zeros((0, 4))
    wide = (feet[1] - head[1]) / 3
    return np.array([[min(feet[0], head[0]) - wide / 2, head[1], max(feet[0], head[0]) + wide / 2, feet[1]]])


def shown_by(rig: Rig, cut, outline: np.ndarray) -> float:
    """The right camera's share, averaged over a person's outline in the panorama."""
    across, up = (part.ravel()[:, None] for part in np.meshgrid(np.linspace(0, 1, 9), np.linspace(0, 1, 33)))
    low_left, high_left, high_right, low_right = outline
    low, high = low_left + across * (low_right - low_left), high_left + across * (high_right - high_left)
    points = low + up * (high - low)
    rows = np.clip(points[:, 1].astype(int), 0, len(cut.centre) - 1)
    return float(np.clip((points[:, 0] - cut.centre[rows]) / cut.width[rows] + 0.5, 0, 1).mean())


@pytest.fixture(params=["mast", "sideline"])
def rig(request, small_mast, small_sideline) -> Rig:
    return small_mast if request.param == "mast" else small_sideline


def on_the_seam(rig: Rig, plan) -> list[tuple[float, float]]:
    """Places of the pitch that the default cut runs through."""
    cut = plan.seams()[0].default
    out = []
    for y in range(-25, 30, 9):
        row = int(plan.view.to_pixel(0.0, float(y))[1])
        if 0 <= row < plan.view.height_px:
            ((x, _, _),) = plan.view.points([[cut.centre[row], row + 0.5]])
            out.append((float(x), float(y)))
    return out


def boxes_of(rig: Rig, *places: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """What each camera sees of people there."""
    left, right = (np.concatenate([box(camera, *place) for place in places]) for camera in rig.cameras)
    return left, right


def closed(rig: Rig, plan, boxes) -> np.ndarray:
    return closed_to_cuts(plan.seams()[0], plan.view, rig.pitch, rig.cameras, boxes)


def test_nobody_on_the_seam_leaves_the_cut_where_it_is(rig):
    plan = plan_panorama(rig, 1280)
    away = boxes_of(rig, (-40.0, 5.0), (40.0, 5.0))
    assert all(len(boxes) for boxes in away)
    assert cut_around(plan.seams()[0], closed(rig, plan, away), None) is None


@pytest.mark.parametrize("missed_by", ["nobody", "left", "right"])
def test_a_player_on_the_seam_is_shown_by_one_camera_alone(small_sideline, missed_by):
    rig, plan = small_sideline, plan_panorama(small_sideline, 1280)
    seam = plan.seams()[0]
    tried = 0
    for place in on_the_seam(rig, plan):
        seen = boxes_of(rig, place)
        if not all(len(boxes) for boxes in seen):
            continue
        told = [np.zeros((0, 4)) if name == missed_by else b for name, b in zip(("left", "right"), seen, strict=True)]
        detour = cut_around(seam, closed(rig, plan, tuple(told)), None)
        assert detour is not None
        cut = detour.cut(seam)
        left, right = (outlines(c, plan.view, b)[0] for c, b in zip(rig.cameras, seen, strict=True))
        of_left, of_right = shown_by(rig, cut, left), shown_by(rig, cut, right)
        # Either the left camera shows its picture of him and nothing of the right one's is seen, or the other way.
        assert max(of_left, of_right) < 0.05 or min(of_left, of_right) > 0.95
        tried += 1
    assert tried >= 2


def test_a_player_whom_the_blend_alone_reaches_is_shown_by_one_camera_alone(small_sideline):
    rig, plan = small_sideline, plan_panorama(small_sideline, 1280)
    seam = plan.seams()[0]
    [(x, y)] = [place for place in on_the_seam(rig, plan) if place[1] == 20.0]
    metre_px = plan.view.to_pixel(x + 1.0, y)[0] - plan.view.to_pixel(x, y)[0]
    seen = boxes_of(rig, (x + 0.4 * seam.default.width.max() / metre_px, y))
    left, right = (outlines(c, plan.view, b)[0] for c, b in zip(rig.cameras, seen, strict=True))
    assert 0.1 < shown_by(rig, seam.default, left) < 0.99
    cut = cut_around(seam, closed(rig, plan, seen), None).cut(seam)
    assert min(shown_by(rig, cut, left), shown_by(rig, cut, right)) > 0.95


def test_cameras_on_one_mast_show_a_player_in_the_same_place_and_the_cut_stays(small_mast):
    plan = plan_panorama(small_mast, 1280)
    seam = plan.seams()[0]
    for place in on_the_seam(small_mast, plan):
        seen = boxes_of(small_mast, place)
        assert cut_around(seam, closed(small_mast, plan, seen), None) is None


def test_the_cut_stays_where_both_cameras_see_and_goes_back_to_nobody_before_it_must(small_sideline):
    rig, plan = small_sideline, plan_panorama(small_sideline, 1280)
    seam = plan.seams()[0]
    [place] = [place for place in on_the_seam(rig, plan) if place[1] == 20.0]
    detour = cut_around(seam, closed(rig, plan, boxes_of(rig, place)), None)
    cut = detour.cut(seam)
    assert (cut.centre >= seam.low - 0.51).all()
    assert (cut.centre <= seam.high + 0.51).all()
    # What blends is what both show.
    assert (cut.centre - cut.width / 2 >= seam.low - 0.51).all()
    assert (cut.centre + cut.width / 2 <= seam.high + 0.51).all()
    # He walks on: the cut has no reason to move once more.
    assert cut_around(seam, np.zeros((0, 5)), detour) is detour


def test_people_beside_the_pitch_move_no_cut(small_sideline):
    plan = plan_panorama(small_sideline, 1280)
    [(x, y)] = [place for place in on_the_seam(small_sideline, plan) if place[1] == 29.0]
    assert len(closed(small_sideline, plan, boxes_of(small_sideline, (x, y))))
    assert not len(closed(small_sideline, plan, boxes_of(small_sideline, (x, small_sideline.pitch.half_width + 5.0))))


def test_a_cut_rather_passes_a_player_than_go_to_the_end_of_what_both_cameras_see(small_sideline):
    plan = plan_panorama(small_sideline, 1280)
    seam = plan.seams()[0]
    row = int(np.argmax(seam.high - seam.low)) // 8 * 8
    wall = np.array([[row + 4.0, seam.low[row] - 50, seam.high[row] + 50, 0.5, 0.5]])
    cut = cut_around(seam, wall, None).cut(seam)
    assert np.abs(cut.centre - seam.default.centre).max() < 40


@pytest.mark.parametrize("flat", ["left", "right"])
def test_a_player_is_rather_shown_by_the_camera_in_which_he_stands_upright(small_sideline, flat):
    plan = plan_panorama(small_sideline, 1280)
    seam = plan.seams()[0]
    rows = np.arange(44.0, 68.0, 8.0)
    at = seam.default.centre[rows.astype(int)]
    aspects = (6.0, 0.4) if flat == "left" else (0.4, 6.0)
    him = np.column_stack([rows, at - 12, at + 12, np.broadcast_to(aspects, (len(rows), 2))])
    cut = cut_around(seam, him, None).cut(seam)
    # What is left of the cut the left camera shows.
    assert ((cut.centre[rows.astype(int)] < at) == (flat == "left")).all()
