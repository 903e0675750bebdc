from collections import Counter

import numpy as np
import pytest

import bench.budget
from bench.budget import (
    MORE_FALSE_BALLS,
    MORE_FALSE_PERSONS,
    WAYS,
    Score,
    Truth,
    failings,
    feet_together,
    judged,
    recorded,
    reference,
    simulated,
)
from edge.detect.detector import Detections
from wire.tracks import Kind


def truth(boxes, ball=None, spares=()):
    box = np.array(boxes, np.float64).reshape(-1, 4)
    tall = box[:, 3] - box[:, 1]
    return Truth(box, tall, np.arange(len(box)), np.ones(len(box), bool), ball, 4.0, np.reshape(spares, (-1, 2)), None)


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


def test_a_row_on_a_spare_ball_is_no_false_ball_and_a_second_one_on_the_ball_is():
    ball, spare, sock = (np.array([[x - 3, 48.0, x + 3, 54]]) for x in (50, 80, 95))
    true = truth([], np.array([50.0, 50.0]), [(80.0, 51.0)])
    assert true.false_balls(np.zeros((0, 4))) == true.false_balls(ball) == true.false_balls(spare) == 0
    assert true.false_balls(np.concatenate([ball, ball, spare, spare, sock])) == 2
    assert truth([]).false_balls(ball) == 1


def test_scores_add_up_and_what_was_never_wanted_has_no_share():
    one, other = Score(pictures=1, false_alarms=1), Score(pictures=3)
    one.wanted["far"], one.followed["far"] = 1, 1
    other.wanted["far"] = 3
    one.add(other)
    assert one.line().split() == ["0.0", "-", "-", "-", "-", "25.0", "-", "-", "0.25", "0.00"]


def score(seen, followed=90, **false):
    """A hundred pictures with a far player and the ball, of which looks found both in so many."""
    pictures = Counter(far=100, ball=100)
    return Score(100, pictures, Counter(far=seen, ball=seen), Counter(far=followed, ball=followed), **false)


def test_a_budget_that_finds_clearly_more_for_as_few_false_alarms_is_good_enough():
    assert not list(failings(score(20), score(40)))
    assert not list(failings(score(90), score(95)))


@pytest.mark.parametrize(
    ("budget", "failing"),
    [
        (score(22), "its looks found far players in 22.0% of the pictures, uniform tiles in 20.0%"),
        (score(28), "its looks found the ball in 28.0% of the pictures, uniform tiles in 20.0%"),
        (score(40, followed=86), "its rows followed far players in 86.0% of the pictures, with uniform tiles in 90.0%"),
        (score(40, false_alarms=int(101 * MORE_FALSE_PERSONS)), "false persons a picture"),
        (score(40, false_balls=int(101 * MORE_FALSE_BALLS)), "false balls a picture"),
    ],
)
def test_a_budget_that_does_not_is_told_why(budget, failing):
    assert any(failing in told for told in failings(score(20), budget))


def test_a_ball_that_nobody_found_is_not_found_clearly_more_often():
    assert any("the ball" in told for told in failings(score(0), score(0)))


def test_the_bench_fails_at_the_budgets_that_are_not_good_enough(capsys):
    good = {("uniform", 4.0): score(20), ("budget", 4.0): score(40)}
    bad = {("uniform", 8.0): score(20), ("budget", 8.0): score(20)}
    assert judged("these", [good, good]) == 0
    assert judged("these", [good, bad]) == 1
    assert "At 8 passes a second its looks found far players" in capsys.readouterr().out


def test_the_bench_ends_with_1_when_any_rig_fails(monkeypatch):
    good = {("uniform", 4.0): score(20), ("budget", 4.0): score(40)}
    bad = {("uniform", 4.0): score(20), ("budget", 4.0): score(20)}
    monkeypatch.setattr(bench.budget, "simulated", lambda rig, *_: bad if rig == "mast" else good)
    assert bench.budget.main(["--seeds", "1", "--rigs", "sideline"]) == 0
    assert bench.budget.main(["--seeds", "1", "--rigs", "mast", "sideline"]) == 1


def found(*things):
    """Detections (kind, score, x, y of the middle, side) of one picture."""
    kind, sure, x, y, side = (np.array(column) for column in zip(*things, strict=True))
    box = np.stack([x - side / 2, y - side / 2, x + side / 2, y + side / 2], axis=1)
    return Detections(box, sure, kind, (0.0, 0.0, 3000.0, 1700.0))


def test_a_spare_ball_beside_the_pitch_is_not_the_ball_that_is_wanted():
    shown = {
        number: found((Kind.BALL, 0.9, 600.0, 1500.0, 20.0), (Kind.BALL, 0.7, 900.0 + 8 * number, 900.0, 20.0))
        for number in range(0, 70, 10)
    }
    truths = reference(shown, 2.0, 25.0)
    assert [truth.ball.tolist() for truth in truths.values()] == [[450 + 4 * n, 450] for n in shown]
    assert [truth.spares.tolist() for truth in truths.values()] == [[[300, 750]]] * len(shown)


def test_who_is_only_likely_in_the_full_picture_is_neither_wanted_nor_a_false_alarm():
    [truth] = reference(
        {0: found((Kind.PERSON, 0.7, 500.0, 500.0, 60.0), (Kind.PERSON, 0.3, 900.0, 500.0, 60.0))}, 2.0, 25.0
    ).values()
    assert truth.wanted.tolist() == [True, False]
    assert truth.tall.tolist() == [30, 30]
    assert truth.ball is None


@pytest.mark.slow
def test_a_budget_finds_more_far_players_and_the_ball_more_often_than_uniform_tiles():
    scores = simulated("sideline", 32, 3.0, [8.0])
    assert not list(failings(*(scores[way, 8.0] for way in WAYS)))


@pytest.mark.slow
def test_on_a_recorded_clip_too_a_budget_finds_clearly_more_than_uniform_tiles(footage):
    scores = recorded(footage / "right.mp4", [8.0])
    assert scores["budget", 8.0].wanted["ball"] > 20
    assert not list(failings(*(scores[way, 8.0] for way in WAYS)))


def test_where_nothing_is_to_be_found_nothing_is_shown(tmp_path, capsys):
    assert list(failings(Score(), Score())) == ["nothing was there to be found"]
    with pytest.raises(SystemExit) as ended:
        bench.budget.main(["--footage", str(tmp_path)])
    assert ended.value.code == 2
    assert "no clips" in capsys.readouterr().err
