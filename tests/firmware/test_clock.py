import time

from firmware.clock import WORST_UNCERTAINTY_NS, SystemClock


def test_the_clock_counts_from_the_unix_epoch():
    before = time.time_ns()
    assert before <= SystemClock().now_ns() <= time.time_ns()


def test_its_uncertainty_is_a_bound_the_kernel_gives():
    assert 0 <= SystemClock().uncertainty_ns() <= WORST_UNCERTAINTY_NS
