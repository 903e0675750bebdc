from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.track.patch import shifts
from edge.track.rows import Journal

PATCH = np.array([[60.0, 30, 85, 95]])
ONE = np.array([1])


def write(journal, frame, x, y, variance=1.0, tall=80.0):
    """One measurement of the only track there is."""
    place, size = np.array([[x, y]]), np.array([[30.0, tall]])
    journal.add(frame, ONE, place, np.array([variance]), size, np.array([0.5]))


def since(journal, first, **joined):
    """Frames, places, sizes and scores of the only track there is."""
    told = journal.series().since(first, ONE, np.array([0.3]), **joined)
    assert told.count.tolist() == [len(told.frame)]
    return told.frame, told.place, told.size, told.score


def smoothed(frame, place, variance, bend):
    """Places of the only track there is, measured in these frames."""
    journal = Journal()
    for at, one, uncertain in zip(frame.tolist(), place, variance, strict=True):
        write(journal, at, *one, uncertain)
    return journal.series().since(int(frame[0]), ONE, np.array([bend])).place


def of_each(series):
    """What was measured of each track, by its number."""
    columns = series.frame, series.place, series.variance, series.size, series.score
    return {
        number: [column[series.number == number] for column in columns] for number in np.unique(series.number).tolist()
    }


@given(st.integers(3, 40), st.integers(0, 1000))
def test_smoothing_solves_its_least_squares(count, seed):
    random = np.random.default_rng(seed)
    place, variance, bend = random.normal(0, 50, (count, 2)), random.uniform(0.5, 4, count), random.uniform(0.2, 5)
    second = np.diff(np.eye(count), 2, axis=0)
    system = np.diag(1 / variance) + second.T @ second / bend**2
    wanted = np.linalg.solve(system, place / variance[:, None])
    assert smoothed(np.arange(count), place, variance, bend) == pytest.approx(wanted, abs=1e-6)


@given(st.integers(3, 40), st.integers(0, 1000))
def test_no_path_near_the_smoothed_one_fits_better(count, seed):
    random = np.random.default_rng(seed)
    place, variance, bend = random.normal(0, 50, (count, 2)), random.uniform(0.5, 4, count), random.uniform(0.2, 5)

    def cost(path):
        return (((path - place) ** 2).sum(axis=1) / variance).sum() + (np.diff(path, 2, axis=0) ** 2).sum() / bend**2

    found = smoothed(np.arange(count), place, variance, bend)
    assert all(cost(found) < cost(found + random.normal(0, 0.1, found.shape)) for _ in range(20))


@given(st.sets(st.integers(0, 60), min_size=3, max_size=30))
def test_a_straight_path_with_gaps_stays_as_it_is(frames):
    frame = np.array(sorted(frames)) + 1000
    place = np.stack([3.0 * frame, 7 - 0.5 * frame], axis=1)
    assert smoothed(frame, place, np.ones(len(frame)), 0.3) == pytest.approx(place, abs=1e-3)


def test_smoothing_brings_noisy_places_closer_to_the_truth():
    random = np.random.default_rng(2)
    frame = np.arange(50)
    truth = np.stack([4.0 * frame, 20 * np.sin(frame / 15)], axis=1)
    noisy = truth + random.normal(0, 2, truth.shape)
    found = smoothed(frame, noisy, np.full(50, 4.0), 0.3)
    assert np.abs(found - truth).mean() < 0.5 * np.abs(noisy - truth).mean()


def test_rows_of_successive_segments_join_and_no_frame_comes_twice():
    journal, rows = Journal(), []
    for segment in range(3):
        for k in range(50 * segment, 50 * segment + 50):
            write(journal, k, 2.0 * k, 5.0)
        frame, place, _, _ = since(journal, 50 * segment)
        journal.forget_before(50 * segment + 50)
        rows.append((frame, place))
    assert np.concatenate([f for f, _ in rows]).tolist() == list(range(150))
    assert np.concatenate([p for _, p in rows])[:, 0] == pytest.approx(2.0 * np.arange(150), abs=1e-3)


def test_two_measurements_of_one_frame_make_one_row():
    journal = Journal()
    write(journal, 3, 10.0, 0.0, variance=1.0)
    write(journal, 3, 14.0, 0.0, variance=3.0)
    one = journal.series()
    assert one.frame.tolist() == [3]
    assert one.place[0, 0] == pytest.approx(11.0)
    assert one.variance[0] == pytest.approx(0.75)


def test_short_gaps_are_joined_on_the_path_and_long_ones_are_left_open():
    journal = Journal()
    for k in (100, 101, 107, 120, 121):
        write(journal, k, 3.0 * k, 50.0, tall=80.0 + k)
    frame, place, size, score = since(journal, 100, most_apart=8)
    assert frame.tolist() == [*range(100, 108), 120, 121]
    assert place == pytest.approx(np.stack([3.0 * frame, np.full(len(frame), 50.0)], axis=1), abs=1e-3)
    assert size[:, 1] == pytest.approx(80.0 + frame)
    assert score == pytest.approx(np.full(len(frame), 0.5))


def test_a_gap_over_a_segments_end_is_joined_in_the_next_segment():
    journal = Journal()
    for k in (48, 53):
        write(journal, k, 2.0 * k, 5.0)
    frame, place, _, _ = since(journal, 50, most_apart=8)
    assert frame.tolist() == [50, 51, 52, 53]
    assert place[:, 0] == pytest.approx(2.0 * frame)


def test_who_was_not_seen_since_has_no_rows():
    journal = Journal()
    assert [len(column) for column in since(journal, 50, most_apart=8)] == [0, 0, 0, 0]
    write(journal, 48, 2.0, 5.0)
    assert [len(column) for column in since(journal, 50, most_apart=8)] == [0, 0, 0, 0]


@given(st.lists(st.integers(0, 60), unique=True, max_size=20).map(sorted), st.integers(0, 60), st.integers(1, 5))
def test_joined_frames_fill_short_gaps_only(frames, first, most_apart):
    journal = Journal()
    for frame in frames:
        write(journal, frame, 0.0, 0.0)
    wanted = {between for one, other in pairwise(frames) if other - one <= most_apart for between in range(one, other)}
    told, *_ = since(journal, first, most_apart=most_apart)
    assert told.tolist() == [one for one in sorted(wanted | set(frames)) if one >= first]


@given(st.permutations(range(1, 6)), st.integers(0, 1000))
def test_a_tracks_rows_are_the_same_whoever_is_asked_for_beside_it(numbers, seed):
    random = np.random.default_rng(seed)
    journal = Journal()
    for frame in range(40):
        some = np.flatnonzero(random.random(5) < 0.6)
        place, size = random.normal(0, 50, (len(some), 2)), random.uniform(5, 50, (len(some), 2))
        journal.add(frame, some + 1, place, random.uniform(0.5, 4, len(some)), size, random.random(len(some)))
    series, bend = journal.series(), np.linspace(0.2, 5, 6)
    together = series.since(20, np.array(numbers), bend[numbers], 3)
    start = np.cumsum(together.count) - together.count
    for number, first, count in zip(numbers, start.tolist(), together.count.tolist(), strict=True):
        alone, own = series.since(20, np.array([number]), bend[[number]], 3), slice(first, first + count)
        assert alone.frame.tolist() == together.frame[own].tolist()
        for column in ("place", "size", "score"):
            assert getattr(alone, column) == pytest.approx(getattr(together, column)[own])


@given(st.integers(-4, 4), st.integers(-3, 3))
def test_a_patch_is_found_where_it_went(dx, dy):
    before = np.random.default_rng(1).integers(0, 255, (120, 160), dtype=np.uint8)
    now = np.roll(before, (dy, dx), axis=(0, 1))
    moved = shifts(before, now, PATCH, np.zeros((1, 2)))
    assert moved == pytest.approx(np.array([[dx, dy]]), abs=0.3)


def test_a_patch_that_vanished_is_not_found():
    random = np.random.default_rng(1)
    before, now = (random.integers(0, 255, (120, 160), dtype=np.uint8) for _ in range(2))
    assert np.isnan(shifts(before, now, PATCH, np.zeros((1, 2)))).all()


def test_of_several_patches_only_those_that_stay_in_the_picture_are_found():
    before = np.random.default_rng(1).integers(0, 255, (120, 160), dtype=np.uint8)
    now = np.roll(before, (1, 3), axis=(0, 1))
    boxes = np.concatenate([PATCH - 300, PATCH, PATCH + 10, PATCH + np.array([100, 0, 100, 0])])
    moved = shifts(before, now, boxes, np.tile([2.0, 0.0], (4, 1)))
    assert np.isnan(moved[[0, 3]]).all()
    assert moved[1:3] == pytest.approx(np.array([[3, 1], [3, 1]]), abs=0.3)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 4)), min_size=1, max_size=40), st.integers(0, 1000))
def test_a_journal_tells_of_each_track_what_was_written_down_of_it(written, seed):
    random = np.random.default_rng(seed)
    journal, own = Journal(), {}
    for frame in range(13):
        # Several tracks in one entry, and some of them twice.
        numbers = np.array([number for at, number in written if at == frame], np.int64)
        place, size = random.normal(0, 50, (len(numbers), 2)), random.uniform(5, 50, (len(numbers), 2))
        variance, score = random.uniform(0.5, 4, len(numbers)), random.random(len(numbers))
        journal.add(frame, numbers, place, variance, size, score)
        for k, number in enumerate(numbers.tolist()):
            own.setdefault(number, {}).setdefault(frame, []).append((place[k], variance[k], size[k], score[k]))
    series = of_each(journal.series())
    assert set(series) == set(own)
    for number, frames in own.items():
        frame_of, place, variance, size, score = series[number]
        assert frame_of.tolist() == sorted(frames)
        for row, frame in enumerate(frame_of.tolist()):
            places, variances, sizes, scores = (np.array(column) for column in zip(*frames[frame], strict=True))
            assert place[row] == pytest.approx(np.average(places, axis=0, weights=1 / variances))
            assert variance[row] == pytest.approx(1 / (1 / variances).sum())
            assert size[row] == pytest.approx(sizes[-1])
            assert score[row] == scores[-1]


def test_a_journal_forgets_what_no_later_segment_needs():
    journal = Journal()
    for frame in (0, 30, 45):
        write(journal, frame, 1.0, 1.0)
    journal.forget_before(50)
    assert journal.series().frame.tolist() == [45]
