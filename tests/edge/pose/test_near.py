import numpy as np
import pytest

from edge.pose.near import MOST, NearTheBall
from edge.pose.pose import ANKLES, HIPS, POINTS, Pose

TALL = 100.0


def boxes(*xs):
    return np.array([[x - 20, 300, x + 20, 300 + TALL] for x in xs], np.float64).reshape(-1, 4)


def ball_at(x):
    return np.array([[x - 4, 392, x + 4, 400]], np.float64)


class Asked:
    """Remembers how many it was asked about, by the x of their boxes."""

    name = "asked"

    def __init__(self, at_once=1):
        self.at_once = at_once
        self.xs = []

    def poses(self, _frame, found):
        self.xs.append([float(box[::2].mean()) for box in found])
        return [Pose(np.zeros((POINTS, 2)), np.zeros(POINTS), box) for box in found]


def asking(crops_per_second, rate=25.0, at_once=1):
    detector = Asked(at_once)
    return detector, NearTheBall(detector, crops_per_second, rate)


@pytest.mark.parametrize("crops_per_second", [1.0, 8.0, 25.0, 60.0])
def test_no_more_crops_are_spent_than_stated(crops_per_second):
    detector, near = asking(crops_per_second)
    for _ in range(250):
        near.ask(None, range(1, 7), boxes(*range(100, 280, 30)), ball_at(170))
    spent = sum(len(xs) for xs in detector.xs)
    assert spent <= 10 * crops_per_second + MOST
    assert spent >= 0.95 * 10 * crops_per_second


def test_only_who_is_near_a_ball_and_believed_is_asked_about():
    detector, near = asking(25.0)
    for _ in range(50):
        for row, pose in near.ask(None, [1, 2, 0], boxes(100, 900, 120), ball_at(150)):
            assert row == 0
            assert pose.box[0] == 80
    assert {x for xs in detector.xs for x in xs} == {100.0}


def test_everybody_near_gets_a_turn():
    detector, near = asking(25.0)
    for _ in range(25):
        near.ask(None, [1, 2, 3, 4, 5], boxes(100, 130, 160, 190, 220), ball_at(100))
    turns = [x for xs in detector.xs for x in xs]
    assert {turns.count(x) for x in set(turns)} == {5}


@pytest.mark.parametrize(("near_the_ball", "together"), [(6, 4), (2, 2)])
def test_those_who_cost_one_pass_together_are_asked_about_together(near_the_ball, together):
    detector, near = asking(8.0, at_once=4)
    for _ in range(250):
        near.ask(None, range(1, 7), boxes(*range(100, 100 + 10 * near_the_ball, 10)), ball_at(100))
    assert {len(xs) for xs in detector.xs} == {together}


def test_without_a_ball_or_a_person_nobody_is_asked_about():
    detector, near = asking(25.0)
    for _ in range(30):
        assert near.ask(None, [1], boxes(100), np.zeros((0, 4))) == []
        assert near.ask(None, [], boxes(), ball_at(100)) == []
    assert detector.xs == []


def posed(**scores):
    point = np.zeros((POINTS, 2))
    point[ANKLES] = [[90, 390], [130, 380]]
    point[HIPS] = [[95, 350], [115, 350]]
    score = np.full(POINTS, 0.8)
    for name, value in scores.items():
        score[int(name[1:])] = value
    return Pose(point, score, boxes(105)[0])


def test_the_lower_foot_touches_the_ground_and_the_person_stands_below_the_hips():
    assert posed().foot == pytest.approx([90, 396])
    assert posed().stance == pytest.approx([105, 396])


@pytest.mark.parametrize("joint", [15, 16])
def test_an_ankle_that_is_not_sure_tells_no_foot(joint):
    pose = posed(**{f"j{joint}": 0.1})
    assert pose.foot is None
    assert pose.stance is None
    assert pose.torso is not None


def test_hips_that_are_not_sure_tell_neither_stance_nor_torso():
    pose = posed(j11=0.1)
    assert pose.foot is not None
    assert pose.stance is None
    assert pose.torso is None
