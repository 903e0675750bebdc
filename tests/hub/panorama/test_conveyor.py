import itertools
import threading

import pytest

from hub.panorama.conveyor import Belt, CostBook


def test_a_belt_hands_over_everything_in_order():
    with Belt(iter(range(100)), 3, "t") as belt:
        assert list(belt) == list(range(100))


def test_a_belt_never_runs_further_ahead_than_its_depth():
    made = []

    def items():
        for item in range(60):
            made.append(item)
            yield item

    ahead = []
    with Belt(items(), 2, "t") as belt:
        for taken, _ in enumerate(belt):
            ahead.append(len(made) - taken)
    # The queue's depth, the one being put, the one just taken.
    assert max(ahead) <= 2 + 2


def test_a_fault_of_the_source_reaches_the_reader_after_what_came_before():
    def items():
        yield 1
        raise ValueError("torn")

    got = []

    def read():
        with Belt(items(), 2, "t") as belt:
            got.extend(iter(belt))

    with pytest.raises(ValueError, match="torn"):
        read()
    assert got == [1]


def test_leaving_early_ends_the_thread():
    before = threading.active_count()
    with Belt(itertools.count(), 2, "t") as belt:
        assert next(iter(belt)) == 0
    assert threading.active_count() == before


def test_costs_add_up_per_stage_even_when_the_work_fails():
    costs = CostBook()
    assert costs.measured("a", lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        costs.measured("a", lambda: 1 // 0)
    costs.add("b", 1.0, 0.5, 10)
    assert costs.snapshot()["a"].items == 2
    assert costs.snapshot()["b"].wall_s == 1.0
