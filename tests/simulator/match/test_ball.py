import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.match.ball import BOARDS, Ball, direct, fly, launch, lofted, rolling_speed
from simulator.match.truth import BALL_RADIUS_M
from wire.pitch import default_pitch

PITCH = default_pitch(11)


@given(st.floats(4, 35), st.floats(1, 6))
def test_a_rolling_ball_arrives_with_the_speed_it_was_kicked_for(distance, arrival):
    path = fly(PITCH, np.array([-45.0, 0.0, BALL_RADIUS_M]), np.array([rolling_speed(distance, arrival), 0.0, 0.0]))
    at = int((path.xyz[:, 0] + 45 >= distance).argmax())
    assert path.velocity[at, 0] == pytest.approx(arrival, abs=0.4)


@given(st.floats(10, 45), st.floats(20, 50))
def test_a_lofted_ball_comes_down_where_it_was_meant_to(distance, degrees):
    speed, flight = lofted(distance, math.radians(degrees))
    start = np.array([-45.0, 3.0, BALL_RADIUS_M])
    path = fly(PITCH, start, launch(start, np.array([0.0, 3.0]), speed, math.radians(degrees)))
    landing = path.xyz[round(flight * 25)]
    assert landing[0] + 45 == pytest.approx(distance, abs=1.5)
    assert landing[2] < 1.2


@given(st.floats(8, 28), st.floats(0.2, 2.2), st.floats(20, 28))
def test_a_shot_passes_at_the_height_it_was_aimed_at(distance, height, speed):
    start = np.array([PITCH.half_length - distance, 0.0, BALL_RADIUS_M])
    elevation = direct(distance, height - BALL_RADIUS_M, speed)
    path = fly(PITCH, start, launch(start, np.array([PITCH.half_length, 0.0]), speed, elevation))
    assert path.crossing is not None
    assert path.crossing.goal
    assert path.crossing.z == pytest.approx(height, abs=0.25)


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0, 15))
def test_no_ball_leaves_the_boards_and_the_first_way_out_is_where_it_crossed(vx, vy, vz):
    path = fly(PITCH, np.array([20.0, 10.0, BALL_RADIUS_M]), np.array([vx, vy, vz]))
    assert np.abs(path.xyz[:, 0]).max() <= PITCH.half_length + BOARDS + 1e-9
    assert np.abs(path.xyz[:, 1]).max() <= PITCH.half_width + BOARDS + 1e-9
    outside = (np.abs(path.xyz[:, 0]) > PITCH.half_length + BALL_RADIUS_M) | (
        np.abs(path.xyz[:, 1]) > PITCH.half_width + BALL_RADIUS_M
    )
    assert (path.crossing is not None) == bool(outside.any())
    if path.crossing is not None:
        assert path.crossing.after_s == pytest.approx(int(outside.argmax()) / 25, abs=0.041)
        limit = PITCH.half_length if path.crossing.end_line else PITCH.half_width
        place = path.crossing.x if path.crossing.end_line else path.crossing.y
        assert abs(place) == pytest.approx(limit + BALL_RADIUS_M, abs=1e-6)


def test_the_net_holds_the_ball():
    path = fly(PITCH, np.array([35.0, 0.0, BALL_RADIUS_M]), np.array([26.0, 2.0, 3.0]))
    assert path.crossing is not None
    assert path.crossing.goal
    assert PITCH.half_length < path.xyz[-1, 0] < PITCH.half_length + 2
    assert abs(path.xyz[-1, 1]) < PITCH.form.goal_width / 2


def test_a_taken_ball_goes_on_smoothly_to_the_foot():
    ball = Ball(PITCH, 0.0, 0.0)
    ball.kick(np.array([14.0, 0.0, 0.0]))
    for _ in range(10):
        ball.roll_on()
    ball.stop(0.3)
    foot = np.array([6.0, 0.5, BALL_RADIUS_M])
    last = ball.p.copy()
    for _ in range(50):
        ball.guide(foot, np.zeros(3))
        assert np.linalg.norm(ball.p - last) * 25 < 20
        last = ball.p.copy()
    np.testing.assert_allclose(ball.p, foot, atol=0.02)
