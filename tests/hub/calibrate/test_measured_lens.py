"""A rig calibrated with a lens that was measured once, with another camera of its model."""

import msgspec
import numpy as np
import pytest

from hub.calibrate import View, calibrate
from hub.calibrate.lens_jacobian import fitted_camera, with_lens
from hub.calibrate.lenses import LensProfile, usual_lens
from hub.calibrate.priors import lens_prior, measured_belief
from hub.errors import LensUnknown, PitchNotFound
from simulator.scenes import scene
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, Rig

FOCAL, AXIS, BEND = 0.004, 2.5, 0.004
"""What the measured camera differs by from those of the rig: share, pixels, k1."""


def quiet(_step: str, _share: float) -> None:
    """Nobody watches."""


def measured(lens: Lens, longer: float = 0.0, height_px: int = 540) -> LensProfile:
    """The profile of another unit of a lens in pictures of that height, measured at twice their size; made `longer` by
    a share it is that of another model."""
    unit = Lens(
        2 * lens.focal_px * (1 + FOCAL + longer),
        2 * (lens.cx_px + AXIS),
        2 * (lens.cy_px - AXIS),
        lens.k1 + BEND,
        lens.k2 - BEND,
        0.0002,
        -0.0002,
    )
    width_px, height_px = height_px * 32 // 9, 2 * height_px
    return LensProfile(width_px=width_px, height_px=height_px, lens=unit, rms_px=0.1, pictures=20, covered=0.9)


def errors_m(found: CameraModel, truth: CameraModel) -> np.ndarray:
    """How far foot points that the camera sees land from where they are."""
    x, y = np.meshgrid(np.arange(-52, 53, 2.0), np.arange(-34, 35, 2.0))
    ground = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1)
    pixels = np.nan_to_num(truth.project(ground), nan=-1.0)
    seen = truth.sees(pixels)
    return np.linalg.norm(found.to_plane(pixels[seen]) - ground[seen, :2], axis=1)


@pytest.fixture
def calibrated(photograph):
    """`calibrated(rig, lens, clicks)`: what is found of a rig, and the steps that were heard of."""

    def found(rig: Rig, lens, clicks=()):
        steps: list[str] = []
        views = [View(c.node, photograph(c, rig.pitch), lens) for c in rig.cameras]
        return calibrate(views, rig.pitch, clicks, lambda step, _share: steps.append(step)), steps

    return found


@pytest.mark.slow
def test_a_rig_is_found_through_the_lens_of_another_unit_without_asking_the_lines_for_it(small_mast, calibrated):
    found, steps = calibrated(small_mast, measured(small_mast.cameras[0].lens))
    assert found.quality.trusted
    assert found.quality.notes == ()
    gaps = np.concatenate([errors_m(a, b) for a, b in zip(found.cameras, small_mast.cameras, strict=True)])
    assert np.median(gaps) < 0.06
    assert np.percentile(gaps, 95) < 0.25
    assert "how the lens bends lines" not in steps


@pytest.mark.slow
def test_where_lines_tell_little_of_the_lens_a_measured_one_gives_better_places_than_its_degrees():
    """Two cameras along the touchline see no more than a few lines each."""
    one = scene("sideline", Pitch(), 72, (1280, 720), (), cameras=2)
    true = one.rig.cameras
    worst = {}
    for known in (measured(true[0].lens, height_px=720), one.nominal_fov_deg):
        views = [View(c.node, p, known) for c, p in zip(true, one.pictures, strict=True)]
        found = calibrate(views, one.rig.pitch, [], quiet)
        gaps = [errors_m(camera, truth) for camera, truth in zip(found.cameras, true, strict=True)]
        worst[known] = np.percentile(np.concatenate(gaps), 95)
    by_profile, by_degrees = worst.values()
    assert by_profile < 1.0
    assert by_profile < 0.3 * by_degrees


@pytest.mark.slow
def test_clicks_go_with_a_measured_lens(small_mast, calibrated, person_clicks, rng):
    found, _ = calibrated(small_mast, measured(small_mast.cameras[0].lens), person_clicks(small_mast, rng, 4, 2.0))
    assert found.quality.trusted, found.quality.notes
    for one, truth in zip(found.cameras, small_mast.cameras, strict=True):
        assert np.median(errors_m(one, truth)) < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("longer", [0.05, 0.5])
def test_the_lens_of_another_model_is_left_aside_and_that_is_told(longer, small_mast, calibrated):
    """A little wrong, the pitch is found and shows it; quite wrong, the pitch is found only without it."""
    found, steps = calibrated(small_mast, measured(small_mast.cameras[0].lens, longer))
    assert [note.split(":")[0] for note in found.quality.notes] == ["camera 0", "camera 1"]
    assert all("not the one that was measured" in note for note in found.quality.notes)
    assert any("without the profile" in step for step in steps)
    for one, truth in zip(found.cameras, small_mast.cameras, strict=True):
        assert np.median(errors_m(one, truth)) < 0.06


def test_a_picture_without_a_pitch_is_refused_with_a_measured_lens_too(small_mast):
    lens = measured(small_mast.cameras[0].lens)
    grey = View(small_mast.cameras[0].node, np.full((540, 960, 3), 90, np.uint8), lens)
    with pytest.raises(PitchNotFound, match="camera 0"):
        calibrate([grey], small_mast.pitch, [], quiet)


def test_a_lens_measured_with_pictures_of_another_shape_is_refused_before_any_work(small_mast):
    lens = msgspec.structs.replace(measured(small_mast.cameras[0].lens), height_px=1440)
    grey = View(small_mast.cameras[0].node, np.full((540, 960, 3), 90, np.uint8), lens)
    with pytest.raises(LensUnknown, match="another shape"):
        calibrate([grey], small_mast.pitch, [], quiet)


@pytest.mark.parametrize("fov", [63.0, 102.0])
def test_the_belief_in_a_measured_lens_is_as_tight_at_the_pictures_end_whatever_its_angle(fov):
    lens = usual_lens(1920, 1080, fov, -0.1)
    belief = measured_belief(lens, 1920)
    camera = fitted_camera(
        CameraModel("a", 1920, 1080, lens, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 5.0))
    )
    assert np.abs(belief.off(camera)).max() < 1e-9
    end = np.array([[np.tan(np.radians(fov / 2)), 0.0]])
    for term, spread in (("k1", belief.spread[3]), ("k2", belief.spread[4]), ("k3", belief.spread[7])):
        bent = msgspec.structs.replace(lens, **{term: getattr(lens, term) + spread})
        assert np.abs(belief.off(with_lens(camera, bent))).max() == pytest.approx(1.0)
        moved = (bent.distort(end) - lens.distort(end))[0, 0]
        assert moved / end[0, 0] == pytest.approx(0.005, rel=0.01)
    residuals = lens_prior([with_lens(camera, msgspec.structs.replace(lens, focal_px=lens.focal_px * 1.01))], [belief])
    assert np.abs(residuals.residuals).max() == pytest.approx(np.log(1.01) / 0.005)
