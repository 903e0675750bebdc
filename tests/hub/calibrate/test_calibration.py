from itertools import pairwise

import msgspec
import numpy as np
import pytest

from hub.calibrate import View, background, calibrate
from hub.errors import ClicksFitNoCamera, PitchNotFound, ViewsDoNotFit
from hub.picture import Picture
from wire.clicks import Click
from wire.rig import CameraModel, Rig, looking


def errors_m(found: CameraModel, truth: CameraModel, rig: Rig) -> np.ndarray:
    """How far foot points land from where they are, over the part of the pitch the camera sees."""
    x, y = np.meshgrid(np.arange(-52, 53, 2.0), np.arange(-34, 35, 2.0))
    ground = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1)
    pixels = np.nan_to_num(truth.project(ground), nan=-1.0)
    seen = truth.sees(pixels)
    return np.linalg.norm(found.to_plane(pixels[seen]) - ground[seen, :2], axis=1)


def quiet(_step: str, _share: float) -> None:
    """Nobody watches."""


@pytest.mark.slow
@pytest.mark.parametrize("fov", [77.0, None])
def test_four_bad_clicks_per_camera_give_a_mast_rig_that_is_right_to_centimetres(
    fov, small_mast, photograph, person_clicks, rng
):
    views = [View(c.node, photograph(c, small_mast.pitch), fov) for c in small_mast.cameras]
    heard = []
    found = calibrate(
        views, small_mast.pitch, person_clicks(small_mast, rng, 4, 2.0), lambda s, share: heard.append(share)
    )
    gaps = np.concatenate([errors_m(a, b, small_mast) for a, b in zip(found.cameras, small_mast.cameras, strict=True)])
    assert np.median(gaps) < 0.06
    assert np.percentile(gaps, 95) < 0.25
    assert found.quality.trusted, found.quality.notes
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    ground = np.array([[0.0, y, 0.4] for y in range(-25, 34, 3)])
    for (a, true_a), (b, true_b) in pairwise(zip(found.cameras, small_mast.cameras, strict=True)):
        carried = b.project(np.c_[a.to_plane(true_a.project(ground), 0.4), np.full(len(ground), 0.4)])
        seam = np.linalg.norm(carried - true_b.project(ground), axis=1)
        assert np.sqrt((seam**2).mean()) < 0.5


@pytest.mark.slow
def test_a_sideline_rig_is_recognised_by_where_its_cameras_stand(small_sideline, photograph, person_clicks, rng):
    views = [View(c.node, photograph(c, small_sideline.pitch), 77.0) for c in small_sideline.cameras]
    found = calibrate(views, small_sideline.pitch, person_clicks(small_sideline, rng, 4, 2.0), quiet)
    for camera, truth in zip(found.cameras, small_sideline.cameras, strict=True):
        assert np.linalg.norm(camera.centre - truth.centre) < 0.3
        assert np.median(errors_m(camera, truth, small_sideline)) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("fov", [77.0, None])
def test_without_a_click_the_lines_alone_tell_where_the_cameras_of_a_mast_are(fov, small_mast, photograph):
    views = [View(c.node, photograph(c, small_mast.pitch), fov) for c in small_mast.cameras]
    found = calibrate(views, small_mast.pitch, [], quiet)
    assert found.quality.trusted, found.quality.notes
    assert found.quality.clicks_px is None
    gaps = np.concatenate([errors_m(a, b, small_mast) for a, b in zip(found.cameras, small_mast.cameras, strict=True)])
    assert np.median(gaps) < 0.06
    assert np.percentile(gaps, 95) < 0.25


@pytest.mark.slow
def test_without_a_click_the_lines_alone_tell_where_cameras_along_the_touchline_are(small_sideline, photograph):
    views = [View(c.node, photograph(c, small_sideline.pitch), 77.0) for c in small_sideline.cameras]
    found = calibrate(views, small_sideline.pitch, [], quiet)
    for camera, truth in zip(found.cameras, small_sideline.cameras, strict=True):
        assert np.linalg.norm(camera.centre - truth.centre) < 0.3


@pytest.mark.slow
def test_a_camera_whose_lines_do_not_tell_is_placed_by_what_it_sees_of_its_neighbours_background(
    small_mast, photograph
):
    """The right camera's lines are all but gone: what is left of them lets no pose be guessed."""
    left, right = small_mast.cameras
    right = msgspec.structs.replace(right, rotation=looking(10.0, -15.5, 0.0))
    worn = photograph(right, small_mast.pitch).copy()
    worn[:, 400:] = photograph(right, small_mast.pitch, painted=False)[:, 400:]
    views = [View(left.node, photograph(left, small_mast.pitch), 77.0), View(right.node, worn, 77.0)]
    found = calibrate(views, small_mast.pitch, [], quiet)
    assert np.median(errors_m(found.cameras[1], right, small_mast)) < 0.5


@pytest.mark.slow
def test_two_clicks_choose_between_poses_that_the_lines_allow(small_mast, photograph, person_clicks, rng):
    camera = small_mast.cameras[0]
    one = Rig(pitch=small_mast.pitch, cameras=(camera,))
    view = View(camera.node, photograph(camera, one.pitch), 77.0)
    clicks = person_clicks(one, rng, 2, 2.0)
    found = calibrate([view], one.pitch, clicks, quiet)
    assert np.median(errors_m(found.cameras[0], camera, one)) < 0.1
    assert found.quality.clicks_px < 12


@pytest.mark.slow
def test_without_paint_the_clicks_stand_and_the_rig_says_it_is_not_to_be_trusted(
    small_mast, photograph, person_clicks, rng
):
    views = [View(c.node, photograph(c, small_mast.pitch, painted=False), 77.0) for c in small_mast.cameras]
    found = calibrate(views, small_mast.pitch, person_clicks(small_mast, rng, 6, 1.0), quiet)
    assert not found.quality.trusted
    assert any("lines" in note for note in found.quality.notes)
    for camera, truth in zip(found.cameras, small_mast.cameras, strict=True):
        assert np.median(errors_m(camera, truth, small_mast)) < 3.0


def grey(rig: Rig) -> list[View]:
    return [View(c.node, np.full((c.height_px, c.width_px, 3), 90, np.uint8), 77.0) for c in rig.cameras]


def test_where_no_line_is_recognised_too_few_clicks_or_clicks_on_one_line_are_refused_in_words(
    small_mast, person_clicks, rng
):
    clicks = person_clicks(small_mast, rng, 4, 1.0)
    with pytest.raises(PitchNotFound, match=r"camera 1: .* click at least four points"):
        calibrate(grey(small_mast), small_mast.pitch, clicks[:-1], quiet)
    row = [Click(c.camera, 10.0 * k, 0.0, c.u_px, c.v_px) for k, c in enumerate(clicks)]
    with pytest.raises(PitchNotFound, match="not all on one line"):
        calibrate(grey(small_mast), small_mast.pitch, row, quiet)


def test_clicks_with_the_cameras_mixed_up_are_refused(small_mast, person_clicks, rng):
    clicks = person_clicks(small_mast, rng, 5, 1.0)
    mirrored = [Click(c.camera, -c.x_m, c.y_m, c.u_px, c.v_px) for c in clicks]
    with pytest.raises(ClicksFitNoCamera, match="camera 0"):
        calibrate(grey(small_mast), small_mast.pitch, mirrored, quiet)


def test_clicks_for_a_camera_that_is_not_there_are_refused(small_mast, person_clicks, rng):
    clicks = person_clicks(small_mast, rng, 4, 1.0)
    with pytest.raises(ViewsDoNotFit, match="camera 1"):
        calibrate(grey(small_mast)[:1], small_mast.pitch, clicks, quiet)


def test_the_background_forgets_who_walks_by():
    frames = []
    for k in range(9):
        # Rows of a decoder's planes are padded.
        luma = np.full((60, 96), 120, np.uint8)[:, :80]
        luma[10:40, 8 * k : 8 * k + 8] = 250
        frames.append(Picture(luma, *np.full((2, 30, 64), 128, np.uint8)[:, :, :40]))
    picture = background(frames)
    assert picture.shape == (60, 80, 3)
    assert np.ptp(picture.astype(int), axis=(0, 1)).max() == 0
    with pytest.raises(ViewsDoNotFit, match="no frame"):
        background([])
