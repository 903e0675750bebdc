"""The assistant on rendered pitches from cameras that are pointed well and badly."""

import av
import cv2
import msgspec
import numpy as np
import pytest

from edge.framing import Hint, assess, beep_pause_s
from simulator.pictures.camera import background
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch
from wire.rig import looking

PITCH = default_pitch(11)


def angles(rotation) -> tuple[float, float]:
    """Yaw and pitch of a camera's axis, degrees, as `looking` takes them."""
    x, y, z = np.asarray(rotation).reshape(3, 3)[2]
    return float(np.degrees(np.arctan2(x, y))), float(np.degrees(np.arcsin(z)))


@pytest.fixture(scope="module")
def pictures():
    """I420 planes of camera `index` of a rig, turned by degrees to the right and up, rolled."""
    cache = {}

    def picture(kind, index, right=0.0, up=0.0, roll=0.0, seed=3):
        key = (kind, index, right, up, roll, seed)
        if key not in cache:
            rig = virtual_rig(kind, PITCH, seed, 960, 540)
            camera = rig.rig.cameras[index]
            yaw, tilt = angles(camera.rotation)
            turned = msgspec.structs.replace(camera, rotation=looking(yaw + right, tilt + up, roll))
            rgb = background(turned, rig.faults[index], PITCH, seed).astype(np.uint8)
            cache[key] = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
        return cache[key]

    return picture


@pytest.mark.parametrize("kind", ["mast", "sideline"])
@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("seed", [3, 4])
def test_a_camera_that_is_pointed_well_is_told_so(pictures, kind, index, seed):
    framing, _ = assess(pictures(kind, index, seed=seed))
    assert framing.good, framing.sentences
    assert framing.score == 1.0
    assert framing.lines > 0


@pytest.mark.parametrize("kind", ["mast", "sideline"])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_camera_that_looks_down_has_to_be_tilted_up(pictures, kind, index):
    framing, _ = assess(pictures(kind, index, up=-10))
    assert framing.hints[0] is Hint.TILT_UP
    assert framing.score < 0.5


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_camera_that_looks_into_the_sky_and_cuts_the_near_line_has_to_be_tilted_down(pictures, index):
    framing, _ = assess(pictures("mast", index, up=10))
    assert framing.hints[0] is Hint.TILT_DOWN
    assert not framing.near_line
    assert "near line" in framing.sentences[0]


def test_sky_does_not_matter_while_the_near_line_is_in_the_picture(pictures):
    assert assess(pictures("sideline", 1, up=10))[0].good


def test_the_score_rises_all_the_way_to_good(pictures):
    scores = [assess(pictures("mast", 1, up=up))[0].score for up in (14, 10, 6, 0)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1] == 1.0


def test_a_camera_that_does_not_look_at_a_pitch_is_told_to(pictures):
    framing, _ = assess(pictures("mast", 1, up=35))
    assert framing.hints == (Hint.NO_PITCH,)


def test_a_rolled_camera_has_to_be_levelled(pictures):
    assert Hint.LEVEL in assess(pictures("mast", 1, roll=14))[0].hints


@pytest.mark.parametrize(
    ("spoil", "hint"),
    [
        (lambda bgr: cv2.GaussianBlur(bgr, (0, 0), 4), Hint.UNSHARP),
        (lambda bgr: (bgr * 0.25).astype(np.uint8), Hint.DARK),
        (lambda bgr: np.clip(bgr * 0.2 + 205, 0, 255).astype(np.uint8), None),
    ],
)
def test_a_spoilt_picture_is_never_called_good(pictures, spoil, hint):
    bgr = cv2.cvtColor(pictures("mast", 0), cv2.COLOR_YUV2BGR_I420)
    framing, _ = assess(cv2.cvtColor(spoil(bgr), cv2.COLOR_BGR2YUV_I420))
    assert not framing.good
    assert hint is None or hint in framing.hints


def test_pitch_on_one_side_only_says_which_way_to_turn(pictures):
    bgr = cv2.cvtColor(pictures("mast", 1), cv2.COLOR_YUV2BGR_I420)
    half = bgr.shape[1] * 2 // 5
    for side, hint in ((slice(0, half), Hint.TURN_RIGHT), (slice(-half, None), Hint.TURN_LEFT)):
        wall = bgr.copy()
        wall[:, side] = (90, 90, 160)
        assert assess(cv2.cvtColor(wall, cv2.COLOR_BGR2YUV_I420))[0].hints[0] is hint


def test_what_was_found_is_drawn_into_the_picture(pictures):
    framing, drawn = assess(pictures("mast", 0))
    assert drawn.shape == (360, 640, 3)
    assert ((drawn == (255, 0, 255)).all(axis=2)).sum() > 100
    assert ((drawn == (0, 200, 255)).all(axis=2)).sum() > 500
    assert framing.lines >= 3


def test_beeps_come_faster_the_better_the_picture():
    pauses = [beep_pause_s(score) for score in (0.0, 0.3, 0.6, 0.9, 1.0)]
    assert pauses == sorted(pauses, reverse=True)
    assert (round(pauses[0], 2), round(pauses[-1], 2)) == (1.5, 0.15)


@pytest.mark.footage
def test_real_pictures_are_framed_well(footage):
    for side in ("left", "right"):
        with av.open(str(footage / f"{side}.mp4")) as video:
            framing, _ = assess(next(video.decode(video=0)).to_ndarray(format="yuv420p"))
        assert framing.good, framing.sentences
        assert framing.near_line
