import msgspec
import numpy as np
import pytest

from hub.calibrate.bearings import find_sights, turn_between
from hub.calibrate.crests import CrestMap
from hub.calibrate.lenses import usual_lens
from hub.calibrate.paint import markings, whiteness
from hub.calibrate.strokes import find_straights, find_strokes
from hub.calibrate.unaided import guess_poses, rays_by
from wire.rig import Rig, looking


def apart_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(a @ b.T) - 1) / 2, -1, 1))))


def test_strokes_lie_on_the_paint_and_point_along_it(small_mast: Rig, photograph):
    camera = small_mast.cameras[0]
    with_paint, without = (
        find_strokes(whiteness(photograph(camera, small_mast.pitch, painted=painted)))[0] for painted in (True, False)
    )
    ground = camera.to_plane(with_paint.middle)
    on_pitch = np.abs(ground).max(axis=1) < (small_mast.pitch.half_length + 1)
    assert on_pitch.sum() > 3 * (np.abs(camera.to_plane(without.middle)).max(axis=1) < 53.5).sum()
    near_line = np.abs(ground[:, 1] + small_mast.pitch.half_width) < 0.3
    assert near_line.sum() > 5
    step = camera.to_plane(with_paint.middle + with_paint.along)[near_line] - ground[near_line]
    assert np.median(np.abs(step[:, 1]) / np.hypot(*step.T)) < 0.05


@pytest.mark.parametrize("bend", [0.0, -0.255])
def test_lines_are_longest_through_the_lens_that_took_the_picture(small_mast: Rig, photograph, bend):
    """The photograph's lens bends by -0.255: through one that bends nothing a touchline falls into pieces."""
    camera = small_mast.cameras[0]
    strokes, _ = find_strokes(whiteness(photograph(camera, small_mast.pitch)))
    lens = usual_lens(camera.width_px, camera.height_px, 77.0, bend)
    found = find_straights(strokes, rays_by(lens), np.random.default_rng(0), most=8)
    assert ((found.weight**2).sum() > 3.0) == (bend != 0.0)


def test_the_true_pose_is_among_the_first_that_are_guessed(small_mast: Rig, photograph):
    camera = small_mast.cameras[0]
    strokes, ridges = find_strokes(whiteness(photograph(camera, small_mast.pitch)))
    lens = usual_lens(camera.width_px, camera.height_px, 77.0, -0.25)
    crests = CrestMap(ridges, camera.width_px, camera.height_px)
    pitch = small_mast.pitch
    guesses = guess_poses(camera.node, lens, strokes, crests, pitch, markings(pitch), np.random.default_rng(0))
    assert [guess.score for guess in guesses] == sorted((guess.score for guess in guesses), reverse=True)
    assert any(
        np.linalg.norm(guess.camera.centre_m - camera.centre) < 1.0 and apart_deg(guess.camera.turn, camera.turn) < 1.0
        for guess in guesses[:10]
    )


def test_the_true_pose_is_borne_out_better_than_one_that_is_a_little_off(small_mast: Rig, photograph):
    camera = small_mast.cameras[0]
    _, ridges = find_strokes(whiteness(photograph(camera, small_mast.pitch)))
    crests = CrestMap(ridges, camera.width_px, camera.height_px)
    places = camera.centre + np.array([[0.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [0, 0, 0.5], [-9.0, 0, 0]])
    turns = np.broadcast_to(camera.turn, (5, 3, 3))
    true, *others = crests.supports(camera.lens, turns, places, markings(small_mast.pitch).every(4))
    assert true > 30
    assert max(others) < 0.9 * true


def test_the_turn_between_neighbours_is_seen_without_any_pose(small_mast: Rig, photograph):
    left, right = small_mast.cameras
    # The wall behind the pitch looks much the same everywhere: more of it must be seen by both.
    right = msgspec.structs.replace(right, rotation=looking(10.0, -15.5, 0.0))
    found = turn_between(*(find_sights(photograph(c, small_mast.pitch), rays_by(c.lens)) for c in (left, right)), rng())
    assert found is not None
    assert apart_deg(found, right.turn @ left.turn.T) < 0.3


def test_two_pictures_that_share_nothing_have_no_turn_between_them(small_mast: Rig, photograph):
    left, right = small_mast.cameras
    grey = np.full((540, 960, 3), 90, np.uint8)
    seen = find_sights(photograph(left, small_mast.pitch), rays_by(left.lens))
    assert turn_between(seen, find_sights(grey, rays_by(right.lens)), rng()) is None


def rng() -> np.random.Generator:
    return np.random.default_rng(3)
