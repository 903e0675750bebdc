import msgspec
import numpy as np
import pytest

from hub.calibrate.board import BoardFinder, Sighting
from hub.calibrate.measuring import measure_lens
from hub.errors import LensNotMeasured
from wire.rig import Lens

from ..conftest import BOARD, BOARD_LENS, BOARD_SIZE

PLACES = np.stack(np.meshgrid(np.arange(1, 11) * 30.0, np.arange(1, 8) * 30.0), axis=-1).reshape(-1, 2)
WIDE = Lens(425.0, 481.5, 268.0, -0.11, 0.012, -0.0003, 0.0002, -0.0006)


def apart_px(found: Lens, true: Lens, size) -> np.ndarray:
    """How far rays through the whole picture appear from where they do, but for a turn: a camera that was turned a
    little is the same camera."""
    u, v = np.meshgrid(np.linspace(0, size[0], 33), np.linspace(0, size[1], 19))
    pixels = np.stack([u.ravel(), v.ravel()], axis=1)
    x, y = true.undistort((pixels - (true.cx_px, true.cy_px)) / true.focal_px).T

    def seen(turned) -> np.ndarray:
        return found.distort(turned) * found.focal_px + (found.cx_px, found.cy_px)

    here = seen(np.stack([x, y], axis=1))
    turns = [np.stack([x * y, 1 + y * y], axis=1), np.stack([-1 - x * x, -x * y], axis=1), np.stack([-y, x], axis=1)]
    slopes = np.stack([(seen(np.stack([x, y], axis=1) + 1e-5 * turn) - here).ravel() / 1e-5 for turn in turns], axis=1)
    gap = (here - pixels).ravel()
    gap -= slopes @ np.linalg.lstsq(slopes, gap, rcond=None)[0]
    return np.linalg.norm(gap.reshape(-1, 2), axis=1)


@pytest.fixture
def shown(board_held, rng):
    """`shown(number, reach, aslant_deg, lens=BOARD_LENS)`: what a finder would see, to .05 px, of boards as far from
    the picture's middle as `reach` (1: up to its edges)."""

    def show(number, reach=1.0, aslant_deg=35.0, lens=BOARD_LENS, size=BOARD_SIZE, far=(320, 650)):
        out = []
        for i in range(number):
            at = 0.5 + reach * (np.array([0.618034 * i % 1, 0.754878 * i % 1]) - 0.5)
            aslant = (*rng.uniform(-aslant_deg, aslant_deg, 2), rng.uniform(-20, 20))
            middle, turn = board_held(lens, size, at, rng.uniform(*far), aslant)
            flat = np.c_[PLACES - (165.0, 120.0), np.zeros(len(PLACES))] @ turn.T + middle
            ideal = flat[:, :2] / flat[:, 2:]
            pixels = lens.distort(ideal) * lens.focal_px + (lens.cx_px, lens.cy_px)
            inside = (flat[:, 2] > 0) & (np.hypot(*ideal.T) < lens.max_radius())
            inside &= ((pixels > 3) & (pixels < np.array(size) - 3)).all(axis=1)
            if inside.sum() >= 12:
                out.append(Sighting(PLACES[inside], pixels[inside] + rng.normal(0, 0.05, (inside.sum(), 2))))
        return out

    return show


@pytest.mark.slow
def test_the_lens_of_pictures_of_a_board_projects_as_the_true_one_all_over_the_picture(board_pictures):
    finder = BoardFinder(BOARD)
    sightings = [seen for picture in board_pictures if (seen := finder.find(picture)) is not None]
    found = measure_lens(sightings, *BOARD_SIZE)
    assert apart_px(found.lens, BOARD_LENS, BOARD_SIZE).max() < 0.3
    assert found.notes == ()
    assert found.rms_px < 0.15
    assert found.pictures >= 12
    assert found.covered > 0.8
    # Not what a lens without distortion, or with the axis in the middle, would do.
    assert apart_px(msgspec.structs.replace(BOARD_LENS, k2=0.06), BOARD_LENS, BOARD_SIZE).max() > 0.5


def test_a_lens_of_a_hundred_degrees_is_found(shown):
    found = measure_lens(shown(24, lens=WIDE, far=(200, 420)), *BOARD_SIZE)
    assert apart_px(found.lens, WIDE, BOARD_SIZE).max() < 0.3
    assert found.notes == ()


def test_views_bent_by_a_rolling_shutter_and_corners_taken_for_others_are_left_out(shown, rng):
    sightings = shown(20)
    for i in (2, 9, 14):
        pixels = sightings[i].pixels
        sightings[i] = Sighting(sightings[i].places_mm, pixels + np.outer((pixels[:, 1] / 540) ** 2, (6.0, 2.0)))
    for sighting in sightings[3:8]:
        sighting.pixels[0] += 1.5
    found = measure_lens(sightings, *BOARD_SIZE)
    assert found.pictures == len(sightings) - 3
    assert found.rms_px < 0.1
    assert apart_px(found.lens, BOARD_LENS, BOARD_SIZE).max() < 0.2


def test_of_a_video_full_of_views_only_those_are_taken_that_differ(shown):
    still = shown(3)[-1]
    found = measure_lens([*shown(60), *[still] * 50], *BOARD_SIZE)
    assert found.pictures <= 40
    assert apart_px(found.lens, BOARD_LENS, BOARD_SIZE).max() < 0.2


def test_too_few_views_are_refused_and_alike_ones_count_once(shown):
    with pytest.raises(LensNotMeasured, match="in 5 pictures, and 5 of them differ: at least 8"):
        measure_lens(shown(6)[:5], *BOARD_SIZE)
    with pytest.raises(LensNotMeasured, match="in 30 pictures, and 1 of them differ"):
        measure_lens(shown(3)[-1:] * 30, *BOARD_SIZE)


def test_a_board_that_was_held_only_into_the_middle_is_refused_with_the_edges_it_missed(shown):
    with pytest.raises(LensNotMeasured, match="the left and the right and the upper and the lower edge"):
        measure_lens(shown(20, reach=0.1, far=(650, 800)), *BOARD_SIZE)
    right_half = [
        Sighting(view.places_mm[right], view.pixels[right])
        for view in shown(60)
        if (right := view.pixels[:, 0] > 300).sum() > 20
    ]
    with pytest.raises(LensNotMeasured, match="near the left edge"):
        measure_lens(right_half, *BOARD_SIZE)


def test_a_board_that_always_faces_the_camera_is_refused(shown):
    with pytest.raises(LensNotMeasured, match="faces the camera"):
        measure_lens(shown(24, aslant_deg=3.0), *BOARD_SIZE)


def test_where_too_few_views_agree_with_each_other_it_is_refused(shown):
    sightings = shown(10)
    for i in (1, 4, 7):
        sightings[i] = Sighting(sightings[i].places_mm, sightings[i].pixels * (1.0, 1.1) + (0.0, 9.0 * i))
    with pytest.raises(LensNotMeasured, match="only 7 of 10 views of the board agree with one lens"):
        measure_lens(sightings, *BOARD_SIZE)


def test_a_camera_that_zoomed_between_the_pictures_gives_a_profile_that_is_not_to_be_trusted(shown):
    zoomed = [shown(2, lens=msgspec.structs.replace(BOARD_LENS, focal_px=focal)) for focal in range(350, 1300, 80)]
    assert measure_lens([view for views in zoomed for view in views], *BOARD_SIZE).notes


def test_a_board_that_is_not_flat_gives_a_profile_that_says_so(shown):
    warped = []
    for view in shown(20):
        x, y = ((view.places_mm - (165.0, 120.0)) / 165.0).T
        warped.append(Sighting(view.places_mm, view.pixels + np.c_[3.0 * x * y, 3.0 * x**2]))
    found = measure_lens(warped, *BOARD_SIZE)
    assert any("is it flat" in note for note in found.notes)


def test_a_board_that_was_not_shown_everywhere_gives_a_profile_that_says_so(shown):
    cross = []
    for view in shown(60):
        middle = np.abs(view.pixels / BOARD_SIZE - 0.5).min(axis=1) < 0.1
        if middle.sum() > 25:
            cross.append(Sighting(view.places_mm[middle], view.pixels[middle]))
    found = measure_lens(cross, *BOARD_SIZE)
    assert any("% of the picture" in note for note in found.notes), (found.covered, found.notes)
