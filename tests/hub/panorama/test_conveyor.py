import itertools
import threading
import time

import pytest

from hub.panorama.conveyor import Belt, CostBook


def test_a_belt_hands_over_everything_in_order(costs):
    with Belt(iter(range(100)), 3, "t", costs) as belt:
        assert list(belt) == list(range(100))


def test_a_belt_never_runs_further_ahead_than_its_depth(costs):
    made = []

    def items():
        for item in range(60):
            made.append(item)
            yield item

    ahead = []
    with Belt(items(), 2, "t", costs) as belt:
        for taken, _ in enumerate(belt):
            ahead.append(len(made) - taken)
    # The queue's depth, the one being put, the one just taken.
    assert max(ahead) <= 2 + 2


def test_a_fault_of_the_source_reaches_the_reader_after_what_came_before(costs):
    def items():
        yield 1
        raise ValueError("torn")

    got = []

    def read():
        with Belt(items(), 2, "t", costs) as belt:
            got.extend(iter(belt))

    with pytest.raises(ValueError, match="torn"):
        read()
    assert got == [1]


def test_leaving_early_ends_the_thread(costs):
    before = threading.active_count()
    with Belt(itertools.count(), 2, "t", costs) as belt:
        assert next(iter(belt)) == 0
    assert threading.active_count() == before


def test_leaving_early_wakes_a_source_that_waits_and_closes_it_in_its_own_thread(costs):
    wake, closed = threading.Event(), []

    def items():
        try:
            yield 1
            wake.wait()
            yield 2
        finally:
            closed.append(threading.current_thread().name)

    with Belt(items(), 2, "t", costs, leave=wake.set) as belt:
        assert next(iter(belt)) == 1
    assert closed == ["t"]


def test_costs_add_up_per_stage_even_when_the_work_fails(costs):
    assert costs.measured("a", lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        costs.measured("a", lambda: 1 // 0)
    costs.add("b", 1.0, 0.5, 10)
    assert costs.snapshot()["a"].items == 2
    assert costs.snapshot()["b"].wall_s == 1.0
    assert costs.snapshot()["b"].fill is None


def test_a_belt_books_what_its_stage_does_and_not_what_that_waited_for():
    costs, slept = CostBook(), [0.0]

    def items():
        for item in range(4):
            began = time.perf_counter()
            threading.Event().wait(0.02)
            slept[0] += time.perf_counter() - began
            yield item

    with Belt(items(), 2, "t", costs, lambda: slept[0]) as belt:
        assert list(belt) == [0, 1, 2, 3]
    cost = costs.snapshot()["t"]
    assert cost.items == 4
    assert cost.wall_s < 0.02


def test_a_belt_is_full_before_the_slowest_stage_and_empty_behind_it():
    costs = CostBook()
    taken, first, second = threading.Semaphore(0), iter(range(40)), []

    def slow():
        for item in first:
            taken.acquire()
            yield item

    # The reader lets one item through at a time: it always finds the belt before it empty.
    with Belt(slow(), 4, "before", costs) as belt:
        taken.release()
        for item in belt:
            second.append(item)
            taken.release()
    assert costs.snapshot()["before"].fill < 0.5
    full = threading.Event()

    def quick():
        for item in range(40):
            if item == 4:
                full.set()
            yield item

    with Belt(quick(), 4, "quick", costs) as belt:
        full.wait()
        reader = iter(belt)
        assert next(reader) == 0
        assert costs.snapshot()["quick"].fill == 1.0
