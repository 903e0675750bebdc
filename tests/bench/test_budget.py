import numpy as np
import pytest

from bench.budget import WAYS, Score, Truth, feet_together, simulated


def truth(boxes, ball=None):
    box = np.array(boxes, np.float64).reshape(-1, 4)
    tall = box[:, 3] - box[:, 1]
    return Truth(box, tall, np.arange(len(box)), np.ones(len(box), bool), ball, 4.0, None)


def test_feet_are_paired_once_each_nearest_first_and_within_reach():
    true = truth([(0, 0, 10, 30), (20, 0, 30, 30), (200, 0, 210, 30)])
    rows = np.array([(22, 0, 32, 30), (18, 0, 28, 29), (100, 0, 110, 30)], np.float64)
    assert feet_together(rows, true) == [(0, 1)]
    assert feet_together(np.zeros((0, 4)), true) == []


def test_a_ball_is_found_within_its_reach_only():
    true = truth([], np.array([50.0, 50.0]))
    assert true.has_ball(np.array([[49.0, 48, 55, 54]]))
    assert not true.has_ball(np.array([[60.0, 48, 66, 54]]))
    assert not truth([]).has_ball(np.array([[49.0, 48, 55, 54]]))


def test_scores_add_up_and_what_was_never_wanted_has_no_share():
    one, other = Score(pictures=1, false_alarms=1), Score(pictures=3)
    one.wanted["far"], one.followed["far"] = 1, 1
    other.wanted["far"] = 3
    one.add(other)
    assert one.line().split() == ["-", "-", "-", "25.0", "-", "-", "0.25", "0.00"]


@pytest.mark.slow
def test_a_budget_finds_the_ball_more_often_than_uniform_tiles():
    scores = simulated("sideline", 32, 4.0, [8.0])
    uniform, budget = (scores[way, 8.0] for way in WAYS)
    assert budget.seen["ball"] > uniform.seen["ball"]
    assert budget.seen["far"] >= uniform.seen["far"]
