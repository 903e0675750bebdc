"""The eyes' bench fails when what it promises is not kept."""

import numpy as np
import pytest

import bench.eyes as bench
from bench.eyes import MOST_GROWTH, EyesCost, flat, memory_curve, walkers

MB = 1_000_000


@pytest.fixture
def measured(monkeypatch):
    """A bench that finds what it is told."""

    def told(rest_s, last):
        monkeypatch.setattr(bench, "measured_cost", lambda *_: EyesCost(100, 1.2, 3.0, rest_s))
        monkeypatch.setattr(bench, "memory_curve", lambda _: [90 * MB, 120 * MB, 121 * MB, last])
        return bench.main([])

    return told


def test_kept_promises_are_told_and_end_well(measured, capsys):
    assert measured(0.3, 122 * MB) == 0
    said = capsys.readouterr().out
    assert "MB: 90 120 121 122" in said
    assert "x264 superfast 12.00 ms, the eyes without their passes 3.00 ms (0.25 of it)" in said


def test_eyes_that_cost_more_than_a_quarter_of_the_encoder_fail(measured, capsys):
    assert measured(0.31, 122 * MB) == 1
    assert "too much" in capsys.readouterr().out


def test_memory_that_grows_fails(measured, capsys):
    assert measured(0.3, 130 * MB) == 1
    assert "That grows" in capsys.readouterr().out


def test_only_what_is_taken_after_the_start_counts_as_growth():
    assert flat([10 * MB, 90 * MB, 91 * MB, 90 * MB])
    assert not flat([90 * MB, 90 * MB, 91 * MB, 91 * MB + MOST_GROWTH])


def test_the_walkers_are_seen_by_true_eyes_and_come_and_go():
    eyes = bench.open_eyes("motion", 4.0, *bench.SMALL, 25.0)
    ids = []
    for frame in walkers(200):
        eyes.look(frame)
        if frame.index % 50 == 49:
            sight = eyes.close_segment(frame.index // 50)
            ids.append({tracklet.id for tracklet in sight.tracklets})
    assert len(ids[-1]) >= 5
    assert set.union(*ids) - ids[-1]


@pytest.mark.slow
def test_memory_is_flat_over_the_first_minutes():
    assert flat(memory_curve(3000))


def test_a_clock_books_the_inner_work_once():
    clock = bench._Clock()
    busy = clock.inside("inner", lambda: np.sort(np.random.default_rng(1).random(400_000)))
    with clock.spending("outer"):
        busy()
    assert clock.spent["inner"] > 10 * clock.spent["outer"] > 0
