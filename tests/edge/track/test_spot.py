import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.track.spot import spot

SIDE = 41
MIDDLE = np.array([SIDE / 2, SIDE / 2])


def painted(inside):
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    return np.asarray(np.round(100 * np.clip(inside(x, y) + 0.5, 0, 1)), np.uint8)


def disc(at, diameter):
    return painted(lambda x, y: diameter / 2 - np.hypot(x - at[0], y - at[1]))


@given(st.floats(14, 27), st.floats(14, 27), st.floats(4, 12))
def test_a_disc_is_found_to_half_a_pixel(x, y, diameter):
    found = spot(disc((x, y), diameter), diameter, MIDDLE)
    assert found is not None
    assert found == pytest.approx((x, y), abs=0.5)


def test_of_two_discs_the_nearer_is_taken():
    both = np.maximum(disc((14, 20), 7), disc((30, 20), 7))
    found = spot(both, 7, np.array([16.0, 20]))
    assert found is not None
    assert found == pytest.approx((14, 20), abs=0.5)


def test_a_disc_half_hidden_by_a_dark_foot_is_still_found():
    half = disc((20.5, 20.5), 9)
    half[22:] = 0
    found = spot(half, 9, MIDDLE)
    assert found is not None
    assert np.hypot(*(found - MIDDLE)) < 3


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
    assert spot(painted(shape), 8, MIDDLE) is None


def test_a_window_smaller_than_the_ball_holds_none():
    assert spot(np.zeros((0, 0), np.uint8), 8, np.zeros(2)) is None
    assert spot(np.full((6, 6), 200, np.uint8), 8, np.full(2, 3.0)) is None
