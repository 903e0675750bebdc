from hypothesis import given
from hypothesis import strategies as st

from hub.panorama.windows import (
    FRAMES_PER_SECOND,
    WINDOW_FRAMES,
    WINDOW_NS,
    frame_time_ns,
    is_ready,
    sequences_between,
    sequences_needed,
    windows_in,
)
from wire.ids import node_id
from wire.rigtime import SECOND

LEFT, RIGHT = node_id("left"), node_id("right")


@given(st.integers(0, 5000), st.integers(-5 * SECOND, 5 * SECOND), st.integers(0, WINDOW_FRAMES - 1))
def test_the_segment_that_holds_a_frame_is_among_those_its_window_needs(window, offset, index):
    moment = frame_time_ns(0, window * WINDOW_FRAMES + index)
    sequence = (moment - offset) // WINDOW_NS
    if sequence >= 0:
        assert sequence in sequences_needed(window, offset)


@given(st.integers(-10 * SECOND, 6000 * SECOND), st.integers(0, 400 * SECOND), st.floats(0, 1))
def test_the_segment_of_any_moment_between_two_times_is_among_those_between_them(first, length, share):
    sequence = (first + int(share * length)) // WINDOW_NS
    between = sequences_between(first, first + length)
    assert sequence in between or sequence < 0
    assert len(between) <= length // WINDOW_NS + 2


@given(st.integers(0, 5000), st.integers(-5 * SECOND, 5 * SECOND))
def test_a_window_never_needs_more_than_three_segments(window, offset):
    assert len(sequences_needed(window, offset)) <= 3


def test_a_window_is_ready_when_each_of_its_segments_is_settled_on_every_node():
    offsets = {LEFT: 0, RIGHT: 0}
    needed = {(node, sequence) for node in offsets for sequence in sequences_needed(1, 0)}
    assert is_ready(1, offsets, lambda node, sequence: (node, sequence) in needed)
    for missing in needed:
        assert not is_ready(1, offsets, lambda node, sequence, m=missing: (node, sequence) in needed - {m})


def test_a_slow_clock_needs_later_segments():
    assert 3 in sequences_needed(2, -SECOND)
    assert 3 not in sequences_needed(2, SECOND)


def test_frames_are_spaced_evenly_without_drift():
    assert frame_time_ns(7, FRAMES_PER_SECOND * 3600) == 7 + 3600 * SECOND
    assert windows_in(WINDOW_NS) == 1
    assert windows_in(WINDOW_NS + 1) == 2
