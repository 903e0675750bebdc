from collections import Counter

import numpy as np
import pytest

from simulator.errors import SimulatorError
from simulator.match.ball import BOARDS
from simulator.match.engine import play
from simulator.match.truth import truth_events, truth_tracks
from wire.events import EventType
from wire.pitch import default_pitch
from wire.pitch_tracks import Role, TeamSide, decode_pitch_tracks, encode_pitch_tracks

RESTARTS = {
    EventType.KICK_OFF,
    EventType.THROW_IN,
    EventType.CORNER,
    EventType.GOAL_KICK,
    EventType.FREE_KICK,
}


def other(side):
    return TeamSide.AWAY if side is TeamSide.HOME else TeamSide.HOME


def velocities(match):
    return np.diff(match.xy.astype(np.float64), axis=0) * match.frames_per_second


def frame_of(match, time_s):
    return round(time_s * match.frames_per_second)


# --- the same match again ---


def test_the_same_seed_gives_the_same_match_and_another_seed_another():
    pitch = default_pitch(7)
    one, again, another = play(pitch, 6, 3), play(pitch, 6, 3), play(pitch, 6, 4)
    np.testing.assert_array_equal(one.xy, again.xy)
    np.testing.assert_array_equal(one.ball, again.ball)
    assert one.events == again.events
    assert not np.array_equal(one.xy, another.xy)


@pytest.mark.parametrize("seconds", [0, -3, 1e6, float("nan")])
def test_a_match_of_no_sensible_length_is_refused(seconds):
    with pytest.raises(SimulatorError):
        play(default_pitch(7), seconds, 1)


def test_five_seconds_are_a_match_with_a_kick_off():
    match = play(default_pitch(11), 5, 1)
    assert match.frames == 125
    assert match.events[0].type is EventType.KICK_OFF


# --- bodies ---


def test_there_are_two_whole_teams_with_one_keeper_each_and_a_referee(match):
    per_side = match.pitch.players
    count = Counter((person.team, person.role) for person in match.people)
    assert count == {
        (TeamSide.HOME, Role.PLAYER): per_side,
        (TeamSide.AWAY, Role.PLAYER): per_side,
        (TeamSide.NONE, Role.REFEREE): 1,
    }
    assert Counter(person.team for person in match.people if person.keeper) == {TeamSide.HOME: 1, TeamSide.AWAY: 1}
    assert len({person.id for person in match.people} | {match.ball_id}) == 2 * per_side + 2


def test_nobody_is_faster_than_a_player_can_be_or_starts_like_a_rocket(match):
    velocity = velocities(match)
    assert np.hypot(*np.moveaxis(velocity, 2, 0)).max() < (8.3 if match.pitch.players == 11 else 7.3)
    change = np.diff(velocity, axis=0) * match.frames_per_second
    size = np.hypot(*np.moveaxis(change, 2, 0))
    assert np.quantile(size, 0.97) < 5.0
    assert size.max() < 12.0


def test_the_told_speed_is_the_speed_of_the_positions(match):
    moved = np.hypot(*np.moveaxis(velocities(match), 2, 0))
    assert np.quantile(np.abs(match.speed[1:] - moved), 0.999) < 0.1


def test_bodies_keep_apart(match):
    between = match.xy[:, :, None].astype(np.float64) - match.xy[:, None]
    gap = np.sqrt((between**2).sum(3)) + 99 * np.eye(len(match.people))
    assert gap.min() >= 0.6


def test_everybody_stays_near_the_pitch_and_the_teams_spread_over_it(match):
    assert np.abs(match.xy[..., 0]).max() < match.pitch.half_length + BOARDS
    assert np.abs(match.xy[..., 1]).max() < match.pitch.half_width + BOARDS
    for side in (TeamSide.HOME, TeamSide.AWAY):
        field = [i for i, person in enumerate(match.people) if person.team is side and not person.keeper]
        spread = np.ptp(match.xy[:, field], axis=1).mean(0)
        assert spread[0] > 0.22 * match.pitch.length_m
        assert spread[1] > 0.35 * match.pitch.width_m


def test_keepers_stay_by_their_goals(match):
    for index, person in enumerate(match.people):
        if person.keeper:
            sign = -1 if person.team is TeamSide.HOME else 1
            from_goal = np.hypot(match.xy[:, index, 0] - sign * match.pitch.half_length, match.xy[:, index, 1])
            assert np.quantile(from_goal, 0.95) < match.pitch.form.penalty_area_depth + 6


def test_strides_advance_with_the_way_run(match):
    assert (np.diff(match.stride, axis=0) >= -1e-3).all()
    run = np.hypot(*np.moveaxis(np.diff(match.xy.astype(np.float64), axis=0), 2, 0)).sum(0)
    turns = (match.stride[-1] - match.stride[0]) / (2 * np.pi)
    assert ((run / np.maximum(turns, 1e-6) > 1.1) & (run / np.maximum(turns, 1e-6) < 3.7)).all()


# --- the ball ---


def test_the_ball_never_jumps_nor_sinks_into_the_grass(match):
    step = np.linalg.norm(np.diff(match.ball.astype(np.float64), axis=0), axis=1) * match.frames_per_second
    assert step.max() < 35
    assert match.ball[:, 2].min() > 0.1
    assert match.ball[:, 2].max() > 1.5


def test_the_ball_falls_as_bodies_fall(match):
    z = match.ball[:, 2].astype(np.float64)
    fall = np.diff(z, 2) * match.frames_per_second**2
    high = (z[1:-1] > 3.0) & (z[:-2] > 2.5) & (z[2:] > 2.5)
    assert high.any()
    assert np.all(fall[high] < -5.0)
    assert np.all(fall[high] > -16.0)


def test_somebody_is_at_the_ball_whenever_it_is_kicked(match):
    kicks = RESTARTS | {EventType.PASS, EventType.SHOT, EventType.SAVE}
    for event in match.events:
        if event.type in kicks:
            frame = frame_of(match, event.time_s)
            who = next(i for i, person in enumerate(match.people) if person.id == event.track)
            assert np.linalg.norm(match.xy[frame, who] - match.ball[frame, :2]) < 2.1, event
            assert match.people[who].team is event.team


# --- events and the Laws ---


def test_events_are_in_order_within_the_match_and_where_the_ball_was(match):
    times = [event.time_s for event in match.events]
    assert times == sorted(times)
    assert times[-1] <= match.frames / match.frames_per_second
    for event in match.events:
        frame = min(frame_of(match, event.time_s), match.frames - 1)
        assert np.hypot(event.x_m - match.ball[frame, 0], event.y_m - match.ball[frame, 1]) < 1.3, event


def test_it_kicks_off_at_once_from_the_centre_spot(match):
    first = match.events[0]
    assert first.type is EventType.KICK_OFF
    assert first.time_s <= 1.5


def test_at_kick_offs_the_teams_stand_in_their_own_halves_and_off_the_circle(match):
    for event in match.events:
        if event.type is not EventType.KICK_OFF:
            continue
        frame = frame_of(match, event.time_s)
        assert np.hypot(*match.ball[frame, :2]) < 0.3
        for index, person in enumerate(match.people):
            x, y = match.xy[frame, index]
            if person.team is TeamSide.NONE or person.id == event.track:
                continue
            assert x * (-1 if person.team is TeamSide.HOME else 1) > -0.6, (event, person)
            if person.team is not event.team:
                assert np.hypot(x, y) > match.pitch.form.circle_radius - 0.3


def test_a_goal_crosses_between_the_posts_and_the_other_team_kicks_off(match):
    form = match.pitch.form
    for index, event in enumerate(match.events):
        if event.type is not EventType.GOAL:
            continue
        frame = frame_of(match, event.time_s)
        side = np.sign(event.x_m)
        assert event.team is (TeamSide.HOME if side > 0 else TeamSide.AWAY)
        assert abs(event.y_m) < form.goal_width / 2
        assert match.ball[frame, 2] < form.goal_height
        after = match.ball[frame + 3 : frame + 20]
        assert (np.abs(after[:, 0]) > match.pitch.half_length - 0.1).all()
        assert (np.abs(after[:, 1]) < form.goal_width / 2).all()
        assert any(shot.type is EventType.SHOT and 0 < event.time_s - shot.time_s < 3 for shot in match.events[:index])
        following = [later for later in match.events[index + 1 :] if later.type in RESTARTS]
        if following:
            assert following[0].type is EventType.KICK_OFF
            assert following[0].team is other(event.team)


def test_every_ball_that_goes_out_comes_back_as_the_laws_say(match):
    half_x, half_y = match.pitch.half_length, match.pitch.half_width
    for index, event in enumerate(match.events):
        if event.type is not EventType.BALL_OUT:
            continue
        following = [later for later in match.events[index + 1 :] if later.type in RESTARTS]
        if not following:
            continue
        back = following[0]
        assert back.team is other(event.team)
        if abs(event.y_m) > half_y and abs(event.x_m) <= half_x + 0.2:
            assert back.type is EventType.THROW_IN
            assert np.hypot(back.x_m - event.x_m, back.y_m - event.y_m) < 1
            continue
        assert abs(event.x_m) > half_x
        attacked_by = TeamSide.HOME if event.x_m > 0 else TeamSide.AWAY
        wanted = EventType.GOAL_KICK if event.team is attacked_by else EventType.CORNER
        assert back.type is wanted
        if wanted is EventType.CORNER:
            assert np.hypot(half_x - abs(back.x_m), half_y - abs(back.y_m)) < 1
            assert back.x_m * event.x_m > 0
            assert back.y_m * event.y_m > 0


def test_a_pass_reaches_a_team_mate(match):
    """The next to be near the ball, after the kicker let it go, is of his side."""
    for event in match.events:
        if event.type is not EventType.PASS:
            continue
        start = frame_of(match, event.time_s) + 8
        gap = np.linalg.norm(match.xy[start : start + 200] - match.ball[start : start + 200, None, :2], axis=2)
        mates = [i for i, p in enumerate(match.people) if p.team is event.team and p.id != event.track]
        assert gap[:, mates].min() < 1.2


def test_a_short_match_has_a_goal_and_the_kick_off_after_it():
    for seed in range(8):
        kinds = Counter(event.type for event in play(default_pitch(7), 20, seed).events)
        assert kinds[EventType.GOAL] >= 1
        assert kinds[EventType.KICK_OFF] >= 2
        assert kinds[EventType.SHOT] >= 1
        assert kinds[EventType.PASS] >= 2


@pytest.mark.slow
@pytest.mark.parametrize("players", [11, 9, 7])
def test_twenty_seconds_have_a_goal_and_a_minute_has_every_restart_for_any_seed(players):
    for seed in range(8):
        kinds = Counter(event.type for event in play(default_pitch(players), 20, seed).events)
        assert kinds[EventType.GOAL] >= 1, seed
        assert kinds[EventType.KICK_OFF] >= 2, seed
        assert kinds[EventType.PASS] >= 2, seed
    for seed in range(8):
        kinds = Counter(event.type for event in play(default_pitch(players), 60, seed).events)
        assert kinds[EventType.SHOT] >= 2, seed
        assert kinds[EventType.KICK_OFF] >= 2, seed
        for kind in (EventType.GOAL, EventType.SAVE, EventType.CORNER, EventType.THROW_IN, EventType.GOAL_KICK):
            assert kinds[kind] >= 1, (seed, kind)


@pytest.mark.slow
def test_three_minutes_have_everything():
    for seed in range(4):
        kinds = {event.type for event in play(default_pitch(9), 180, seed).events}
        assert kinds >= set(EventType) - {EventType.PENALTY, EventType.HALF_TIME, EventType.MARK}, seed


# --- what is handed on ---


def test_tracks_hold_everybody_and_the_ball_in_every_frame(match):
    tracks = truth_tracks(match, 1_000)
    assert len(tracks.tracks) == len(match.people) + 1
    assert len(tracks.frame) == match.frames * len(tracks.tracks)
    assert tracks.seen.all()
    frame, xy, _ = tracks.of(match.ball_id)
    np.testing.assert_array_equal(frame, np.arange(match.frames))
    np.testing.assert_allclose(xy, match.ball[:, :2])
    _, xy, _ = tracks.of(match.people[3].id)
    np.testing.assert_allclose(xy, match.xy[:, 3])
    again = decode_pitch_tracks(encode_pitch_tracks(tracks))
    np.testing.assert_allclose(again.xy, tracks.xy, atol=0.0051)


def test_events_are_handed_on_whole(match):
    assert truth_events(match) == list(match.events)
