import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.track.shirts import UNSURE, ShirtsSeen, unlike

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


def test_a_segment_tells_of_each_shirt_the_median_of_what_was_seen():
    seen = ShirtsSeen()
    assert seen.close(np.zeros(0, np.int64)) == {}
    for light in (90.0, 91, 140):
        seen.add(np.array([7, 3, 5]), np.array([[light, 165, 150], [60.0 + light, 140, 92], [np.nan] * 3]))
    assert seen.close(np.array([3, 5, 7])) == {7: (91, 165, 150), 3: (151, 140, 92)}


def test_a_shirt_not_seen_in_a_segment_keeps_the_colour_it_had_last_while_it_is_followed():
    seen = ShirtsSeen()
    for light in (90.0, 91, 140):
        seen.add(np.array([7, 3]), np.array([[light, 165, 150], [light, 140, 92]]))
    seen.close(np.array([7]))
    seen.add(np.array([8]), BLUE)
    assert seen.close(np.array([7, 8])) == {7: (140, 165, 150), 8: (70, 140, 92)}
    assert seen.close(np.zeros(0, np.int64)) == {7: (140, 165, 150), 8: (70, 140, 92)}
    assert seen.close(np.array([7, 8])) == {}
