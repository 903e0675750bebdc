import pytest

from bench.feet import FootErrors, measured_feet


def test_errors_are_compared_over_what_both_followed():
    before, after = FootErrors({(1, 0): 0.5, (2, 0): 0.4}).against(FootErrors({(2, 0): 0.3, (9, 9): 0.1}))
    assert before.tolist() == [0.4]
    assert after.tolist() == [0.3]


@pytest.mark.slow
def test_the_same_budget_gives_the_same_errors_and_they_are_small():
    first, again = measured_feet("mast", 1, 1, 6.0, [0.0, 0.0])
    assert first == again
    before, _ = first.against(again)
    assert len(before) > 20
    assert before.mean() < 0.5
