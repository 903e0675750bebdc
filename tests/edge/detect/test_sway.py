import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.detect.background import Background
from edge.detect.motion import MotionDetector
from edge.detect.picture import planes_of
from edge.detect.sway import MOST, Sway
from edge.frame import Frame
from wire.tracks import Kind

WIDTH, HEIGHT, RATE = 1280, 720, 25.0
LIGHT = (1.0, 1.0, 1.0)
NOBODY = np.zeros((0, 4))


def scene():
    """Grass, lines and a fence with trees behind it: luma (h, w), wider than a picture by 20 on all sides."""
    random = np.random.default_rng(4)
    high, wide = HEIGHT + 40, WIDTH + 40
    grass = 95 + cv2.resize(random.normal(0, 14, (high // 4, wide // 4)).astype(np.float32), (wide, high))
    grass[:140] = 60 + cv2.resize(random.normal(0, 25, (20, wide // 8)).astype(np.float32), (wide, 140))
    for y in (170, 420, 700):
        grass[y : y + 5] = 210
    for x in (200, 660, 1100):
        grass[140:, x : x + 4] = 210
    grass[100:140, ::24] = 30
    return grass


SCENE = scene()


def picture(number, push=(0.0, 0.0), light=LIGHT, walker=True):
    """I420 planes of the scene as a camera sees it that is pushed and under such a light: its luma, both chromas."""
    luma = SCENE.copy()
    chroma = np.full(SCENE.shape, 120, np.float32)
    if walker:
        x, foot = 300 + 3 * number, 560
        luma[foot - 62 : foot, x : x + 20] = 35
        chroma[foot - 62 : foot - 28, x : x + 20] = 160
    back = np.array([[1.0, 0, -push[0] + 20], [0, 1, -push[1] + 20]])
    seen = [
        cv2.warpAffine(plane, back, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        for plane in (luma, chroma)
    ]
    planes = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
    noise = np.random.default_rng(number).normal(0, 1.5, (HEIGHT, WIDTH))
    for part, plane, factor in zip(
        planes_of(planes), (seen[0] + noise, seen[1][::2, ::2], seen[1][::2, ::2]), light, strict=True
    ):
        part[:] = np.clip(plane * factor, 0, 255)
    return planes


def push(number, most):
    return most * np.sin(0.28 * number), 0.6 * most * np.sin(0.36 * number + 1)


def watched(pictures):
    """What the motion detector finds in the last 40 of these pictures."""
    detector = MotionDetector(WIDTH, HEIGHT, RATE)
    found = [detector.detect(Frame(planes, k * 40_000_000, k)) for k, planes in enumerate(pictures)]
    return found[-40:], detector


def is_at(box, x, foot):
    return abs((box[0] + box[2]) / 2 - x) < 12 and abs(box[3] - foot) < 10


@pytest.mark.parametrize("most", [0.0, 1.0, 2.5])
def test_a_camera_that_sways_in_the_wind_sees_who_walks_and_nothing_else(most):
    frames = 130
    found, _ = watched(picture(k, push(k, most)) for k in range(frames))
    boxes = [f.of(Kind.PERSON).box for f in found]
    walkers = [300 - 20 + 3 * k + 10 for k in range(frames - 40, frames)]
    seen = [any(is_at(box, x, 560 - 20) for box in now) for now, x in zip(boxes, walkers, strict=True)]
    assert np.mean(seen) > 0.8
    assert np.mean([len(f.box) for f in found]) < 2.5


@given(st.floats(-1.8, 1.8), st.floats(-1.8, 1.8))
@settings(max_examples=20)
def test_a_push_is_measured_to_a_fraction_of_a_pixel(x, y):
    usual = np.uint8(SCENE[::2, ::2])
    back = np.array([[1.0, 0, -x], [0, 1, -y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    now = cv2.warpAffine(usual, back, usual.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    sway = Sway()
    sway.anchor(usual)
    told = sway.of(now)
    assert told == pytest.approx((x, y), abs=0.2)


def test_where_nothing_can_be_told_the_camera_is_taken_to_stand():
    even, textured = np.full((360, 640), 90, np.uint8), np.uint8(SCENE[::2, ::2])
    sway = Sway()
    assert not sway.of(textured).any()
    sway.anchor(even)
    assert not sway.of(even).any()
    sway.anchor(textured)
    assert not sway.of(np.full_like(textured, 90)).any()
    assert not sway.of(np.roll(textured, 3 * int(MOST), axis=1)).any()


def test_a_screen_that_scrolls_beside_the_pitch_moves_nothing_else():
    usual = np.uint8(SCENE[::2, ::2])
    board = np.random.default_rng(7).integers(0, 2, (14, 60)).repeat(8, axis=1).astype(np.uint8) * 200 + 30
    sway = Sway()
    for number in range(20):
        now = usual.copy()
        now[72:86, 100:580] = np.roll(board, 2 * number, axis=1)
        if not number:
            sway.anchor(now)
        assert np.abs(sway.of(now)).max() < 0.1


LAMPS = {
    "switched on": lambda k: (1.0, 1.0, 1.0) if k < 80 else (1.5, 1.0, 1.0),
    "of another colour": lambda k: (1.0, 1.0, 1.0) if k < 80 else (1.3, 1.06, 0.96),
    "flickering": lambda k: (1.0 + 0.06 * np.sin(2.1 * k), 1.0, 1.0),
}


@pytest.mark.parametrize("lamp", LAMPS.values(), ids=LAMPS)
def test_floodlights_do_not_flood_the_picture(lamp):
    found, detector = watched(picture(k, light=lamp(k)) for k in range(170))
    assert np.mean([len(f.box) for f in found]) < 3
    assert detector.moving.size


def seen_small(number, push):
    """What a camera of half the size sees: I420 planes without anybody."""
    planes = np.full((HEIGHT // 2 * 3 // 2, WIDTH // 2), 120, np.uint8)
    back = np.array([[1.0, 0, -push[0]], [0, 1, -push[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    luma = cv2.warpAffine(SCENE[::2, ::2], back, SCENE[::2, ::2].shape[::-1], flags=flags)[10:-10, 10:-10]
    luma = luma + np.random.default_rng(number).normal(0, 1.5, luma.shape)
    planes_of(planes)[0][:] = np.clip(luma, 0, 255)
    return planes


def looked_at(background, number, push, kept=NOBODY):
    foreground = background.look(seen_small(number, push), kept)
    return foreground.sway.copy(), int(np.count_nonzero(foreground.mask))


def small_background(rate=10.0):
    return Background(WIDTH // 2, HEIGHT // 2, rate)


def test_a_picture_that_cannot_be_told_does_not_lose_a_camera_that_swings_far():
    usual = np.uint8(SCENE[::2, ::2])
    sway = Sway()
    sway.anchor(usual)
    for x in (2, 4, 5):
        assert sway.of(np.roll(usual, x, axis=1)) == pytest.approx((x, 0), abs=0.2)
    assert 3 < sway.of(np.full_like(usual, 90))[0] < 5
    assert sway.of(np.roll(usual, 5, axis=1)) == pytest.approx((5, 0), abs=0.2)


def test_a_camera_rests_in_the_middle_of_its_swing_wherever_its_first_picture_was_taken():
    background = small_background()
    told = [looked_at(background, k, (2.5 * np.cos(0.3 * k), 0.0))[0] for k in range(250)]
    assert np.abs(np.mean(told[-90:], axis=0)).max() < 0.3
    assert np.max(told[-90:], axis=0)[0] == pytest.approx(2.5, abs=0.4)


def test_a_camera_that_was_pushed_for_good_rests_where_it_is_now():
    background = small_background(rate=3.0)
    for k in range(60):
        looked_at(background, k, (0.0, 0.0))
    pushed, _ = looked_at(background, 60, (2.0, -1.0))
    assert pushed == pytest.approx((2.0, -1.0), abs=0.4)
    after = [looked_at(background, k, (2.0, -1.0)) for k in range(61, 500)]
    assert not any(sway.any() for sway, _ in after[-30:])
    assert max(different for _, different in after[-30:]) < 20


def test_what_came_into_the_picture_by_a_push_is_nothing_new():
    background = small_background()
    # So many that the last one was no look for a sway, and the next one is.
    for k in range(141):
        looked_at(background, k, (0.0, 0.0))
    for k, push in enumerate([(1.8, 0), (-1.8, 0), (0, 1.8), (0, -1.8)]):
        sway, different = looked_at(background, 200 + k, push)
        looked_at(background, 300 + k, (0.0, 0.0))
        assert sway == pytest.approx(push, abs=0.3)
        assert not different


def test_somebody_beyond_the_edge_keeps_nothing_in_the_picture_from_becoming_background():
    background = small_background()
    for k in range(130):
        looked_at(background, k, (0.0, 0.0))
    beyond = np.array([[-90.0, -90.0, -40.0, -40.0]])
    different = []
    for k in range(200):
        planes = seen_small(k, (0.0, 0.0))
        planes_of(planes)[0][200:240, 300:320] = 240
        different.append(np.count_nonzero(background.look(planes, beyond).mask))
    assert different[0] > 700
    assert different[-1] < 20
