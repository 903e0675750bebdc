"""The compiled steps of tracks and of ball hypotheses, beside what numpy makes of the same numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect import blob_loops as of_blobs
from edge.track import ball_loops as of_balls
from edge.track import loops as of_tracks
from edge.track import row_loops as of_rows
from edge.track.ball import HYPOTHESIS, WITHIN
from edge.track.paths import Paths
from edge.track.people import TRACK

SEEDS = st.integers(0, 10_000)


def boxes(random, count):
    corner, size = random.uniform(0, 90, (count, 2)), random.uniform(1, 40, (count, 2))
    return np.concatenate([corner, corner + size], axis=1)


@given(SEEDS)
def test_a_torso_is_hidden_by_a_nearer_box_that_covers_more_than_that_share_of_it(seed):
    all_boxes = boxes(np.random.default_rng(seed), 7)
    told = of_tracks.hidden(all_boxes, 0.2, 0.5, 0.25)
    for one, (x0, y0, x1, y1) in enumerate(all_boxes):
        torso = np.array([[x0, y0 + 0.2 * (y1 - y0), x1, y0 + 0.5 * (y1 - y0)]])
        nearer = all_boxes[all_boxes[:, 3] > y1]
        low, high = np.maximum(torso[:, :2], nearer[:, :2]), np.minimum(torso[:, 2:], nearer[:, 2:])
        covered = np.maximum(high - low, 0).prod(axis=1) / (torso[0, 2:] - torso[0, :2]).prod()
        assert told[one] == (covered > 0.25).any()


@given(SEEDS)
def test_torsos_are_sampled_at_even_steps_and_never_outside_of_the_picture(seed):
    random = np.random.default_rng(seed)
    luma, blue, red = (random.integers(16, 236, size, np.uint8) for size in ((60, 80), (30, 40), (30, 40)))
    all_boxes = boxes(random, 5) - 15
    told = of_tracks.torsos(luma, blue, red, all_boxes, (0.2, 0.1, 0.8, 0.5), 4)
    for (x0, y0, x1, y1), samples in zip(all_boxes, told, strict=True):
        x = np.clip(np.linspace(x0 + 0.2 * (x1 - x0), x0 + 0.8 * (x1 - x0), 4).astype(int), 0, 79)
        y = np.clip(np.linspace(y0 + 0.1 * (y1 - y0), y0 + 0.5 * (y1 - y0), 4).astype(int), 0, 59)
        light = (luma[np.ix_(y, x)].ravel().astype(float) - 16) * 255 / 219
        assert np.abs(samples[:, 0] - light).max() <= 1
        assert np.array_equal(samples[:, 1], red[np.ix_(y // 2, x // 2)].ravel())
        assert np.array_equal(samples[:, 2], blue[np.ix_(y // 2, x // 2)].ravel())


@given(SEEDS, st.lists(st.integers(1, 9), max_size=6))
def test_medians_are_those_of_so_many_rows_at_a_time(seed, counts):
    values = np.random.default_rng(seed).integers(0, 6, (sum(counts), 3)).astype(float)
    told = of_rows.medians(values, np.array(counts, np.intp))
    groups = np.split(values, np.cumsum(counts)[:-1]) if counts else []
    assert told.tolist() == [np.median(group, axis=0).tolist() for group in groups]


def hypotheses(random, count):
    balls = np.zeros(count, HYPOTHESIS)
    balls["id"] = random.integers(0, 2, count) * random.integers(1, 90, count)
    balls["hits"], balls["alone"] = random.integers(1, 4, count), random.integers(0, 3, count)
    balls["last_frame"] = random.integers(90, 101, count)
    balls["diameter"], balls["tall"] = random.uniform(3, 20, count), random.uniform(20, 160, count)
    balls["recent_frame"] = np.sort(random.integers(80, 101, (count, WITHIN)), axis=1)
    balls["recent"] = random.uniform(0, 90, (count, WITHIN, 2))
    balls["number"], balls["whiteness"] = random.permutation(count), random.random(count)
    return balls


def paths(random, count):
    found = Paths()
    found.add(random.uniform(0, 90, (count, 2)), random.uniform(1, 9, count), random.uniform(1, 9, count))
    found.speed[:] = random.uniform(-3, 3, (count, 2))
    return found


def tracks(random, count):
    persons = np.zeros(count, TRACK)
    persons["id"] = random.integers(0, 2, count)
    persons["last_frame"], persons["unseen"] = random.integers(90, 101, count), random.integers(0, 9, count)
    persons["start"], persons["size"] = random.uniform(0, 90, (count, 2)), random.uniform(10, 60, (count, 2))
    persons["carried"], persons["moved"] = 3, random.integers(0, 2, count)
    return persons


def corrected(place, speed, cov, measured, variance):
    """One point's place, speed and covariance after Kalman's correction, by its matrices."""
    before = np.array([[cov[0], cov[1]], [cov[1], cov[2]]])
    gain = before @ [1.0, 0.0] / (cov[0] + variance)
    after = before - np.outer(gain, [1.0, 0.0]) @ before
    off = measured - place
    return place + gain[0] * off, speed + gain[1] * off, np.array([after[0, 0], after[0, 1], after[1, 1]])


def stepped(place, speed, cov, acceleration):
    """One point's place, speed and covariance a frame later, by its matrices; a hundredth of the speed is lost."""
    onward = np.array([[1.0, 1.0], [0.0, 0.99]])
    before = np.array([[cov[0], cov[1]], [cov[1], cov[2]]])
    after = onward @ before @ onward.T + acceleration**2 * np.array([[0.25, 0.5], [0.5, 1.0]])
    return place + speed, 0.99 * speed, np.array([after[0, 0], after[0, 1], after[1, 1]])


def assert_filters(them, before, change):
    """That each row's filter is what `change(row, place, speed, cov)` makes of it."""
    for row, was in enumerate(zip(*before, strict=True)):
        for now, wanted in zip((them.place, them.speed, them.cov), change(row, *was), strict=True):
            assert now[row] == pytest.approx(wanted)


def filters_of(them):
    return [part.copy() for part in (them.place, them.speed, them.cov)]


def boxes_of(persons, them):
    (x, y), (width, height) = them.place.T, persons["size"].T
    return np.stack([x - width / 2, y - height, x + width / 2, y], axis=1)


@given(SEEDS)
def test_who_walks_on_is_overdue_twice_as_soon_when_he_is_not_believed(seed):
    random = np.random.default_rng(seed)
    persons, them = tracks(random, 30), paths(random, 30)
    before, filters = persons.copy(), filters_of(them)
    share = np.where(persons["id"] > 0, 1, 2)
    gone = (100 - persons["last_frame"] > 7 // share) | (persons["unseen"] >= 8 // share)
    told = of_tracks.walked(persons, them.place, them.speed, them.cov, 100, 7, 8, 0.05, 0.99, (0.3, 0.1))
    assert told == np.flatnonzero(gone).tolist()
    assert persons["doubt"] == pytest.approx(before["doubt"] + (0.3, 0.1))
    assert_filters(them, filters, lambda row, *was: stepped(*was, 0.05 * before["size"][row, 1]))


@given(SEEDS)
def test_a_person_stands_on_the_middle_of_his_boxs_lower_edge(seed):
    random = np.random.default_rng(seed)
    persons, them = tracks(random, 6), paths(random, 6)
    assert of_tracks.boxes(persons, them.place) == pytest.approx(boxes_of(persons, them))


@given(SEEDS)
def test_boxes_fit_that_overlap_and_are_within_reach(seed):
    random = np.random.default_rng(seed)
    persons, them, rows, found = tracks(random, 6), paths(random, 6), random.permutation(6)[:4], boxes(random, 5)
    wider = [
        b + 0.2 * (b[:, 2:] - b[:, :2])[:, [0, 1, 0, 1]] * (-1, -1, 1, 1) for b in (boxes_of(persons, them), found)
    ]
    share = of_blobs.shared(wider[0][rows], wider[1])
    feet = np.stack([found[:, [0, 2]].mean(axis=1), found[:, 3]], axis=1)
    reach = 12 * (them.cov[rows, 0] + (0.1 * persons["size"][rows, 1]) ** 2)
    near = ((them.place[rows, None] - feet) ** 2).sum(axis=2) < reach[:, None]
    told = of_tracks.fits(persons, them.place, them.cov, rows, found, 0.2, 0.1, 0.1, 12.0)
    assert told == pytest.approx(np.where(near & (share > 0.1), share, 0.0))


@given(SEEDS)
def test_a_sure_box_changes_a_size_more_than_a_weak_one(seed):
    random = np.random.default_rng(seed)
    persons, rows, box, score = tracks(random, 6), random.permutation(6)[:4], boxes(random, 4), random.random(4)
    persons["doubt"] = random.uniform(0.001, 0.1, (6, 2))
    before = persons.copy()
    of_tracks.resized(persons, rows, box, score, (0.12, 0.04), 0.8, 4.0)
    variance = (1 + 4 * np.maximum(0.8 - score, 0))[:, None] * np.square((0.12, 0.04))
    gain = before["doubt"][rows] / (before["doubt"][rows] + variance)
    sizes = before["size"][rows] + gain * (box[:, 2:] - box[:, :2] - before["size"][rows])
    assert persons["size"][rows] == pytest.approx(sizes)
    assert persons["doubt"][rows] == pytest.approx((1 - gain) * before["doubt"][rows])
    assert persons["score"][rows] == pytest.approx(0.7 * before["score"][rows] + 0.3 * score)
    assert not persons["unseen"][rows].any()
    others = np.delete(np.arange(6), rows)
    assert (persons[others] == before[others]).all()


@given(SEEDS)
def test_boxes_have_rivals_that_fit_several_tracks_or_whose_track_fits_several(seed):
    share = np.random.default_rng(seed).uniform(-2, 1, (5, 6)).clip(0)
    fits = share > 0
    rivals = fits & ((fits.sum(axis=1, keepdims=True) > 1) | (fits.sum(axis=0) > 1))
    assert of_tracks.rivalled(share).tolist() == np.flatnonzero(rivals.any(axis=0)).tolist()


@given(SEEDS)
def test_who_is_whole_and_large_enough_in_one_of_the_parts_is_missed(seed):
    random = np.random.default_rng(seed)
    persons, them, rows = tracks(random, 20), paths(random, 20), random.permutation(20)[:15]
    persons["missed_frame"] = random.integers(94, 100, 20)
    corner, side = random.uniform(-50, 40, (3, 2)), random.uniform(60, 150, (3, 2))
    parts = np.concatenate([corner, corner + side, random.uniform(0.5, 2, (3, 1))], axis=1)
    before, own = persons.copy(), boxes_of(persons, them)
    middle, tall = own[:, [0, 2]].mean(axis=1), own[:, 3] - own[:, 1]
    seen = np.zeros(20, bool)
    for x0, y0, x1, y1, scale in parts:
        inside = (middle > x0) & (middle < x1) & (own[:, 1] > y0 - 1) & (own[:, 3] < y1 + 1)
        seen |= inside & (tall * scale > 25)
    of_tracks.missed(persons, them.place, rows, parts, 25.0, 100, 3, 8)
    gone = seen & np.isin(np.arange(20), rows) & (before["missed_frame"] <= 97)
    assert persons["unseen"].tolist() == (before["unseen"] + 8 * gone).tolist()
    assert persons["missed_frame"].tolist() == np.where(gone, 100, before["missed_frame"]).tolist()


@given(SEEDS)
def test_of_two_in_one_place_the_one_not_seen_for_longer_is_a_double_else_the_younger(seed):
    random = np.random.default_rng(seed)
    persons, them = tracks(random, 8), paths(random, 8)
    persons["born"], persons["last_frame"] = random.permutation(8), random.integers(98, 101, 8)
    share, gone = of_blobs.shared(*[boxes_of(persons, them)] * 2), set()
    for one, other in zip(*np.nonzero(np.triu(share > 0.2, 1)), strict=True):
        gone.add(min((one, other), key=lambda row: (persons["last_frame"][row], -persons["born"][row])))
    told = of_tracks.doubles(persons, them.place, 0.2)
    assert told == sorted(gone)


@given(SEEDS)
def test_who_moves_and_was_measured_a_frame_ago_is_adrift(seed):
    random = np.random.default_rng(seed)
    persons, them = tracks(random, 12), paths(random, 12)
    persons["carried"], persons["last_frame"] = random.integers(0, 6, 12), random.integers(98, 100, 12)
    quick = np.abs(them.speed).max(axis=1) > 0.05 * persons["size"][:, 1]
    due = np.flatnonzero(persons["moved"] & (persons["carried"] < 3) & (persons["last_frame"] == 99) & quick)
    rows, there, way = of_tracks.adrift(persons, them.place, them.speed, 99, 3, 0.05, 0.99, 2.0)
    assert rows.tolist() == due.tolist()
    assert way == pytest.approx(them.speed[due] / 0.99 / 2)
    before = boxes_of(persons, them)[due] - np.tile(them.speed[due] / 0.99, 2)
    assert there == pytest.approx(before / 2)


@given(SEEDS, st.integers(2, 5))
def test_the_middle_colour_is_the_median_of_what_is_not_grass(seed, across):
    seen = np.random.default_rng(seed).integers((30, 110, 120), (220, 140, 140), (6, across**2, 3), np.uint8)
    told = of_tracks.middle_colours(seen, (40, 200), 122, 130, 0.7)
    for samples, middle in zip(seen, told, strict=True):
        light, a, b = samples.T
        left = samples[~((a < 122) & (b > 130) & (light > 40) & (light < 200))]
        if len(left) < 0.7 * across**2:
            assert np.isnan(middle).all()
        else:
            assert middle == pytest.approx(np.median(left, axis=0))


def assert_stood(persons, before, them, filters, feet, frame, variance, entries):
    """That of each row in `feet` its filter was corrected and an entry made, and that nothing else was changed."""
    number, place, uncertain, size, score = entries
    rows = list(feet)
    assert number.tolist() == before["number"][rows].tolist()
    assert place == pytest.approx(np.reshape([*feet.values()], (-1, 2)))
    assert uncertain == pytest.approx(variance[rows])
    assert size == pytest.approx(before["size"][rows])
    assert score == pytest.approx(before["score"][rows])
    assert_filters(them, filters, lambda row, *was: corrected(*was, feet[row], variance[row]) if row in feet else was)
    assert (persons["last_frame"][rows] == frame).all()
    far = np.linalg.norm(them.place - before["start"], axis=1) > 1.5 * before["size"][:, 1]
    assert persons["moved"][rows].tolist() == (before["moved"] | far)[rows].tolist()
    others = np.delete(np.arange(len(persons)), rows)
    assert (persons[others] == before[others]).all()


@given(SEEDS)
def test_where_somebody_stood_corrects_his_track(seed):
    random = np.random.default_rng(seed)
    persons, them, rows = tracks(random, 6), paths(random, 6), random.permutation(6)[:4]
    persons["number"], persons["score"] = random.permutation(6), random.random(6)
    persons["evidence"] = random.integers(0, 20, 6)
    before, feet, filters = persons.copy(), random.uniform(0, 90, (4, 2)), filters_of(them)
    proven, entries = of_tracks.stood(persons, them.place, them.speed, them.cov, rows, feet, 100, 0.1, 1.0, 1.5, 4, 16)
    variance = (0.1 * before["size"][:, 1]) ** 2 + 1
    assert_stood(persons, before, them, filters, dict(zip(rows.tolist(), feet, strict=True)), 100, variance, entries)
    assert (persons["carried"][rows] == 0).all()
    assert (persons["evidence"][rows] == before["evidence"][rows] + 4).all()
    assert proven == [row for row in rows.tolist() if before["id"][row] == 0 and before["evidence"][row] >= 12]


@given(SEEDS)
def test_who_is_found_again_is_carried_on_for_one_frame_more_and_nothing_is_proven(seed):
    random = np.random.default_rng(seed)
    persons, them, rows = tracks(random, 6), paths(random, 6), random.permutation(6)[:4]
    persons["number"], persons["score"] = random.permutation(6), random.random(6)
    moved = np.where(random.random((4, 1)) < 0.3, np.nan, random.uniform(-5, 5, (4, 2)))
    before, filters = persons.copy(), filters_of(them)
    feet = {
        row: them.place[row] - them.speed[row] / 0.99 + 2 * way
        for row, way in zip(rows.tolist(), moved, strict=True)
        if not np.isnan(way).any()
    }
    entries = of_tracks.carried(persons, them.place, them.speed, them.cov, rows, moved, 100, 0.1, 1.5, 0.99, 2.0)
    assert_stood(persons, before, them, filters, feet, 100, (0.1 * before["size"][:, 1]) ** 2, entries)
    assert (persons["carried"] == before["carried"] + np.isin(np.arange(6), list(feet))).all()
    assert (persons["evidence"] == before["evidence"]).all()


def test_a_filter_learns_the_speed():
    persons, them = np.zeros(1, TRACK), Paths()
    persons["size"] = 20.0
    them.add(np.array([[0.0, 0.0]]), np.array([4.0]), np.array([25.0]))
    filters = them.place, them.speed, them.cov
    for k in range(1, 40):
        of_tracks.walked(persons, *filters, k, 9, 9, 0.015, 0.99, (0.0, 0.0))
        foot = np.array([[5.0 * k, -2.0 * k]])
        of_tracks.stood(persons, *filters, np.array([0]), foot, k, 0.1, 0.0, 1.5, 1, 99)
    assert them.speed[0] == pytest.approx((5, -2), abs=0.4)


LINE = (20.0, 0.5, 30.0)
"""Of statures that make every branch of what depends on them happen."""


@given(SEEDS)
def test_a_ball_is_given_up_the_sooner_the_less_speaks_for_it(seed):
    random = np.random.default_rng(seed)
    balls, them = hypotheses(random, 30), paths(random, 30)
    balls["sightings"] = random.integers(0, 2, 30)
    filters = filters_of(them)
    seen, proven = balls["sightings"] > 0, (balls["sightings"] > 0) | (balls["id"] > 0)
    lies = seen & (np.linalg.norm(them.speed, axis=1) < 0.1 * balls["diameter"])
    patience = np.where(lies, 8, np.where(proven, 5, np.where(balls["hits"] < 3, 2, 4)))
    ground = np.maximum(20 + 0.5 * them.place[:, 1], 30.0)
    found = of_balls.flown(balls, them.place, them.speed, them.cov, 100, 0.1, 3, 5, 8, LINE, 0.125, 2.5, 0.05, 0.99)
    assert found.tolist() == (100 - balls["last_frame"] > patience).tolist()
    assert balls["tall"] == pytest.approx(np.clip(8 * balls["diameter"], ground, 2.5 * ground))
    assert_filters(them, filters, lambda row, *was: stepped(*was, 0.05 * balls["tall"][row]))


X, Y, DIAMETER, TALL, SCORE, SHIRT, AT_PERSON, LIES = range(8)
"""What the columns of candidates hold."""


def within(place, persons, top, bottom, beside=0.0):
    """Which places (n, 2) are in that part of a person's box."""
    x0, y0, x1, y1 = persons.T
    tall, (x, y) = y1 - y0, place.T[..., None]
    across = (x > x0 - beside * tall) & (x < x1 + beside * tall)
    return (across & (y > y0 + top * tall) & (y < y0 + bottom * tall)).any(axis=1)


@given(SEEDS, st.booleans())
def test_a_candidate_is_a_shirts_or_at_a_body_or_lies_on_the_ground(seed, by_network):
    random = np.random.default_rng(seed)
    box, score, persons = boxes(random, 20), random.random(20), boxes(random, 2)
    told = of_balls.candidates(box, score, persons, by_network, LINE, 0.25, 1.5, (0.6, 1.6), 0.7, 1.1, (0.5, 0.9), 0.3)
    place, diameter = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]).min(axis=1)
    ground = np.maximum(20 + 0.5 * box[:, 3], 30.0)
    body = within(place, persons, 0, 1.1) | (by_network & within(place, persons, 0.5, 0.9, 0.3))
    assert told[:, [X, Y]] == pytest.approx(place)
    assert told[:, DIAMETER] == pytest.approx(diameter)
    assert told[:, TALL] == pytest.approx(np.clip(4 * diameter, ground, 1.5 * ground))
    assert told[:, SCORE].tolist() == score.tolist()
    assert (told[:, SHIRT] > 0).tolist() == within(place, persons, 0, 0.7).tolist()
    assert (told[:, AT_PERSON] > 0).tolist() == body.tolist()
    ratio = 4 * diameter / ground
    assert (told[:, LIES] > 0).tolist() == ((ratio > 0.6) & (ratio < 1.6)).tolist()


def some_candidates(random, count):
    found = np.zeros((count, 8))
    found[:, [X, Y]] = random.uniform(0, 90, (count, 2))
    found[:, DIAMETER], found[:, TALL] = random.uniform(3, 20, count), random.uniform(20, 160, count)
    found[:, SCORE] = random.random(count)
    found[:, [SHIRT, AT_PERSON, LIES]] = random.integers(0, 2, (count, 3))
    return found


def score_of(balls):
    seen = 0.2 * np.minimum(balls["sightings"], 2)
    return np.minimum(0.95, 0.25 + 0.3 * balls["whiteness"] + 0.02 * np.minimum(balls["hits"], 12) + seen)


def fast_ones(balls, them):
    return (balls["id"] > 0) & (np.linalg.norm(them.speed, axis=1) > 0.04 * balls["tall"])


@given(SEEDS)
def test_a_ball_goes_on_only_as_far_as_it_may_and_with_a_shirt_only_when_it_passes(seed):
    random = np.random.default_rng(seed)
    balls, them, found = hypotheses(random, 5), paths(random, 5), some_candidates(random, 4)
    cost = of_balls.costs(balls, them.place, them.speed, them.cov, found, 4.0, 0.1, 0.5, 0.04, 10.0)
    furthest = 0.5 * balls["tall"]
    gate = np.minimum(4 * np.sqrt(them.cov[:, 0]) + 0.1 * balls["tall"], furthest)
    ways = np.linalg.norm(them.place[:, None] - found[:, [X, Y]], axis=2)
    far = ways / np.where(balls["hits"] < 2, furthest, gate)[:, None]
    may = (far < 1) & ((found[:, SHIRT] == 0) | fast_ones(balls, them)[:, None])
    assert cost == pytest.approx(np.where(may, far - 2.0 * (balls["id"] > 0)[:, None], 10.0))


@given(SEEDS)
def test_the_believed_are_sought_first_where_they_may_be(seed):
    random = np.random.default_rng(seed)
    balls, them = hypotheses(random, 9), paths(random, 9)
    unseen = 100 - balls["last_frame"]
    due = np.flatnonzero((unseen > 0) & (unseen <= 6) & ((balls["id"] > 0) | (balls["alone"] > 0)))
    first = due[np.lexsort((-balls["alone"][due], balls["id"][due] == 0))][:4]
    rows, wanted = of_balls.sought(balls, them.place, them.cov, 100, 6, 4, 0.1)
    assert rows.tolist() == first.tolist()
    diameter = balls["diameter"][first]
    reach = np.minimum(2 * np.sqrt(them.cov[first, 0]) + diameter / 2, 0.1 * balls["tall"][first]) + diameter
    assert wanted == pytest.approx(np.column_stack([them.place[first], reach, diameter]))


def assert_measured(balls, before, them, filters, measurements, alone=0):
    """That these {row: (place, at somebody's body)} were written down in frame 100, `alone` or not, and nothing else
    was; the counts of four measurements are halved."""

    def change(row, place, speed, cov):
        if row not in measurements:
            return place, speed, cov
        centre, gap = np.array(measurements[row][0]), 100 - before[row]["last_frame"]
        variance = (0.25 * balls[row]["diameter"]) ** 2 + 0.3
        if before[row]["hits"] == 1 and gap > 0:
            return centre, (centre - place + speed) / gap, np.array([variance, variance, 2 * variance])
        return corrected(place, speed, cov, centre, variance)

    assert_filters(them, filters, change)
    for row, (was, now) in enumerate(zip(before, balls, strict=True)):
        if row not in measurements:
            assert now == was
            continue
        centre, at_person = measurements[row]
        counts = was["hits"] + 1, was["alone"] + alone, was["at_person"] + at_person
        halved = tuple(count // 2 for count in counts)
        assert tuple(now[["hits", "alone", "at_person"]]) == (halved if counts[0] == 4 else counts)
        assert now["last_frame"] == 100
        fresh = was["recent_frame"][-1] < 100
        kept = was["recent_frame"][1:] if fresh else was["recent_frame"][:-1]
        assert now["recent_frame"].tolist() == [*kept, 100]
        assert now["recent"][-1].tolist() == list(centre)
        assert now["recent"][0].tolist() == was["recent"][int(fresh)].tolist()


def assert_entries(entries, balls, rows, places, hits):
    number, place, variance, size, score = entries
    assert number.tolist() == balls["number"][rows].tolist()
    assert place == pytest.approx(np.reshape(places, (-1, 2)))
    assert variance == pytest.approx((0.25 * balls["diameter"][rows]) ** 2 + 0.3)
    assert size == pytest.approx(np.repeat(balls["diameter"][rows, None], 2, axis=1))
    told = balls[rows].copy()
    told["hits"] = hits
    assert score == pytest.approx(score_of(told))


@given(SEEDS, st.booleans())
def test_a_ball_that_goes_on_with_a_candidate_becomes_a_little_like_it(seed, by_network):
    random = np.random.default_rng(seed)
    balls, them, found = hypotheses(random, 6), paths(random, 6), some_candidates(random, 7)
    balls["sighted"] = random.integers(90, 101, 6)
    before, filters = balls.copy(), filters_of(them)
    rows, columns = random.permutation(6)[:4], random.permutation(7)[:4]
    entries = of_balls.taken(
        balls, them.place, them.speed, them.cov, rows, found, columns, by_network, 5, 100, 0.25, 0.3, 4, 0.2
    )
    like = found[columns]
    lies = (like[:, LIES] > 0) & (like[:, AT_PERSON] == 0)
    sighted = by_network & lies & (before["sighted"][rows] <= 95)
    assert (balls["sightings"] - before["sightings"])[rows].tolist() == sighted.astype(int).tolist()
    assert balls["sighted"][rows].tolist() == np.where(sighted, 100, before["sighted"][rows]).tolist()
    for name, column in (("diameter", DIAMETER), ("whiteness", SCORE)):
        assert balls[name][rows] == pytest.approx(0.8 * before[name][rows] + 0.2 * like[:, column])
    places = like[:, [X, Y]].tolist()
    assert_measured(
        *(balls, before, them, filters),
        dict(zip(rows.tolist(), zip(places, like[:, AT_PERSON].astype(int), strict=True), strict=True)),
        alone=int(not by_network),
    )
    assert_entries(entries, balls, rows, places, before["hits"][rows] + 1)


@given(SEEDS)
def test_what_is_spotted_is_measured_but_in_a_shirt_only_when_one_passes(seed):
    random = np.random.default_rng(seed)
    balls, them, persons = hypotheses(random, 6), paths(random, 6), boxes(random, 3)
    before, filters, passes = balls.copy(), filters_of(them), fast_ones(balls, them)
    rows, centre = random.permutation(6)[:5], random.uniform(0, 90, (5, 2))
    centre[random.integers(5)] = np.nan
    kept = (passes[rows] | ~within(centre, persons, 0, 0.6)) & ~np.isnan(centre[:, 0])
    told, entries = of_balls.spotted(
        balls, them.place, them.speed, them.cov, rows, centre, persons, 0.6, 1.1, 0.04, 100, 0.25, 0.3, 4
    )
    assert told.tolist() == rows[kept].tolist()
    body = within(centre, persons, 0, 1.1)[kept].astype(int)
    places = centre[kept].tolist()
    measurements = dict(zip(told.tolist(), zip(places, body, strict=True), strict=True))
    assert_measured(balls, before, them, filters, measurements)
    assert_entries(entries, balls, told, places, before["hits"][told] + 1)


@given(SEEDS, st.integers(-2, 8), st.booleans())
def test_what_nobody_claims_is_born_the_strongest_first(seed, room, by_network):
    random = np.random.default_rng(seed)
    found, claimed = some_candidates(random, 7), random.permutation(7)[:2]
    left = [row for row in range(7) if row not in claimed and not found[row, SHIRT]]
    free = of_balls.unclaimed(found, claimed, room)
    assert free.tolist() == sorted(left, key=lambda row: -found[row, SCORE])[: max(0, room)]
    balls = np.zeros(len(free), HYPOTHESIS)
    entries = of_balls.born(balls, found, free, 12, by_network, 100, 0.25, 0.3)
    assert balls["number"].tolist() == list(range(12, 12 + len(free)))
    assert (balls["id"] == 0).all()
    assert (balls["hits"] == 1).all()
    assert (balls["last_frame"] == 100).all()
    lonely = found[free, AT_PERSON] == 0
    assert balls["sightings"].tolist() == (by_network & lonely).astype(int).tolist()
    assert ((balls["sighted"] == 100) == (by_network & lonely)).all()
    assert (balls["sighted"][balls["sightings"] == 0] < -100).all()
    assert balls["alone"].tolist() == [int(not by_network)] * len(free)
    assert balls["at_person"].tolist() == (~lonely).astype(int).tolist()
    for name, column in (("diameter", DIAMETER), ("whiteness", SCORE), ("tall", TALL)):
        assert balls[name].tolist() == found[free, column].tolist()
    assert balls["start"].tolist() == balls["recent"][:, -1].tolist() == found[free][:, [X, Y]].tolist()
    assert (balls["recent_frame"][:, -1] == 100).all()
    assert (balls["recent_frame"][:, :-1] < -100).all()
    assert_entries(entries, balls, np.arange(len(free)), balls["start"], 1)


@given(SEEDS)
def test_what_stays_on_a_shin_becomes_a_sock(seed):
    random = np.random.default_rng(seed)
    balls, them, persons = hypotheses(random, 12), paths(random, 12), boxes(random, 3)
    balls["shin"] = random.random(12)
    before = balls["shin"].copy()
    told = of_balls.socks(balls, them.place, persons, 100, (0.5, 0.9), 0.3, 0.1, 0.6)
    here = within(them.place, persons, 0.5, 0.9, 0.3)
    share = np.where(balls["last_frame"] == 100, before + 0.1 * (here - before), before)
    assert balls["shin"] == pytest.approx(share)
    assert told.tolist() == (share >= 0.6).tolist()


def test_records_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="mismatch"):
        of_balls.sought(np.zeros(3, [("number", np.int64)]), np.zeros((3, 2)), np.zeros((3, 3)), 100, 6, 4, 0.1)
