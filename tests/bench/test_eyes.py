"""The eyes' bench fails when what it promises is not kept."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import bench.eyes as bench
from bench.eyes import MOST_GROWTH, EyesCost, flat, memory_curve, walkers

MB = 1_000_000


@pytest.fixture
def measured(monkeypatch):
    """A bench that finds what it is told."""

    def told(rest_s, last):
        source = bench.Source("1920 x 1080 simulated", 1920, 1080, 25.0, iter(()))
        monkeypatch.setattr(bench, "simulated", lambda *_: source)
        dear, cheap = (EyesCost(100, 1.2, 3.0, 0.05, look_s, 0.05, 0.04) for look_s in (2 * rest_s, rest_s - 0.14))
        monkeypatch.setattr(bench, "measured_cost", lambda *given: cheap if given[-1] else dear)
        monkeypatch.setattr(
            bench,
            "memory_curve",
            lambda detector, *_: [90 * MB, 120 * MB, 121 * MB, 122 * MB if detector == "motion" else last],
        )
        # The allocator of the tests' own process stays as it is.
        monkeypatch.setattr(bench, "keep_flat", lambda: True)
        return bench.main([])

    return told


def test_kept_promises_are_told_and_end_well(measured, capsys):
    assert measured(0.3, 122 * MB) == 0
    said = capsys.readouterr().out
    assert "frames of onnx, MB: 90 120 121 122" in said
    assert "with the ISP's small copy: per frame x264 superfast 12.00 ms" in said
    assert "camera 0.50 ms, the eyes without their passes 1.60 ms, keeping it 0.50 ms, " in said
    assert "handing it over 0.40 ms (0.25 of it), passes 30.00 ms" in said
    assert "shrunk by the node: per frame x264 superfast 12.00 ms, taking it from the camera 0.50 ms, the eyes" in said
    assert "the eyes without their passes 6.00 ms" in said


@pytest.mark.slow
def test_all_that_a_segment_costs_is_booked():
    source = bench.simulated(640, 360, 1, 2.0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bench, "WARM_S", 0.0)
        cost = bench.measured_cost(source, 4.0, shrunk=True)
    assert cost.frames == 100
    assert min(cost.encode_s, cost.passes_s, cost.take_s, cost.look_s, cost.keep_s, cost.hand_over_s) > 0


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
    assert flat(memory_curve("motion", walkers(3000), 3000))


def test_a_clock_books_the_inner_work_once():
    clock = bench._Clock()
    busy = clock.inside("inner", lambda: np.sort(np.random.default_rng(1).random(400_000)))
    with clock.spending("outer"):
        busy()
    assert clock.spent["inner"] > 10 * clock.spent["outer"] > 0


def test_a_clock_books_what_other_threads_do_where_it_is_told_to():
    clock = bench._Clock()
    with ThreadPoolExecutor(1) as beside:
        for name, cpu_s in (("own", time.thread_time), ("all", time.process_time)):
            with clock.spending(name, cpu_s):
                beside.submit(lambda: np.sort(np.random.default_rng(1).random(400_000))).result()
    assert clock.spent["all"] > 10 * clock.spent["own"] > 0


def test_a_small_copy_is_what_the_background_would_make_itself():
    random = np.random.default_rng(1)
    planes = random.integers(0, 255, (1080 * 3 // 2, 1920), np.uint8)
    small = bench.small_copy(planes)
    assert small.shape == (540 * 3 // 2, 960)
    assert abs(int(small[10, 10]) - planes[20:22, 20:22].mean()) <= 1
