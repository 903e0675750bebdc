import msgspec
import numpy as np
import pytest

from hub.panorama.footage import StoredSegment
from hub.panorama.people import SeenPeople
from hub.panorama.windows import USUAL
from wire.ids import node_id, session_id
from wire.rigtime import SECOND
from wire.tracks import Kind, SegmentTracks, Tracklet, encode_tracks

SESSION, START = session_id("s"), 1_000 * SECOND
FRAME = SECOND // 25


@pytest.fixture
def people(tmp_path, small_rig):
    """`people.see(node, name, {seconds: box}, kind)` lets a camera see somebody; `people(window)` is what is tested."""
    stored: dict[tuple[str, int], StoredSegment] = {}

    class Shelf:
        def stored(self, _session, node, sequence):
            return stored.get((node, sequence))

    class Seen(SeenPeople):
        def see(self, node, name, boxes, kind=Kind.PERSON, size=(480, 270)):
            for sequence in {int(seconds // 2) for seconds in boxes}:
                mine = {seconds: b for seconds, b in boxes.items() if seconds // 2 == sequence}
                frames = np.array([round((seconds - 2 * sequence) * 25) for seconds in mine])
                tracks = SegmentTracks(
                    SESSION,
                    node_id(node),
                    sequence,
                    *size,
                    "motion",
                    (Tracklet(name, kind),),
                    START + 2 * sequence * SECOND + np.arange(50) * FRAME,
                    frames,
                    np.full(len(mine), name),
                    np.array(list(mine.values()), float),
                    np.ones(len(mine)),
                )
                path = tmp_path / f"{node}-{sequence}.tracks"
                path.write_bytes(encode_tracks(tracks))
                stored[node, sequence] = StoredSegment(sequence, path.with_suffix(".mp4"), path)

        damaged = staticmethod(lambda node, sequence: stored[node, sequence].tracks.write_bytes(b"torn"))

    cameras = [msgspec.structs.replace(camera, clock_offset_ns=0) for camera in small_rig.cameras]
    return Seen(Shelf(), SESSION, START, cameras, USUAL)


def test_between_two_frames_that_measured_him_a_person_moves_evenly(people):
    people.see("left", 7, {2.0: (10, 20, 30, 80), 3.0: (60, 20, 80, 80)})
    left, right = people(1)
    assert left[:, 0].tolist() == pytest.approx([10, 20, 30, 40, 50, 60], abs=0.3)
    assert right.shape == (0, 4)


def test_a_person_is_followed_from_one_segment_to_the_next_and_not_beyond_the_window(people):
    people.see("left", 7, {1.6: (10, 20, 30, 80), 2.4: (90, 20, 110, 80)})
    assert people(0)[0][:, 0].tolist() == pytest.approx([10, 30, 50], abs=0.3)
    assert people(1)[0][:, 0].tolist() == pytest.approx([50, 70, 90], abs=0.3)
    assert not len(people(2)[0])


def test_over_a_long_gap_nobody_is_made_up_and_a_ball_is_no_person(people):
    people.see("left", 7, {0.0: (10, 20, 30, 80), 1.2: (60, 20, 80, 80)})
    people.see("right", 8, {0.0: (10, 20, 30, 80), 0.4: (60, 20, 80, 80)}, Kind.BALL)
    left, right = people(0)
    assert not len(left)
    assert not len(right)


def test_a_person_seen_once_is_there_around_that_time(people):
    people.see("left", 7, {0.52: (10, 20, 30, 80)})
    assert len(people(0)[0]) == 1
    assert not len(people(1)[0])


def test_boxes_are_in_pixels_as_calibrated_and_damaged_tracks_tell_nothing(people):
    people.see("left", 7, {0.0: (10, 20, 30, 80), 0.4: (10, 20, 30, 80)}, size=(960, 540))
    assert people(0)[0][0].tolist() == pytest.approx([5, 10, 15, 40], abs=0.2)
    people.damaged("left", 0)
    assert not len(people(0)[0])
