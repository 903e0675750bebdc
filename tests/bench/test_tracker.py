"""What the tracker's bench counts, and what it leaves out."""

import numpy as np
import pytest

import bench.tracker as bench
from bench.tracker import Seen, Truth, ball_score, compared
from simulator.pictures.rigs import virtual_rig
from simulator.pictures.visibility import TrueBox
from wire.pitch import default_pitch

PITCH = default_pitch(11)
CENTRE = virtual_rig("mast", PITCH, 1).rig.cameras[1]
NONE = np.zeros(0, np.int64), np.zeros((0, 4))


def box_at(x_m, y_m, tall=60.0):
    u, v = CENTRE.project([[x_m, y_m, 0.0]])[0]
    return (u - 12, v - tall, u + 12, v)


def seen(*boxes):
    return Seen(np.arange(len(boxes)) + 7, np.array(boxes, np.float64).reshape(-1, 4), *NONE)


def people(*boxes, visible=1.0, height=60.0):
    return Truth([TrueBox(k, box, height, visible) for k, box in enumerate(boxes)], None, 6.0)


def test_a_person_and_who_follows_him_are_compared():
    frame = compared(CENTRE, PITCH, people(box_at(0, 0), box_at(5, 0)), seen(box_at(0, 0)))
    assert (frame.true.tolist(), frame.found.tolist()) == ([0, 1], [7])
    assert frame.alike == pytest.approx(np.array([[1.0], [0.0]]), abs=0.01)


@pytest.mark.parametrize("how", [{"visible": 0.1}, {"height": 12.0}])
def test_who_can_hardly_be_seen_is_neither_missed_nor_wrongly_found(how):
    frame = compared(CENTRE, PITCH, people(box_at(0, 0), **how), seen(box_at(0, 0)))
    assert (len(frame.true), len(frame.found)) == (0, 0)


def test_a_box_where_nobody_is_counts_on_the_pitch_only():
    beside = (0.0, PITCH.half_width + 6)
    assert len(compared(CENTRE, PITCH, people(), seen(box_at(0, 0))).found) == 1
    assert len(compared(CENTRE, PITCH, people(), seen(box_at(*beside))).found) == 0


def test_the_ball_is_found_where_any_hypothesis_is_at_it():
    def frame(*points):
        boxes = np.array([[x - 3, y - 3, x + 3, y + 3] for x, y in points], np.float64).reshape(-1, 4)
        return Seen(*NONE, np.arange(len(points)), boxes)

    there, away = Truth([], np.array([100.0, 50.0]), 6.0), Truth([], None, 6.0)
    got = ball_score([there, there, away, there], [frame((104, 50)), frame((300, 50)), frame((100, 50)), frame()])
    assert got.found == pytest.approx(1 / 3)
    assert (got.tracklets, got.elsewhere) == (1, 0.5)


@pytest.mark.slow
def test_the_bench_prints_every_camera(capsys):
    assert bench.main(["--rig", "mast", "--seeds", "1", "--seconds", "4"]) == 0
    said = capsys.readouterr().out
    assert all(f"mast 1 {name}" in said for name in ("left", "centre", "right"))
    assert "mast over all: HOTA 0." in said
