from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.panorama.windows import (
    SEGMENT_NS,
    Cadence,
    common_cadence,
    is_ready,
    nominal_rate,
    sequences_between,
    sequences_needed,
)
from wire.ids import node_id
from wire.rigtime import SECOND

LEFT, RIGHT = node_id("left"), node_id("right")
CADENCES = st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50)]).map(Cadence)


@given(CADENCES, st.integers(0, 5000), st.integers(-5 * SECOND, 5 * SECOND), st.integers(0, 47))
def test_the_segment_that_holds_a_frame_is_among_those_its_window_needs(cadence, window, offset, index):
    moment = cadence.time_ns(window * cadence.window_frames + index)
    sequence = (moment - offset) // SEGMENT_NS
    if sequence >= 0:
        assert sequence in sequences_needed(cadence.window_span_ns(window), offset)


@given(st.integers(-10 * SECOND, 6000 * SECOND), st.integers(0, 400 * SECOND), st.floats(0, 1))
def test_the_segment_of_any_moment_between_two_times_is_among_those_between_them(first, length, share):
    sequence = (first + int(share * length)) // SEGMENT_NS
    between = sequences_between(first, first + length)
    assert sequence in between or sequence < 0
    assert len(between) <= length // SEGMENT_NS + 2


@given(CADENCES, st.integers(0, 5000), st.integers(-5 * SECOND, 5 * SECOND))
def test_a_window_never_needs_more_than_three_segments(cadence, window, offset):
    assert len(sequences_needed(cadence.window_span_ns(window), offset)) <= 3


def test_a_window_is_ready_when_each_of_its_segments_is_settled_on_every_node():
    offsets, span = {LEFT: 0, RIGHT: 0}, Cadence().window_span_ns(1)
    needed = {(node, sequence) for node in offsets for sequence in sequences_needed(span, 0)}
    assert is_ready(span, offsets, lambda node, sequence: (node, sequence) in needed)
    for missing in needed:
        assert not is_ready(span, offsets, lambda node, sequence, m=missing: (node, sequence) in needed - {m})


def test_a_slow_clock_needs_later_segments():
    span = Cadence().window_span_ns(2)
    assert 3 in sequences_needed(span, -SECOND)
    assert 3 not in sequences_needed(span, SECOND)


@given(CADENCES, st.integers(0, 500_000))
def test_frames_are_spaced_evenly_without_drift_and_counted_back_from_their_time(cadence, frame):
    assert abs(cadence.time_ns(frame) - Fraction(frame * SECOND) / cadence.rate) < 1
    assert cadence.frames_in(cadence.time_ns(frame) + 1) == frame
    assert cadence.windows_of(frame * cadence.window_frames) == frame
    assert cadence.windows_of(frame * cadence.window_frames + 1) == frame + 1


@pytest.mark.parametrize(
    ("counted", "meant"),
    [
        (Fraction(25), Fraction(25)),
        (Fraction(2493, 100), Fraction(25)),
        (Fraction(30003, 1000), Fraction(30)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction(2999, 100), Fraction(30)),
        (Fraction(2996, 100), Fraction(30000, 1001)),
        (Fraction(50), Fraction(50)),
        (Fraction(12), Fraction(12)),
        (Fraction(1234567, 100000), Fraction(1235, 100)),
    ],
)
def test_a_counted_rate_is_taken_for_the_usual_one_beside_it(counted, meant):
    assert nominal_rate(counted) == meant


def test_the_panorama_has_the_rate_of_most_cameras_and_of_two_that_of_the_faster():
    assert common_cadence([Fraction(30), Fraction(30), Fraction(60)]).rate == 30
    assert common_cadence([Fraction(24), Fraction(25)]).rate == 25
    assert common_cadence([]).rate == 25
    assert common_cadence([Fraction(30000, 1001)]).window_frames == 60
