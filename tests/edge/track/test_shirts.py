import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.track.shirts import UNSURE, Shirts

RED, BLUE = np.array([[90.0, 165, 150]]), np.array([[70.0, 140, 92]])
NOT_SEEN = np.full((1, 3), np.nan)
FIRST = np.array([0])


def seen(*colours):
    """Shirts of one track that was seen in these colours."""
    shirts = Shirts()
    shirts.add(NOT_SEEN)
    for colour in colours:
        shirts.learn(FIRST, colour)
    return shirts


def test_the_same_shirt_is_alike_and_another_teams_is_not():
    shirts = seen(RED, RED + 3, RED - 3)
    [[same, other]] = shirts.unlike(FIRST, np.concatenate([RED + 2, BLUE]))
    assert same < 0.15
    assert other > 0.95


def test_a_shirt_that_one_of_both_never_showed_is_neither():
    assert seen().unlike(FIRST, RED) == pytest.approx(UNSURE)
    assert seen(RED, RED, RED).unlike(FIRST, NOT_SEEN) == pytest.approx(UNSURE)


def test_one_look_is_trusted_less_than_three():
    once, thrice = (seen(*[RED] * looks).unlike(FIRST, BLUE) for looks in (1, 3))
    assert UNSURE < once < thrice


def test_one_wrong_look_is_forgotten():
    shirts = seen(*[RED] * 6, BLUE, *[RED] * 6)
    same, other = (float(shirts.unlike(FIRST, colour)[0, 0]) for colour in (RED, BLUE))
    assert same < 0.3
    assert other > 0.95


def test_what_was_not_seen_teaches_nothing():
    shirts = seen(RED, NOT_SEEN, NOT_SEEN)
    assert shirts.looks.tolist() == [1]
    assert shirts.lab == pytest.approx(RED)


def test_tracks_keep_their_own_colours():
    shirts = Shirts()
    shirts.add(np.concatenate([RED, BLUE, RED]))
    shirts.keep(np.array([False, True, True]))
    shirts.learn(np.array([1]), RED)
    assert shirts.lab == pytest.approx(np.concatenate([BLUE, RED]))
    assert shirts.looks.tolist() == [1, 2]


@given(arrays(np.float64, (4, 3), elements=st.floats(0, 255)), arrays(np.float64, (5, 3), elements=st.floats(0, 255)))
def test_likeness_is_a_share(known, others):
    shirts = Shirts()
    shirts.add(known)
    found = shirts.unlike(np.arange(4), others)
    assert found.shape == (4, 5)
    assert ((found >= 0) & (found <= 1)).all()
