import pytest

from hub.panorama.footage import Footage, StoredSegment, UnreadableSegment, segment_frames
from wire.rigtime import MILLISECOND, SECOND

STEP = 40 * MILLISECOND
TOLERANCE = 60 * MILLISECOND


def footage(stored: dict[int, StoredSegment], last=None, offset=0, gaps=None, passed_over=()):
    def settled(sequence):
        return sequence in stored or sequence in passed_over or (last is not None and sequence > last)

    return Footage(stored.get, settled, 0, lambda: last, offset, (gaps if gaps is not None else []).append)


def test_the_frame_nearest_in_time_is_given_not_the_one_of_that_number(make_segment, index_of):
    times = [i * STEP + 11 * MILLISECOND for i in range(10)]
    camera = footage({0: make_segment(0, range(10), times)}, last=0)
    assert index_of(camera.nearest(3 * STEP, TOLERANCE)) == 3
    assert index_of(camera.nearest(4 * STEP + 32 * MILLISECOND, TOLERANCE)) == 5


def test_the_clock_offset_is_added_to_capture_times(make_segment, index_of):
    camera = footage({0: make_segment(0, range(10), [i * STEP for i in range(10)])}, last=0, offset=2 * STEP)
    assert index_of(camera.nearest(5 * STEP, TOLERANCE)) == 3


def test_frames_go_on_over_segments(make_segment, index_of):
    stored = {q: make_segment(q, range(5 * q, 5 * q + 5), [i * STEP for i in range(5 * q, 5 * q + 5)]) for q in (0, 1)}
    camera = footage(stored, last=1)
    assert [index_of(camera.nearest(i * STEP, TOLERANCE)) for i in range(10)] == list(range(10))


def test_a_lost_frame_repeats_its_neighbour_and_a_long_gap_is_none(make_segment, index_of):
    times = [0, STEP, 3 * STEP, 20 * STEP]
    camera = footage({0: make_segment(0, [0, 1, 3, 20], times)}, last=0)
    assert index_of(camera.nearest(2 * STEP, TOLERANCE)) in (1, 3)
    assert camera.nearest(10 * STEP, TOLERANCE) is None
    assert index_of(camera.nearest(20 * STEP, TOLERANCE)) == 20
    assert camera.nearest(25 * STEP, TOLERANCE) is None


def test_a_camera_that_begins_late_shows_its_first_picture_for_a_second_at_most(make_segment, index_of):
    stored = {0: make_segment(0, range(3), [2 * SECOND + i * STEP for i in range(3)])}
    assert footage(stored, last=0).nearest(0, TOLERANCE) is None
    assert index_of(footage(stored, last=0).nearest(SECOND + STEP, TOLERANCE)) == 0


def test_an_undecodable_segment_is_a_reported_gap_and_the_match_goes_on(make_segment, index_of):
    stored = {q: make_segment(q, range(5 * q, 5 * q + 5), [i * STEP for i in range(5 * q, 5 * q + 5)]) for q in (0, 1)}
    stored[0].video.write_bytes(b"not a video")
    gaps = []
    camera = footage(stored, last=1, gaps=gaps)
    assert index_of(camera.nearest(7 * STEP, TOLERANCE)) == 7
    assert len(gaps) == 1
    with pytest.raises(UnreadableSegment, match="cannot be decoded"):
        list(segment_frames(stored[0]))


def test_a_segment_that_will_never_come_is_stepped_over_and_one_that_may_is_waited_for(make_segment, index_of):
    stored = {2: make_segment(2, range(10, 15), [i * STEP for i in range(10, 15)])}
    assert footage(stored, last=None).nearest(12 * STEP, TOLERANCE) is None
    assert index_of(footage(stored, last=2, passed_over={0, 1}).nearest(12 * STEP, TOLERANCE)) == 12


def test_a_damaged_tracks_file_is_a_gap_too(make_segment, index_of):
    stored = {q: make_segment(q, range(5 * q, 5 * q + 5), [i * STEP for i in range(5 * q, 5 * q + 5)]) for q in (0, 1)}
    stored[0].tracks.write_bytes(b"damaged")
    gaps = []
    assert index_of(footage(stored, last=1, gaps=gaps).nearest(7 * STEP, TOLERANCE)) == 7
    assert "cannot be read" in str(gaps[0])
