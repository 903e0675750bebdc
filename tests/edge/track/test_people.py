import numpy as np
import pytest

from edge.detect.blobs import Blobs
from edge.detect.detector import Detections
from edge.detect.looks import Look
from edge.track.ids import tracklet_ids
from edge.track.people import NETWORK_LOOK, People
from wire.tracks import Kind

RATE, PASS_EVERY, TALL, WIDE = 25.0, 6, 80.0, 30.0
REGION = (0.0, 0.0, 1920.0, 1080.0)


def box(x, foot):
    return [x - WIDE / 2, foot - TALL, x + WIDE / 2, foot]


def detections(feet, score=0.8):
    boxes = np.array([box(x, y) for x, y in feet], np.float64).reshape(-1, 4)
    return Detections(boxes, np.full(len(boxes), score), np.full(len(boxes), int(Kind.PERSON)), REGION)


def blobs(feet):
    boxes = detections(feet).box
    return Blobs(boxes, (boxes[:, :2] + boxes[:, 2:]) / 2, np.full(len(boxes), 0.5 * WIDE * TALL), np.zeros(len(boxes)))


def follow(paths, frames, *, seen=lambda k: True, moving=lambda k: True, score=0.8):
    """Runs `People` over persons at paths(k); returns it and, per frame, the ids that were measured in it."""
    people, ids = People(tracklet_ids(), RATE), []
    for k in range(frames):
        people.advance(k)
        if k % PASS_EVERY == 0 and seen(k):
            people.see(detections(paths(k), score), NETWORK_LOOK)
        if moving(k):
            people.refine(blobs(paths(k)))
        ids.append(measured_now(people))
    return people, ids


def measured_now(people):
    """Where those believed were measured in this frame, by id."""
    series = people.measured.series()
    rows = [row for row in people.measured_now if people.believed[row]]
    return {int(t["id"]): tuple(series.place[series.number == t["number"]][-1]) for t in people.tracks[rows]}


def test_a_walker_is_one_track_measured_in_every_frame():
    _, ids = follow(lambda k: [(100 + 4 * k, 500)], 100)
    assert {i for now in ids for i in now} == {1}
    assert all(len(now) == 1 for now in ids[1:])


def test_two_who_cross_keep_their_ids():
    def paths(k):
        return [(300 + 5 * k, 500), (900 - 5 * k, 530)]

    _, ids = follow(paths, 120)
    first = {i: p for i, p in ids[20].items()}
    for number, (x, _) in first.items():
        goes_right = x < 600
        end_x = ids[-1][number][0]
        assert (end_x > 600) == goes_right
    assert set(ids[-1]) == set(first)


def test_a_merged_blob_measures_nobody():
    people = People(tracklet_ids(), RATE)
    feet = [(300, 500), (320, 500)]
    for k in range(0, 12):
        people.advance(k)
        if k % PASS_EVERY == 0:
            people.see(detections(feet), NETWORK_LOOK)
    people.advance(12)
    merged = np.array([[285.0, 420, 335, 500]])
    people.refine(Blobs(merged, np.array([[310.0, 460]]), np.array([3000.0]), np.zeros(1)))
    assert (people.tracks["last_frame"] < 12).all()


def test_a_weak_box_continues_a_track_but_begins_none():
    _, ids = follow(lambda k: [(400, 500)], 60, score=0.2, moving=lambda k: False)
    assert not any(ids)
    people = People(tracklet_ids(), RATE)
    for k in range(60):
        people.advance(k)
        if k % PASS_EVERY == 0:
            people.see(detections([(400, 500)], 0.8 if k < 12 else 0.2), NETWORK_LOOK)
    assert people.tracks["id"].tolist() == [1]


def test_one_false_box_is_never_believed():
    people, ids = follow(lambda k: [(400, 500)] if k == 0 else [], 80)
    assert not any(ids)
    assert not len(people.tracks)


def test_who_leaves_is_handed_over_and_forgotten():
    people, _ = follow(lambda k: [(400 + 3 * k, 500)] if k < 40 else [], 100)
    assert not len(people.tracks)
    assert people.over["id"].tolist() == [1]


def test_a_gap_without_any_measurement_is_bridged_but_not_filled():
    gap = range(30, 48)
    _, ids = follow(lambda k: [(100 + 4 * k, 500)], 90, seen=lambda k: k not in gap, moving=lambda k: k not in gap)
    assert not any(ids[k] for k in gap)
    assert set(ids[-1]) == {1}


def test_a_shadow_beside_the_feet_does_not_move_the_foot():
    people = People(tracklet_ids(), RATE)
    for k in range(40):
        people.advance(k)
        if k % PASS_EVERY == 0:
            people.see(detections([(400, 500)]), NETWORK_LOOK)
        body = np.array(box(400, 500))
        shadow = np.array([402.0, 500, 414, 506])
        both = np.stack([body, shadow])
        people.refine(Blobs(both, (both[:, :2] + both[:, 2:]) / 2, np.array([1200.0, 60]), np.zeros(2)))
    assert people.paths.place[0] == pytest.approx((400, 500), abs=1.5)


def test_a_stance_draws_a_track_to_where_the_person_stands():
    people, _ = follow(lambda k: [(100 + 4 * k, 500)], 60)
    before = people.paths.place[0].copy()
    people.advance(60)
    expected = people.paths.place[0].copy()
    people.stand(np.array([0]), np.array([[expected[0], expected[1] + 4]]))
    assert expected[1] < people.paths.place[0, 1] < expected[1] + 4
    assert people.paths.place[0, 0] == pytest.approx(expected[0])
    assert before[0] < expected[0]
    assert people.tracks["last_frame"][0] == 60


def missed_by(look, times, every=PASS_EVERY):
    """How many are left of two tracks, one 80 px tall at x 300 and one at x 1500, after so many looks found nobody."""
    people = People(tracklet_ids(), RATE)
    for k in range(10):
        people.advance(k)
        people.see(detections([(300, 500), (1500, 500)]), NETWORK_LOOK)
    for k in range(10, 10 + times * every):
        people.advance(k)
        people.refine(blobs([(300, 500), (1500, 500)]))
        if k % every == 0:
            people.see(detections([]), NETWORK_LOOK, [look])
    return len(people.tracks)


def test_who_was_looked_at_in_vain_again_and_again_is_given_up_and_nobody_else():
    left_half = Look((0, 0, 960, 1080), 960, 1088)
    assert missed_by(left_half, 6) == 1


def test_whom_a_look_shows_too_small_is_not_missed():
    from_afar = Look((0, 0, 1920, 1080), 352, 192)
    assert missed_by(from_afar, 6) == 2


def test_looks_in_quick_succession_count_as_one():
    everywhere = Look((0, 0, 1920, 1080), 992, 544)
    assert missed_by(everywhere, 10, every=1) == 2
    assert missed_by(everywhere, 40, every=1) == 0


RED, BLUE = [100.0, 190, 160], [90.0, 140, 90]


def two_after_they_met(shirts):
    """The numbers, left before right, of a red one from the left and a blue one from the right who both turned back
    where they met, unseen; `shirts` tells a box's colour by its place (m, 4)."""
    people = People(tracklet_ids(), RATE)
    for k in range(25):
        people.advance(k)
        feet = [(700 + 2 * k, 500), (812 - 2 * k, 500)]
        people.see(detections(feet), NETWORK_LOOK)
        people.wear(np.arange(2), np.array([RED, BLUE]))
    for k in range(25, 32):
        people.advance(k)
    people.see(detections([(738, 500), (774, 500)]), NETWORK_LOOK, (), shirts)
    assert len(people.tracks) == 2
    return people.tracks["number"][np.argsort(people.paths.place[:, 0])].tolist()


def test_two_who_turn_back_from_each_other_are_told_apart_by_their_shirts():
    def shirts(boxes):
        return np.where(boxes[:, :1] < 740, RED, BLUE)

    assert two_after_they_met(None) == [2, 1]
    assert two_after_they_met(shirts) == [1, 2]


def test_shirts_that_are_not_seen_change_nothing():
    assert two_after_they_met(lambda boxes: np.full((len(boxes), 3), np.nan)) == two_after_they_met(None)


def test_shirts_are_looked_at_only_where_somebody_could_be_taken_for_another():
    people = People(tracklet_ids(), RATE)
    asked = []

    def shirts(boxes):
        asked.append(len(boxes))
        return np.full((len(boxes), 3), np.nan)

    for k in range(3):
        people.advance(k)
        people.see(detections([(300, 500), (900, 500), (925, 500)]), NETWORK_LOOK, (), shirts)
    assert asked == [2, 2]


def test_a_hidden_shirt_is_not_learned():
    people = People(tracklet_ids(), RATE)
    people.advance(0)
    people.see(detections([(300, 500), (310, 510), (600, 500)]), NETWORK_LOOK)
    people.wear(np.arange(3), np.array([BLUE, RED, RED]))
    assert people.tracks["shirt_looks"].tolist() == [0, 1, 1]
    assert np.isnan(people.tracks["shirt"][0]).all()


def test_a_shirts_colour_is_the_mean_of_what_was_seen():
    people = People(tracklet_ids(), RATE)
    people.advance(0)
    people.see(detections([(300, 500)]), NETWORK_LOOK)
    for light in (100.0, 110, np.nan, 120):
        people.wear(np.array([0]), np.array([[light, 140, 150]]))
    assert people.tracks["shirt"][0] == pytest.approx((110, 140, 150))


def test_a_box_out_of_reach_continues_no_track_although_it_overlaps():
    def after(unseen):
        people = People(tracklet_ids(), RATE)
        for k in range(25 + unseen):
            people.advance(k)
            if k < 25:
                people.see(detections([(500, 500)]), NETWORK_LOOK)
        people.see(detections([(500, 540)]), NETWORK_LOOK)
        return int(people.tracks["number"][-1]), len(people.tracks)

    assert after(unseen=1) == (2, 2)
    assert after(unseen=20) == (1, 1)


def test_a_box_changes_a_tracks_size_by_how_long_nobody_measured_it_and_how_sure_it_is():
    def height(unseen, score):
        people = People(tracklet_ids(), RATE)
        for k in range(40 + unseen):
            people.advance(k)
            if k < 40:
                people.see(detections([(500, 500)]), NETWORK_LOOK)
        taller = Detections(np.array([[485.0, 400, 515, 500]]), np.array([score]), np.array([int(Kind.PERSON)]), REGION)
        people.see(taller, NETWORK_LOOK)
        assert len(people.tracks) == 1
        return people.sizes[0, 1]

    assert TALL < height(1, 0.8) < height(20, 0.8) < 100
    assert TALL < height(1, 0.4) < height(1, 0.8)
