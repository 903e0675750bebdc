"""The truth about a scene is what its pictures show."""

import cv2
import numpy as np
import pytest

from simulator.pictures.camera import vignette
from simulator.scenes import Difficulty, scene
from wire.pitch import Pitch, default_pitch

SEED, SIZE = 3, (960, 540)
SPOTS = {(-41.5, 0.0), (41.5, 0.0), (0.0, 0.0)}
"""Penalty spots and centre spot are smaller than a pixel of small pictures."""


def luma(picture):
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)


def evened(one, index):
    """A picture without its camera's exposure and vignette."""
    camera, fault = one.rig.cameras[index], one.truth.faults[index]
    v, u = np.mgrid[0 : camera.height_px, 0 : camera.width_px] + 0.5
    colours = np.array(fault.white_balance)[::-1] * fault.gain * vignette(camera, fault, u, v)[..., None]
    return luma(np.clip(one.pictures[index] / colours, 0, 255).astype(np.uint8))


def warped(one, index, off_px=0.0):
    """A camera's picture where the panorama's pixels truly are in it, and where it has them."""
    px = one.panorama.pixels(one.rig.cameras[index])
    there = cv2.erode((~np.isnan(px[..., 0])).astype(np.uint8), np.ones((9, 9))) > 0
    at = np.nan_to_num(px, nan=-9.0).astype(np.float32) - 0.5 + np.float32(off_px)
    return cv2.remap(evened(one, index), at[..., 0], at[..., 1], cv2.INTER_CUBIC), there


def psnr(a, b):
    return 10 * np.log10(255**2 / ((a - b) ** 2).mean())


@pytest.mark.parametrize("apart_m", [0.05, 0.10])
@pytest.mark.parametrize("index", range(3))
def test_each_picture_warped_by_the_true_rig_is_the_true_panorama(apart_m, index, small_scene):
    one = small_scene(apart_m=apart_m)
    true = luma(one.panorama.picture)
    picture, there = warped(one, index)
    assert there.mean() > 0.3
    right = psnr(picture[there], true[there])
    assert right > 36
    for off in (-0.5, 0.5):
        aside, _ = warped(one, index, off)
        assert psnr(aside[there], true[there]) < right - 2


def test_cameras_along_the_sideline_see_the_ground_where_the_panorama_has_it(small_scene):
    one = small_scene("sideline")
    true, pano = luma(one.panorama.picture), one.panorama
    points = pano.points()
    on_pitch = (np.abs(points[..., 2]) < 0.01) & (np.abs(points[..., 0]) < 50) & (np.abs(points[..., 1]) < 33)
    for index in range(3):
        picture, there = warped(one, index)
        # People hide other ground from each of them.
        gap = np.abs(picture - true)[there & on_pitch]
        assert np.percentile(gap, 90) < 5
        aside, _ = warped(one, index, 1.0)
        assert np.percentile(np.abs(aside - true)[there & on_pitch], 90) > 1.25 * np.percentile(gap, 90)


def test_the_panorama_covers_what_the_cameras_see_of_the_pitch(clean):
    pano = clean.panorama
    corners = [(x, y, 0.0) for x in (-52.5, 52.5) for y in (-34.0, 34.0)]
    inside = pano.view.project(corners)
    assert (inside > -1).all()
    assert (inside[:, 0] < pano.view.width_px).all()
    assert pano.seen(clean.rig).mean() > 0.85


def test_ground_lies_at_height_zero_and_people_stand_on_it_where_the_panorama_shows_them(clean):
    pano, people = clean.panorama, clean.world.people
    points = pano.points()
    height = points[..., 2]
    # Trees begin a little below the ground.
    assert height.min() > -0.35
    found = 0
    for (x, y), tall in zip(people.xy, people.height_m, strict=True):
        u, v = pano.view.to_pixel(x, y, 0.55 * tall)
        here = points[int(v), int(u)]
        found += np.hypot(here[0] - x, here[1] - y) < 0.6 and 0.3 < here[2] < tall
    assert found > 0.8 * len(people.xy)


@pytest.mark.parametrize("pitch", [Pitch(), default_pitch(9), default_pitch(7)], ids=["11", "9", "7"])
def test_every_named_point_of_the_pitch_lies_on_paint(pitch, above):

    seen = above(pitch=pitch)
    for name, (x, y) in pitch.points().items():
        if x <= 0 and "post" not in name:
            assert seen.whiteness(x, y) > 50, name


def test_named_points_are_where_the_true_cameras_project_them(clean):
    checked = 0
    for picture, camera in zip(clean.pictures, clean.rig.cameras, strict=True):
        white = np.minimum(picture[..., 1], picture[..., 2]).astype(np.float32)
        for x, y in Pitch().points().values():
            if y > 0 or (x, y) in SPOTS:
                continue
            ((u, v),) = camera.project([[x, y, 0.0]])
            if not (15 < u < SIZE[0] - 15 and 15 < v < SIZE[1] - 15):
                continue
            around = np.median(white[int(v) - 12 : int(v) + 13, int(u) - 12 : int(u) + 13])
            checked += 1
            assert white[int(v) - 1 : int(v) + 2, int(u) - 1 : int(u) + 2].max() > around + 12, (x, y)
    assert checked >= 12


def test_the_same_seed_is_the_same_scene_and_another_is_another(clean):
    again = scene("mast", Pitch(), SEED, SIZE)
    other = scene("mast", Pitch(), SEED + 1, SIZE)
    for a, b, c in zip(clean.pictures, again.pictures, other.pictures, strict=True):
        assert (a == b).all()
        assert (a != c).any()
    assert again.rig == clean.rig != other.rig


def test_a_difficulty_leaves_the_rig_the_people_and_the_other_paint_as_they_were(clean, above, small_scene):
    hard = above(Difficulty.YELLOW_LINES).world
    assert (hard.people.xy == clean.world.people.xy).all()
    assert hard.paint.markings == clean.world.paint.markings
    assert small_scene("mast", (Difficulty.YELLOW_LINES,)).rig == clean.rig


def test_a_person_clicks_where_the_points_are_give_or_take_four_pixels(clean):
    clicks = clean.clicks(4)
    assert sorted(click.camera for click in clicks) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert clean.clicks(0) == []
    gaps = [clean.rig.cameras[c.camera].project([[c.x_m, c.y_m, 0.0]])[0] - (c.u_px, c.v_px) for c in clicks]
    assert 1.5 < np.std(gaps) < 7
