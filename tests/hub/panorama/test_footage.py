from fractions import Fraction

import numpy as np
import pytest

from hub.panorama.footage import UnreadableSegment, file_frames, segment_frames, stored_frames
from hub.panorama.video import UnsuitableVideo, video_facts
from wire.rigtime import MILLISECOND, SECOND

from .conftest import HEIGHT, WIDTH, write_video

STEP = 40 * MILLISECOND


def stored(segments, last=None, gaps=None, first=0):
    """All that comes of these segments; `last` is the node's final one."""
    final = max(segments) if last is None else last
    gaps = gaps if gaps is not None else []
    return stored_frames(first, segments.get, lambda sequence: sequence <= final, (WIDTH, HEIGHT), gaps.append)


def made(make_segment, *sequences):
    return {q: make_segment(q, range(5 * q, 5 * q + 5), [i * STEP for i in range(5 * q, 5 * q + 5)]) for q in sequences}


def test_frames_come_with_their_capture_times_and_go_on_over_segments(make_segment, index_of):
    shots = list(stored(made(make_segment, 0, 1)))
    assert [shot.time_ns for shot in shots] == [i * STEP for i in range(10)]
    assert [index_of(shot.picture) for shot in shots] == list(range(10))


def test_planes_are_the_decoders_own_and_stay_good_while_later_frames_are_decoded(make_segment, index_of):
    segment = make_segment(0, range(40), [i * STEP for i in range(40)])
    shots = list(segment_frames(segment, print))
    assert [index_of(shot.picture) for shot in shots] == list(range(40))
    assert not any(plane.flags.owndata for shot in shots for plane in shot.picture)


def test_an_undecodable_segment_is_a_reported_gap_and_the_match_goes_on(make_segment, index_of):
    segments = made(make_segment, 0, 1)
    segments[0].video.write_bytes(b"not a video")
    gaps = []
    assert [index_of(shot.picture) for shot in stored(segments, gaps=gaps)] == list(range(5, 10))
    assert len(gaps) == 1
    with pytest.raises(UnreadableSegment, match="cannot be decoded"):
        list(segment_frames(segments[0], gaps.append))


def test_a_damaged_place_in_a_segment_costs_its_frames_and_shifts_no_other(make_segment, index_of):
    segment = make_segment(0, range(40), [i * STEP for i in range(40)])
    raw = bytearray(segment.video.read_bytes())
    at = raw.index(b"mdat") + (len(raw) - raw.index(b"mdat")) // 3
    raw[at : at + 60] = bytes(60)
    segment.video.write_bytes(bytes(raw))
    gaps = []
    shots = list(segment_frames(segment, gaps.append))
    numbers = [index_of(shot.picture) for shot in shots]
    assert [shot.time_ns for shot in shots] == [number * STEP for number in numbers]
    assert 12 <= len(numbers) < 40
    assert numbers[-1] == 39
    assert ["is damaged in one place" in str(gap) for gap in gaps] == [True]


def test_a_segment_that_will_never_come_is_stepped_over(make_segment, index_of):
    assert [index_of(shot.picture) for shot in stored(made(make_segment, 2))] == list(range(10, 15))


def test_a_damaged_tracks_file_is_a_gap_too(make_segment, index_of):
    segments = made(make_segment, 0, 1)
    segments[0].tracks.write_bytes(b"damaged")
    gaps = []
    assert [index_of(shot.picture) for shot in stored(segments, gaps=gaps)] == list(range(5, 10))
    assert "cannot be read" in str(gaps[0])


def test_a_segment_of_another_size_is_a_gap_that_names_both_sizes(make_segment, index_of):
    segments = made(make_segment, 0, 1)
    make_segment(0, range(5), [i * STEP for i in range(5)], size=(160, 96))
    gaps = []
    assert [index_of(shot.picture) for shot in stored(segments, gaps=gaps)] == list(range(5, 10))
    assert "has pictures of 160x96, but the camera was calibrated at 128x64" in str(gaps[0])


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_files_times_count_from_its_first_frame_and_go_by_its_time_stamps(tmp_path, index_of, ending):
    stamps = [0, 1, 2, 5, 6, 7, 8, 9.5, 10, 11]
    facts = video_facts(write_video(tmp_path / f"v.{ending}", range(10), stamps=[s + 20 for s in stamps]))
    shots = list(file_frames(facts, 0, print))
    assert [index_of(shot.picture) for shot in shots] == list(range(10))
    times = np.array([shot.time_ns for shot in shots])
    assert np.abs(times - np.array(stamps) * STEP).max() <= MILLISECOND


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_file_read_from_some_moment_on_gives_the_same_frames_from_there(tmp_path, index_of, ending):
    facts = video_facts(write_video(tmp_path / f"v.{ending}", range(60)))
    whole = [(shot.time_ns, index_of(shot.picture)) for shot in file_frames(facts, 0, print)]
    from_ns = 33 * STEP
    part = [(shot.time_ns, index_of(shot.picture)) for shot in file_frames(facts, from_ns, print)]
    assert part[0][0] <= from_ns
    assert part == whole[-len(part) :]


def test_a_file_that_changes_its_size_is_refused_where_it_does(tmp_path):
    path = tmp_path / "v.ts"
    small = write_video(tmp_path / "a.ts", range(10)).read_bytes()
    path.write_bytes(small + write_video(tmp_path / "b.ts", range(10), size=(160, 96)).read_bytes())
    with pytest.raises(UnsuitableVideo, match="changes its picture from 128x64 to 160x96"):
        list(file_frames(video_facts(path), 0, print))


def test_a_damaged_place_in_a_file_is_told_and_the_rest_is_read(tmp_path, index_of):
    path = write_video(tmp_path / "v.ts", range(60), rate=Fraction(25))
    facts = video_facts(path)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 188 * 2] = bytes(188 * 2)
    path.write_bytes(bytes(raw))
    gaps = []
    shots = list(file_frames(facts, 0, gaps.append))
    assert all(shot.time_ns == index_of(shot.picture) * STEP for shot in shots)
    assert shots[-1].time_ns == 59 * STEP
    assert SECOND < len(shots) * STEP < 60 * STEP
