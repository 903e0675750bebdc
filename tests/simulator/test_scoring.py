import numpy as np
import pytest

from simulator.scoring import read_events, read_positions, score_events, score_positions


def test_an_offset_is_measured_and_everybody_is_found():
    true = {k: np.array([[0.0, 0.0], [10.0, 5.0]]) for k in range(4)}
    found = {k: xy[::-1] + np.array([0.3, 0.4]) for k, xy in true.items()}
    score = score_positions(true, found)
    assert (score.mean_m, score.recall, score.precision) == (pytest.approx(0.5), 1.0, 1.0)


def test_what_is_too_far_or_missing_counts_as_neither():
    true = {0: np.array([[0.0, 0.0]]), 1: np.array([[0.0, 0.0]])}
    score = score_positions(true, {0: np.array([[5.0, 0.0]])})
    assert (score.recall, score.precision) == (0.0, 0.0)
    assert np.isnan(score.mean_m)


def test_events_match_one_to_one_within_their_tolerance():
    scores = score_events({"goal": [10.0, 30.0], "pass": [5.0]}, {"goal": [11.5, 12.0], "pass": [6.5], "shot": [1.0]})
    assert (scores["goal"].matched, scores["goal"].mean_dt_s) == (1, 1.5)
    assert scores["goal"].f1 == 0.5
    assert scores["pass"].f1 == 0.0
    assert scores["shot"].true == 0


def test_csv_files_are_read_by_kind(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "frame,id,x_m,y_m,kind,team,state\n0,1,1.0,2.0,player,home,seen\n0,2,3,4,ball,,seen\n3,1,0,0,player,home,seen\n"
    )
    positions = read_positions(path, ["player"])
    assert list(positions) == [0]
    np.testing.assert_array_equal(positions[0], [[1.0, 2.0]])
    events = tmp_path / "e.csv"
    events.write_text("time_s,type,x_m,y_m,confidence\n1.5,goal,,,1\n")
    assert read_events(events) == {"goal": [1.5]}
