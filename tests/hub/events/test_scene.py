import numpy as np

from hub.events.scene import REUSED_S, scene
from wire.pitch import Pitch
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track

PITCH = Pitch(55.0, 37.0, 7)
REST = round(REUSED_S * 25)


def tracks_of(*spans):
    """Tracks (team, first frame, frame after the last), each standing at x = its id."""
    frames = [np.arange(first, last) for _, first, last in spans]
    ids = np.repeat(np.arange(1, len(spans) + 1), [len(f) for f in frames])
    return PitchTracks(
        start_ns=0,
        frames_per_second=25.0,
        tracks=tuple(Track(i + 1, Role.PLAYER, team) for i, (team, _, _) in enumerate(spans)),
        frame=np.concatenate(frames),
        track=ids,
        xy=np.column_stack([ids, np.zeros(len(ids))]).astype(float),
        seen=np.ones(len(ids), bool),
    )


def test_a_long_match_has_as_many_rows_as_people_at_a_time():
    many = [(team, k * 2 * REST, k * 2 * REST + 500) for k in range(20) for team in (TeamSide.HOME, TeamSide.AWAY)]
    world = scene(tracks_of(*many), PITCH)
    assert world.players.shape[0] == 2
    for i, (team, first, last) in enumerate(many):
        row = int(team is TeamSide.AWAY)
        assert {world.track(row, first), world.track(row, last - 1)} == {i + 1}
        assert (world.players[row, first:last, 0] == i + 1).all()
        assert np.isnan(world.players[row, last : last + REST]).all()


def test_who_comes_soon_after_another_left_has_a_row_of_his_own():
    spans = [(TeamSide.HOME, 0, 500), (TeamSide.HOME, 499 + REST - 1, 3000), (TeamSide.AWAY, 0, 3000)]
    world = scene(tracks_of(*spans), PITCH)
    assert world.team.tolist() == [0, 0, 1]
    assert [world.track(row, 2999) for row in range(3)] == [1, 2, 3]
