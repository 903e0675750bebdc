import numpy as np

from hub.clips import LAG_S, LEAD_S, look_path, made_clips, worth_a_clip
from hub.rendering import RenderingFailed
from wire.events import Event, EventType
from wire.pitch_tracks import PitchTracks, Role, Track


def event(time_s, kind):
    return Event(time_s=time_s, type=kind)


def test_goals_get_clips_and_a_shot_inside_a_goals_clip_gets_none():
    events = [
        event(20, EventType.SHOT),
        event(21, EventType.GOAL),
        event(50, EventType.SHOT),
        event(55, EventType.PASS),
    ]
    assert worth_a_clip(events, 60.0) == [(1, 21 - LEAD_S, 21 + LAG_S), (2, 50 - LEAD_S, 50 + LAG_S)]


def test_clips_stay_inside_the_match():
    [(_, start, end)] = worth_a_clip([event(1, EventType.GOAL)], 3.0)
    assert (start, end) == (0.0, 3.0)


def test_a_clip_that_cannot_be_made_is_left_out_and_told_and_costs_the_others_nothing(tmp_path):
    events = [event(20, EventType.GOAL), event(50, EventType.CORNER), event(80, EventType.GOAL)]
    asked, told = [], []

    def make(clip, picture, event, start, end):
        asked.append((clip, picture, event.time_s, start, end))
        if event.type is EventType.CORNER:
            raise RenderingFailed(f"{clip.name} could not be made: no such filter")

    clips = made_clips(events, 100.0, tmp_path / "clips", make, told.append)
    assert [(c.event, c.path, c.thumbnail) for c in clips] == [
        (0, "clips/00020s-goal.mp4", "clips/00020s-goal.jpg"),
        (2, "clips/00080s-goal.mp4", "clips/00080s-goal.jpg"),
    ]
    assert asked[0] == (tmp_path / clips[0].path, tmp_path / clips[0].thumbnail, 20, 20 - LEAD_S, 20 + LAG_S)
    assert [str(fault) for fault in told] == ["00050s-corner.mp4 could not be made: no such filter"]


def tracks(ball):
    frames = np.arange(len(ball))
    return PitchTracks(
        0,
        25.0,
        (Track(1, Role.PLAYER), Track(2, Role.BALL)),
        np.concatenate([frames, frames]),
        np.repeat([1, 2], len(ball)),
        np.concatenate([np.tile([-20.0, 0.0], (len(ball), 1)), ball]),
        np.ones(2 * len(ball), bool),
    )


def test_the_picture_glides_after_the_ball():
    ball = np.column_stack([np.linspace(0, 30, 250), np.zeros(250)])
    path = look_path(tracks(ball), 2.0, 8.0)
    assert path[0, 0] == 0.0
    assert np.all(np.diff(path[:, 1]) > 0)
    assert np.abs(path[:, 1] - 30 * (path[:, 0] + 2.0) / 10).max() < 6.0


def test_without_a_ball_the_picture_rests_on_the_players():
    seen = tracks(np.zeros((100, 2)))
    no_ball = PitchTracks(0, 25.0, seen.tracks[:1], seen.frame[:100], seen.track[:100], seen.xy[:100], seen.seen[:100])
    path = look_path(no_ball, 0.0, 3.0)
    assert np.allclose(path[:, 1:], [-20.0, 0.0])
