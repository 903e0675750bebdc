"""Scores of linked boxes on cases whose value is known."""

import math

import numpy as np
import pytest

from bench.linking import Compared, score

NOBODY = np.zeros(0, np.int64)


def now(true, found, alike=None):
    true, found = np.array(true, np.int64), np.array(found, np.int64)
    return Compared(true, found, np.eye(len(true), len(found)) if alike is None else np.array(alike, np.float64))


def test_what_is_followed_without_a_fault_scores_one_whatever_its_ids():
    got = score([now([1, 2], [70, 60])] * 30)
    assert (got.hota, got.det_a, got.ass_a, got.idf1, got.mota) == pytest.approx((1, 1, 1, 1, 1))
    assert (got.switches, got.fragments) == (0, 0)


def test_two_who_change_ids_half_way():
    got = score([now([1, 2], [1, 2])] * 50 + [now([1, 2], [2, 1])] * 50)
    assert got.ass_a == pytest.approx(50 / 150)
    assert got.hota == pytest.approx(math.sqrt(1 / 3))
    assert got.idf1 == pytest.approx(0.5)
    assert got.switches == 2
    assert got.mota == pytest.approx(1 - 2 / 200)


def test_half_the_boxes_missed():
    got = score([now([1, 2], [5], [[1.0], [0.0]])] * 40)
    assert got.det_a == pytest.approx(0.5)
    assert got.ass_a == pytest.approx(1)
    assert got.hota == pytest.approx(math.sqrt(0.5))
    assert got.idf1 == pytest.approx(2 / 3)
    assert (got.recall, got.precision) == (0.5, 1)


def test_as_many_false_boxes_as_right_ones():
    got = score([now([1], [5, 6], [[1.0, 0.0]])] * 40)
    assert (got.recall, got.precision, got.mota) == (1, 0.5, 0)


def test_a_likeness_counts_for_the_alphas_below_it():
    assert score([now([1], [1], [[0.72]])] * 10).hota == pytest.approx(14 / 19)
    assert score([now([1], [1], [[0.49]])] * 10).idf1 == 0


def test_who_is_lost_and_found_again_is_a_fragment_and_who_is_out_of_sight_is_not():
    seen, lost, gone = now([1], [1]), now([1], []), now([], [])
    got = score([seen, seen, lost, seen, gone, seen])
    assert (got.fragments, got.switches) == (1, 0)


def test_a_new_id_after_a_gap_is_a_switch():
    assert score([now([1], [1]), now([1], []), now([1], [2])]).switches == 1


def test_a_pair_is_kept_though_another_would_fit_better():
    got = score([now([1, 2], [1, 2]), now([1, 2], [1, 2], [[0.6, 0.7], [0.7, 0.6]])])
    assert got.switches == 0


@pytest.mark.parametrize("frames", [[], [now([], [])], [now([1], [])], [now([], [1])]])
def test_nothing_right_scores_nothing(frames):
    got = score(frames)
    assert (got.hota, got.ass_a, got.idf1, got.recall) == (0, 0, 0, 0)


def test_identity_is_the_best_of_all_assignments():
    random = np.random.default_rng(3)
    frames = [now(range(3), range(4), random.random((3, 4))) for _ in range(20)]
    both = sum((frame.alike >= 0.5).astype(int) for frame in frames)
    from itertools import permutations

    best = max(sum(both[i, j] for i, j in enumerate(order)) for order in permutations(range(4), 3))
    assert score(frames).idf1 == pytest.approx(2 * best / (20 * 7))
