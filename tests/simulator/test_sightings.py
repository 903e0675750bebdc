import numpy as np
import pytest

from simulator.pictures.rigs import virtual_rig
from simulator.sightings import Faults, Scene, sightings
from wire.pitch import Pitch
from wire.tracks import Kind, decode_tracks, encode_tracks

START = 1_790_000_000_000_000_000


@pytest.fixture
def scene():
    t = np.arange(150) / 25
    people = np.stack([np.column_stack([x + t, np.full(150, y)]) for x, y in [(-10, -5), (0, 0), (12, 8)]], axis=1)
    ball = np.column_stack([3 * t, np.full(150, -3.0), np.full(150, 0.11)])
    return Scene(Pitch(55.0, 37.0, 7), 25.0, people, np.full(3, 1.6), np.array([(150, 180, 160)] * 3, float), ball)


def clean(**faults):
    return Faults(
        person_miss=0,
        break_per_s=0,
        false_people_per_s=0,
        spectators=0,
        false_balls_per_s=0,
        spare_balls=0,
        ball_miss=0,
        near_feet_miss=0,
        **faults,
    )


def test_equal_seeds_see_equally_and_others_differ(scene):
    rig = virtual_rig("mast", scene.pitch, 1).rig
    a, b, c = (sightings(scene, rig, seed, START)["centre"][0].box for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert a.shape != c.shape or not np.array_equal(a, c)


def test_feet_come_back_to_where_people_stood_at_the_corrected_time(scene):
    rig = virtual_rig("mast", scene.pitch, 1).rig
    off = []
    for camera in rig.cameras:
        for part in sightings(scene, rig, 1, START, clean(bottom_px=(0.0, 0.0), side_px=0.0))[camera.node]:
            kinds = {t.id: t.kind for t in part.tracklets}
            for frame, tracklet, box in zip(part.frame, part.tracklet, part.box, strict=True):
                if kinds[int(tracklet)] is not Kind.PERSON or box[3] - box[1] < 20 or box[3] > camera.height_px - 2:
                    continue
                at = (part.frame_times_ns[frame] + camera.clock_offset_ns - START) / 1e9
                foot = camera.to_plane([[(box[0] + box[2]) / 2, box[3]]])[0]
                people = scene.people[0] + (at, 0.0)
                off.append(np.hypot(*(people - foot).T).min())
    assert len(off) > 300
    assert np.median(off) < 0.3


def test_segments_are_what_a_node_would_write(scene):
    rig = virtual_rig("sideline", scene.pitch, 2).rig
    for parts in sightings(scene, rig, 3, START).values():
        assert [p.sequence for p in parts] == list(range(len(parts)))
        for part in parts:
            again = decode_tracks(encode_tracks(part))
            assert again.tracklets == part.tracklets
            np.testing.assert_array_equal(again.frame, part.frame)


def test_a_ball_at_the_feet_is_missed_more_often(scene):
    rig = virtual_rig("mast", scene.pitch, 1).rig
    at_feet = Scene(
        scene.pitch,
        25.0,
        scene.people,
        scene.heights_m,
        scene.colours_lab,
        np.column_stack([scene.people[:, 1] + 0.3, np.full(150, 0.11)]),
    )

    def found(what, faults):
        parts = sightings(what, rig, 1, START, faults)["centre"]
        return sum(np.isin(p.tracklet, [t.id for t in p.tracklets if t.kind is Kind.BALL]).sum() for p in parts)

    worse = Faults(spare_balls=0, false_balls_per_s=0, ball_miss=0, near_feet_miss=0.5)
    assert found(at_feet, worse) < 0.7 * found(at_feet, clean())
