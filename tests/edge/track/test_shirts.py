import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.track.shirts import UNSURE, unlike

RED, BLUE = np.array([[90.0, 165, 150]]), np.array([[70.0, 140, 92]])
NOT_SEEN = np.full((1, 3), np.nan)
COLOURS = st.floats(0, 255) | st.just(np.nan)


def test_the_same_shirt_in_sun_and_shade_is_nearer_than_another_teams():
    [[shade, other]] = unlike(RED, np.concatenate([RED - [20, 2, 2], BLUE]))
    assert shade < 0.4
    assert other == 1


def test_a_shirt_that_nobody_saw_is_neither():
    assert unlike(NOT_SEEN, RED) == pytest.approx(UNSURE)
    assert unlike(RED, NOT_SEEN) == pytest.approx(UNSURE)


@given(arrays(np.float64, (4, 3), elements=COLOURS), arrays(np.float64, (5, 3), elements=COLOURS))
def test_unlikeness_is_a_share_whatever_was_seen(known, seen):
    told = unlike(known, seen)
    assert told.shape == (4, 5)
    assert ((told >= 0) & (told <= 1)).all()
