import numpy as np
import pytest

from hub.events import find_events
from wire.events import EventType
from wire.pitch import Pitch
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track

PITCH = Pitch(55.0, 37.0, 7)
HOME = [(-25, 0), (-15, 8), (-15, -8), (-2, 0)]
AWAY = [(25, 0), (15, 8), (15, -8), (8, 3)]


def ball_through(points):
    """A ball (frames, 2) that is at each (seconds, x, y) and moves evenly in between."""
    t, x, y = np.array(points, float).T
    at = np.arange(int(t[-1] * 25) + 1) / 25
    return np.column_stack([np.interp(at, t, x), np.interp(at, t, y)])


def match(ball, moves=None, drop=None):
    n = len(ball)
    people = np.repeat(np.array(HOME + AWAY, float)[:, None], n, axis=1)
    for who, points in (moves or {}).items():
        people[who] = ball_through([*points, (n / 25 + 1, *points[-1][1:])])[:n]
    paths = [*people, ball]
    rows = [np.ones(n, bool)] * len(people) + [np.ones(n, bool) if drop is None else ~drop]
    tracks = [Track(i + 1, Role.PLAYER, TeamSide.HOME if i < len(HOME) else TeamSide.AWAY) for i in range(len(people))]
    return PitchTracks(
        start_ns=0,
        frames_per_second=25.0,
        tracks=(*tracks, Track(99, Role.BALL)),
        frame=np.concatenate([np.flatnonzero(r) for r in rows]),
        track=np.concatenate([np.full(r.sum(), i) for i, r in zip([*(t.id for t in tracks), 99], rows, strict=True)]),
        xy=np.concatenate([p[r] for p, r in zip(paths, rows, strict=True)]),
        seen=np.ones(sum(int(r.sum()) for r in rows), bool),
    )


def only(events, kind):
    return [e for e in events if e.type is kind]


KICK_OFF = [(0, 0, 0), (2, 0, 0), (3.2, -14.6, 8)]
AT_SPOT = {3: [(0, -0.6, 0), (2.4, -0.6, 0), (3.5, -2, 0)]}


def test_a_kick_off_is_dated_when_the_ball_leaves_the_centre():
    (event,) = only(find_events(match(ball_through([*KICK_OFF, (6, -14.6, 8)]), AT_SPOT), PITCH), EventType.KICK_OFF)
    assert event.time_s == pytest.approx(2.0, abs=0.15)
    assert event.team is TeamSide.HOME
    assert event.track == 4


def test_a_pass_goes_between_team_mates_at_the_time_of_the_kick():
    ball = ball_through([*KICK_OFF, (4.5, -14.6, 8), (6, -14.6, -7.6), (7, -14.6, -7.6)])
    (event,) = only(find_events(match(ball, AT_SPOT), PITCH), EventType.PASS)
    assert event.time_s == pytest.approx(4.5, abs=0.2)
    assert (event.team, event.track) == (TeamSide.HOME, 2)


def test_a_ball_to_an_opponent_is_no_pass():
    ball = ball_through([*KICK_OFF, (4.5, -14.6, 8), (7, 14.6, 8), (8, 14.6, 8)])
    assert only(find_events(match(ball, AT_SPOT), PITCH), EventType.PASS) == []


GOAL = [
    *KICK_OFF,
    (5, -14.6, 8),
    (6, 10, 3),
    (6.6, 10, 3),
    (7.5, 29, 1),
    (9, 29, 1),
    (14, 0, 0),
    (17, 0, 0),
    (18, 8, 4),
]
SCORER = {
    3: [(0, -0.6, 0), (2.4, -0.6, 0), (5, 9.6, 3), (7, 9.6, 3), (13, -9, 0)],
    7: [(0, 8, 3), (13, 8, 3), (15, 0.6, 0)],
}


def test_a_shot_a_goal_and_the_kick_off_after_it():
    events = find_events(match(ball_through(GOAL), SCORER), PITCH)
    (goal,) = only(events, EventType.GOAL)
    crossing = 6.6 + 0.9 * (27.5 - 10) / 19
    assert goal.time_s == pytest.approx(crossing, abs=0.08)
    assert goal.team is TeamSide.HOME
    assert [round(e.time_s) for e in only(events, EventType.KICK_OFF)] == [2, 17]
    (shot,) = only(events, EventType.SHOT)
    assert shot.time_s == pytest.approx(6.6, abs=0.2)
    assert only(events, EventType.BALL_OUT) == []


def test_a_goal_survives_a_ball_seen_in_two_frames_of_three():
    ball = ball_through(GOAL)
    drop = np.random.default_rng(2).random(len(ball)) < 1 / 3
    events = find_events(match(ball, SCORER, drop), PITCH)
    assert len(only(events, EventType.GOAL)) == 1


@pytest.mark.parametrize(
    ("out", "spot", "kind"),
    [
        ((5, 22), (5, 18.5), EventType.THROW_IN),
        ((30, 9), (27.3, 18.3), EventType.CORNER),
        ((30, 9), (24.0, 2.5), EventType.GOAL_KICK),
    ],
)
def test_a_ball_over_a_line_comes_back_by_the_fitting_restart(out, spot, kind):
    ball = ball_through(
        [*KICK_OFF, (5, -14.6, 8), (7, *out), (8, *out), (10, *spot), (13, *spot), (14.2, 12, 0), (16, 12, 0)]
    )
    events = find_events(match(ball, AT_SPOT), PITCH)
    assert len(only(events, EventType.BALL_OUT)) == 1
    (restart,) = only(events, kind)
    assert restart.time_s == pytest.approx(13.0, abs=0.2)
    assert only(events, EventType.GOAL) == []


def test_a_wide_shot_that_a_goal_kick_answers_is_no_goal_even_through_the_mouth():
    ball = ball_through([*KICK_OFF, (5, -14.6, 8), (7, 30, 0), (8, 30, 0), (10, 24, 2.5), (13, 24, 2.5), (14.2, 8, 0)])
    events = find_events(match(ball, AT_SPOT), PITCH)
    assert only(events, EventType.GOAL) == []
    assert len(only(events, EventType.GOAL_KICK)) == 1


def test_without_a_ball_nothing_is_claimed():
    tracks = match(ball_through(KICK_OFF), drop=np.ones(81, bool))
    assert find_events(tracks, PITCH) == []
