"""Events of which the ball itself was not seen."""

import numpy as np
import pytest

from hub.events import find_events
from wire.events import EventType
from wire.pitch import Pitch
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track

PITCH = Pitch(55.0, 37.0, 7)
HOME = [(-25, 0), (-18, 10), (-18, 0), (-18, -10), (-9, 9), (-9, -9), (-1, 0)]
AWAY = [(25, 0), (18, 10), (18, 0), (18, -10), (9, 9), (9, -9), (8.5, 0)]
TAKER, CONCEDER = 6, 13


def moving(points, frames):
    """Positions (frames, 2) through points (seconds, x, y)."""
    t, x, y = np.array(points, float).T
    at = np.arange(frames) / 25
    return np.column_stack([np.interp(at, t, x), np.interp(at, t, y)])


def match(seconds, moves, ball=()):
    """Tracks of people at their places but for `moves`, and of a ball known only at the given stretches."""
    frames = int(seconds * 25)
    people = [moving(moves.get(i, [(0, *home)]), frames) for i, home in enumerate(HOME + AWAY)]
    tracks = [Track(i + 1, Role.PLAYER, TeamSide.HOME if i < 7 else TeamSide.AWAY) for i in range(14)]
    frame = [np.arange(frames)] * 14
    for stretch in ball:
        first, last = round(stretch[0][0] * 25), round(stretch[-1][0] * 25)
        people.append(moving(stretch, frames)[first : last + 1])
        frame.append(np.arange(first, last + 1))
    who = [t.id for t in tracks] + [99] * len(ball)
    return PitchTracks(
        start_ns=0,
        frames_per_second=25.0,
        tracks=(*tracks, Track(99, Role.BALL)) if ball else tuple(tracks),
        frame=np.concatenate(frame),
        track=np.repeat(who, [len(f) for f in frame]),
        xy=np.concatenate(people),
        seen=np.ones(sum(len(f) for f in frame), bool),
    )


def only(events, kind):
    return [e for e in events if e.type is kind]


def kick_off_at(s, who, side):
    x = side * 0.9
    return [(s - 0.5, x, 0), (s + 0.3, 0, 0), (s + 1.5, -6 * side, 4)]


def attack(start, goal, back):
    """Everybody moves towards the right goal from `start` to `goal` seconds and is home again at `back`."""
    moves = {}
    for i, (x, y) in enumerate(HOME + AWAY):
        ahead = min(x + 12, 26)
        moves[i] = [(start, x, y), (goal, ahead, y), (goal + 1, ahead, y), (back, x, y)]
    moves[TAKER] = [(0, -0.9, 0), *kick_off_at(2.0, TAKER, -1)[:2], (3.5, 6, 4), (goal, 20, 2), (back, -9, 0)]
    moves[CONCEDER] = [*moves[CONCEDER], (back + 0.5, 0.9, 0), *kick_off_at(back + 3, CONCEDER, 1)]
    return moves


def test_kick_offs_are_told_by_how_people_stand():
    moves = attack(2.5, 9.0, 18.0)
    kick_offs = only(find_events(match(26, moves), PITCH), EventType.KICK_OFF)
    assert [e.time_s for e in kick_offs] == pytest.approx([2.0, 21.0], abs=0.8)
    assert [e.team for e in kick_offs] == [TeamSide.HOME, TeamSide.AWAY]


def test_a_kick_off_within_a_half_means_a_goal_even_if_nobody_saw_the_ball():
    events = find_events(match(26, attack(2.5, 9.0, 18.0)), PITCH)
    (goal,) = only(events, EventType.GOAL)
    assert goal.time_s == pytest.approx(9.0, abs=1.5)
    assert goal.team is TeamSide.HOME
    assert goal.x_m == pytest.approx(PITCH.half_length)
    (shot,) = only(events, EventType.SHOT)
    assert 0 < goal.time_s - shot.time_s < 2


def test_a_kick_off_that_the_session_ends_before_still_means_a_goal():
    events = find_events(match(20.4, attack(2.5, 9.0, 18.0)), PITCH)
    assert len(only(events, EventType.GOAL)) == 1
    assert len(only(events, EventType.KICK_OFF)) == 1


@pytest.mark.parametrize("left_s", [0.7, 1.0])
def test_a_kick_off_right_before_the_session_ends_is_told_by_the_taker_who_ran_over_the_spot(left_s):
    events = find_events(match(20.8 + left_s, attack(2.5, 9.0, 18.0)), PITCH)
    assert [e.time_s for e in only(events, EventType.KICK_OFF)] == pytest.approx([2.0, 21.2], abs=0.8)


def test_a_ball_thrown_to_the_spot_is_no_kick_off_before_it_is_kicked():
    ball = [(18.6, 15, 1), (19.3, 0, 0), (19.4, -0.6, 0), (20.2, 0, 0.1), (20.9, 0.1, 0), (21.9, 8, 5)]
    events = find_events(match(22, attack(2.5, 9.0, 18.0), [ball]), PITCH)
    assert only(events, EventType.KICK_OFF)[-1].time_s == pytest.approx(20.9, abs=0.25)


def test_a_kick_off_whose_ball_is_passed_back_across_the_spot_is_dated_when_it_first_left():
    ball = [(2.0, 0, 0), (3.0, 6, 0), (3.6, 6, 0), (4.2, 0, 0), (5.0, -8, 0)]
    events = find_events(match(26, attack(2.5, 9.0, 18.0), [ball]), PITCH)
    assert only(events, EventType.KICK_OFF)[0].time_s == pytest.approx(2.0, abs=0.25)


def test_a_ball_last_seen_on_its_way_dates_the_goal():
    flight = [(8.0, 10, 3), (8.6, 19, 1.5)]
    (goal,) = only(find_events(match(26, attack(2.5, 9.0, 18.0), [flight]), PITCH), EventType.GOAL)
    assert goal.time_s == pytest.approx(8.6 + 8.5 / 15, abs=0.1)
    assert goal.y_m == pytest.approx(0.1, abs=0.3)


def test_nobody_scores_while_all_stand_in_their_halves():
    assert find_events(match(20, {}), PITCH) == []


def out_over_the_touchline(moves):
    rolling = [(4.0, 2, 10), (6.0, 5, 20), (6.5, 5.5, 21)]
    moves[TAKER] = [(0, -0.9, 0), *kick_off_at(2.0, TAKER, -1)]
    return match(20, moves, [[(1.0, 0, 0), (2.0, 0, 0), (4.0, 2, 10)], rolling])


def test_a_throw_in_is_told_by_who_steps_to_the_line():
    thrower = [(6, 9, 9), (9, 5.2, 17.5), (10.5, 5.2, 18.9), (11, 5.2, 18.9), (12.5, 6, 14)]
    events = find_events(out_over_the_touchline({11: thrower}), PITCH)
    (throw,) = only(events, EventType.THROW_IN)
    assert throw.time_s == pytest.approx(10.75, abs=0.5)
    assert throw.y_m == pytest.approx(PITCH.half_width)


def test_nobody_at_the_line_no_throw_in():
    assert only(find_events(out_over_the_touchline({}), PITCH), EventType.THROW_IN) == []


def over_the_goal_line(moves):
    shot = [(5.0, 10, 6), (6.0, 24, 4.2), (6.2, 25.5, 4.2), (6.7, 30, 6)]
    moves[TAKER] = [(0, -0.9, 0), *kick_off_at(2.0, TAKER, -1)[:2], (5.0, 10, 6), (7, 12, 6)]
    return match(24, moves, [[(1.0, 0, 0), (2.0, 0, 0), (5.0, 10, 6), *shot[1:]]])


def test_a_corner_is_told_by_who_waits_at_the_arc():
    taker = [(7, -9, 9), (11, 27.5, 19.5), (14, 27.5, 19.5), (14.6, 27.2, 18.3), (16, 22, 14)]
    (corner,) = only(find_events(over_the_goal_line({4: taker}), PITCH), EventType.CORNER)
    assert corner.time_s == pytest.approx(14.6, abs=0.5)
    assert corner.team is TeamSide.HOME


def test_a_defender_at_the_arc_takes_no_corner():
    defender = [(7, 18, 10), (11, 27.5, 19.5), (14, 27.5, 19.5), (16, 22, 14)]
    assert only(find_events(over_the_goal_line({8: defender}), PITCH), EventType.CORNER) == []
