import numpy as np

from hub.fuse.joining import Joined
from hub.fuse.people import Followed
from wire.pitch_tracks import Role, TeamSide

SEAM = 200


def walk(frames, x, y, team=TeamSide.HOME, role=Role.PLAYER):
    """Somebody who strolls to the right from (x, y) at frame 0, known in the given frames."""
    at = np.asarray(frames)
    return Followed(
        role, team, at, np.column_stack([x + 0.04 * at, np.full(len(at), float(y))]), np.ones(len(at), bool)
    )


def joined(*spells):
    out = Joined()
    for followed, seam in spells:
        out.add(followed, seam)
    return out.tracks(5)


def test_whoever_two_spells_know_in_the_same_places_is_one_track_without_a_hole_or_a_frame_told_twice():
    first = [walk(range(250), 0, 0), walk(range(250), 0, 9)]
    second = [walk(range(150, 400), 0, 9), walk(range(150, 400), 0, 0)]
    result = joined((first, 0), (second, SEAM))
    assert [track.team for track in result.tracks] == [TeamSide.HOME] * 2
    for track, y in zip(result.tracks, (0, 9), strict=True):
        frame, xy, _ = result.of(track.id)
        assert frame.tolist() == list(range(400))
        np.testing.assert_allclose(xy[:, 1], y)


def test_each_spell_tells_its_own_side_of_the_seam():
    result = joined(([walk(range(250), 0, 0)], 0), ([walk(range(150, 400), 0, 0.4)], SEAM))
    _, xy, _ = result.of(1)
    np.testing.assert_allclose(xy[:, 1], np.repeat([0, 0.4], SEAM), atol=1e-6)


def test_nobody_turns_into_an_opponent_or_into_somebody_who_was_elsewhere():
    first = [walk(range(250), 0, 0), walk(range(250), 0, 20)]
    second = [walk(range(150, 400), 0, 0, TeamSide.AWAY), walk(range(150, 400), 0, 24)]
    result = joined((first, 0), (second, SEAM))
    assert len(result.tracks) == 4
    assert sorted(len(result.of(track.id)[0]) for track in result.tracks) == [SEAM] * 4


def test_who_is_out_of_sight_at_the_seam_is_known_again_by_where_he_was_before():
    away = [*range(190), *range(215, 250)]
    result = joined(([walk(away, 0, 0)], 0), ([walk(away[150:] + list(range(250, 400)), 0, 0)], SEAM))
    frame, _, _ = result.of(1)
    assert len(result.tracks) == 1
    assert frame.tolist() == [*range(190), *range(215, 400)]


def test_what_one_spell_alone_saw_beyond_its_seam_is_left_to_the_other():
    result = joined(
        ([walk(range(250), 0, 0), walk(range(210, 250), 0, -9)], 0),
        ([walk(range(150, 400), 0, 0), walk(range(150, 190), 0, 9)], SEAM),
    )
    assert len(result.tracks) == 1


def test_there_is_one_ball_even_where_a_spell_saw_none():
    def ball(frames):
        return walk(frames, 0, 3, TeamSide.NONE, Role.BALL)

    result = joined(([ball(range(180))], 0), ([walk(range(150, 400), 0, 0)], SEAM), ([ball(range(420, 500))], 400))
    assert [track.role for track in result.tracks] == [Role.PLAYER, Role.BALL]
    assert result.of(2)[0].tolist() == [*range(180), *range(420, 500)]


def test_tracks_are_ordered_home_away_referee_ball():
    everybody = [
        walk(range(50), 0, 0, TeamSide.NONE, Role.BALL),
        walk(range(50), 0, 0, TeamSide.NONE, Role.REFEREE),
        walk(range(50), 0, 0, TeamSide.AWAY),
        walk(range(50), 0, 9),
    ]
    result = joined((everybody, 0))
    assert [track.team for track in result.tracks[:2]] == [TeamSide.HOME, TeamSide.AWAY]
    assert [track.role for track in result.tracks[2:]] == [Role.REFEREE, Role.BALL]
    assert (np.diff(result.track) >= 0).all()


def test_nothing_followed_is_no_track():
    result = joined(([], 0), ([], SEAM))
    assert result.tracks == ()
    assert result.xy.shape == (0, 2)
