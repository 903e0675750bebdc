import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from edge.detect.background import Front
from edge.track import spot_loops
from edge.track.spot import spots

SIDE = 41
MIDDLE = (SIDE / 2, SIDE / 2)


def before_nothing(luma):
    return Front(luma, np.zeros_like(luma), 1, np.zeros(2))


def spot(luma, diameter, expected=MIDDLE, reach=SIDE / 2):
    """The centre of the one that is wanted, or None."""
    [centre] = spots(before_nothing(luma), np.array([[*expected, reach, diameter]], np.float64))
    return None if np.isnan(centre).all() else centre


def painted(inside, side=SIDE):
    y, x = np.mgrid[0:side, 0:side] + 0.5
    return np.asarray(np.round(100 * np.clip(inside(x, y) + 0.5, 0, 1)), np.uint8)


def disc(at, diameter, side=SIDE):
    return painted(lambda x, y: diameter / 2 - np.hypot(x - at[0], y - at[1]), side)


@given(st.floats(14, 27), st.floats(14, 27), st.floats(4, 12))
def test_a_disc_is_found_to_half_a_pixel(x, y, diameter):
    found = spot(disc((x, y), diameter), diameter)
    assert found is not None
    assert found == pytest.approx((x, y), abs=0.5)


def test_of_two_discs_the_nearer_is_taken():
    both = np.maximum(disc((14, 20), 7), disc((30, 20), 7))
    found = spot(both, 7, (16, 20), reach=22)
    assert found is not None
    assert found == pytest.approx((14, 20), abs=0.5)


def test_a_disc_half_hidden_by_a_dark_foot_is_still_found():
    half = disc((20.5, 20.5), 9)
    half[22:] = 0
    found = spot(half, 9)
    assert found is not None
    assert math.dist(found, MIDDLE) < 3


@pytest.mark.parametrize(
    "shape",
    [
        lambda x, y: 4 - abs(x - 20.5),
        lambda x, y: 4 - abs(y - 20.5),
        lambda x, y: 15 - np.hypot(x - 20.5, y - 20.5),
        lambda x, y: -1 + 0 * x,
    ],
)
def test_lines_large_areas_and_nothing_are_no_spots(shape):
    assert spot(painted(shape), 8) is None


def test_a_disc_that_is_hardly_brighter_than_the_scene_is_none():
    faint = disc((20.5, 20.5), 8) // 6
    assert faint.max() == 16
    assert spot(faint, 8) is None
    assert spot(2 * faint, 8) is not None


@pytest.mark.parametrize(
    "place", [(-30.0, 20.0), (20.0, 80.0), (2.0, 20.0), (np.nan, 20.0), (20.0, np.nan), (1e300, 20.0)]
)
def test_where_the_picture_shows_no_window_as_large_as_the_ball_there_is_none(place):
    assert spot(np.full((SIDE, SIDE), 200, np.uint8), 8, place, reach=12) is None
    assert spot(np.full((6, 6), 200, np.uint8), 8, (3, 3)) is None


def test_each_is_found_in_its_own_window_and_by_its_own_size():
    luma = disc((30, 25), 6, 120) + disc((80, 90), 14, 120)
    wanted = np.array([[82.0, 88, 24, 14], [60, 40, 12, 8], [28, 26, 13, 6]])
    found = spots(before_nothing(luma), wanted)
    assert found[[0, 2]] == pytest.approx(np.array([[80, 90], [30, 25]]), abs=0.5)
    assert np.isnan(found[1]).all()
    assert spots(before_nothing(luma), wanted[:0]).shape == (0, 2)


@given(st.floats(40, 56), st.floats(36, 50), st.floats(5, 10), st.integers(1, 5), st.floats(-9, 9), st.floats(-9, 9))
def test_a_disc_stands_out_of_a_brighter_slope_that_the_camera_was_pushed_from(x, y, diameter, factor, right, down):
    row, column = np.mgrid[0:90, 0:96] // factor * factor + factor / 2
    y_of, x_of = np.mgrid[0:90, 0:96] + 0.5
    behind = np.asarray(np.round(column + 0.5 * row), np.uint8)[::factor, ::factor].copy()
    scene = np.clip(x_of - right, 0, 96) + 0.5 * np.clip(y_of - down, 0, 90)
    bright = 100 * np.clip(diameter / 2 + 0.5 - np.hypot(x_of - right - x, y_of - down - y), 0, 1)
    luma = np.asarray(np.round(scene + bright), np.uint8)
    wanted = np.array([[48.0, 43, 15 + 1.5 * diameter, diameter]])
    [found] = spots(Front(luma, behind, factor, np.array([right, down])), wanted)
    assert found == pytest.approx((x, y), abs=0.5)


def shown(front, corner, far):
    """The window as OpenCV enlarges what is behind; exact where `factor` is a power of two, as it then is here."""
    (x0, y0), (x1, y1) = corner, far
    rows, columns = front.luma.shape
    wide = np.clip((np.arange(x0, x1) - front.sway[0] + 0.5) / front.factor - 0.5, 0, front.behind.shape[1] - 1)
    high = np.clip((np.arange(y0, y1) - front.sway[1] + 0.5) / front.factor - 0.5, 0, front.behind.shape[0] - 1)
    maps = np.meshgrid(wide.astype(np.float32), high.astype(np.float32))
    behind = cv2.remap(front.behind.astype(np.float32), *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert 0 <= x0 < x1 <= columns
    assert 0 <= y0 < y1 <= rows
    return np.floor(np.maximum(front.luma[y0:y1, x0:x1] - behind + 0.5, 0)).astype(np.float32)


def likeness(window, of):
    side = len(of)
    squares = sliding_window_view(window.astype(float), (side, side))
    level = of - of.mean(dtype=float)
    spread = squares.var(axis=(2, 3)) * side**2
    products = np.einsum("yxij,ij->yx", squares, level)
    return np.where(spread > 1, products / np.sqrt(np.maximum(spread, 1) * (level**2).sum()), 0)


def top_of(before, top, after):
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def plainly(window, of, diameter, expected, distance, alike, drop, contrast):
    """What `spots` says of one window, by numpy's and OpenCV's calls one after the other."""
    side, half = len(of), len(of) / 2
    if min(window.shape) < side + 2 or window.max() < contrast:
        return np.full(2, np.nan)
    match = likeness(window, of)
    y, x = np.mgrid[0 : match.shape[0], 0 : match.shape[1]] + half
    far = ((x - expected[0]) ** 2 + (y - expected[1]) ** 2) / (min(window.shape) / 2 - half) ** 2
    at = np.unravel_index(np.argmax(match - distance * far), match.shape)
    last = np.array(match.shape) - 1
    while (np.array(at) > 0).all() and (at < last).all():
        around = match[at[0] - 1 : at[0] + 2, at[1] - 1 : at[1] + 2]
        if around.max() <= match[at]:
            break
        up, left = np.unravel_index(np.argmax(around), (3, 3))
        at = (at[0] + up - 1, at[1] + left - 1)
    row, column = at
    if not ((np.array(at) > 0).all() and (at < last).all() and match[at] >= alike):
        return np.full(2, np.nan)
    step = round(diameter / 2)

    def beside(down, right):
        return match[np.clip(row + step * down, 0, last[0]), np.clip(column + step * right, 0, last[1])]

    lines = [(1, 1), (1, 0), (1, -1), (0, 1)]
    if max(min(beside(*way), beside(-way[0], -way[1])) for way in lines) > match[at] - drop:
        return np.full(2, np.nan)
    inner = max(1, round(diameter / 4))
    middle = (row + side // 2, column + side // 2)
    if window[tuple(slice(m - inner, m + inner + 1) for m in middle)].mean() < contrast:
        return np.full(2, np.nan)
    across, along = match[row, column - 1 : column + 2], match[row - 1 : row + 2, column]
    return np.array([column + half + top_of(*across), row + half + top_of(*along)])


@given(st.integers(0, 10_000), st.sampled_from([1, 2, 4]), st.floats(3, 9), st.integers(-8, 8), st.integers(-8, 8))
def test_the_compiled_search_finds_what_a_plain_one_finds(seed, factor, diameter, right, down):
    random = np.random.default_rng(seed)
    behind = random.integers(60, 90, (72 // factor, 96 // factor), np.uint8)
    light = np.zeros((72, 96), np.float32)
    for x, y in random.uniform((20, 15), (76, 57), (6, 2)).tolist():
        light[round(y), round(x)] = 90 * diameter**2
    luma = cv2.GaussianBlur(light, (0, 0), diameter / 3) + random.uniform(60, 90, (72, 96))
    front = Front(np.clip(luma, 0, 255).astype(np.uint8), behind, factor, np.array([right, down]) / 4)
    radius = round(diameter)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    of = np.clip(diameter / 2 + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    wanted = np.column_stack(
        [random.uniform((10, 10), (86, 62), (4, 2)), random.uniform(8, 26, 4), np.full(4, diameter)]
    )
    limits = 0.6, 0.3, 0.05, 10.0
    found = spot_loops.spots(front.luma, behind, factor, front.sway, wanted, [of] * 4, *limits)
    for (*place, reach, _), centre in zip(wanted, found, strict=True):
        at = place + front.sway
        corner = np.maximum(np.floor(at - reach), 0).astype(int)
        window = shown(front, corner, np.minimum(np.ceil(at + reach), (96, 72)).astype(int))
        told = plainly(window, of, diameter, at - corner, *limits)
        assert centre == pytest.approx(told + corner - front.sway, abs=1e-3, nan_ok=True)
