import msgspec
import numpy as np
import pytest

from hub import spells
from hub.fuse import fuse
from hub.rigs import RigHistory
from simulator.sightings import Faults, Scene, sightings
from wire.match import MatchSheet, Team
from wire.pitch_tracks import Role, TeamSide
from wire.rig import looking

START = 1_790_000_000_000_000_000
RED, BLUE, BLACK = (130, 190, 165), (90, 140, 70), (30, 128, 128)


def seen(mast, pitch, squad, ball=None, **faults):
    scene = Scene(
        pitch=pitch,
        frames_per_second=25.0,
        people=squad,
        heights_m=np.full(squad.shape[1], 1.7),
        colours_lab=np.array([RED, RED, RED, BLUE, BLUE, BLUE, BLACK], float),
        ball=np.full((len(squad), 3), np.nan) if ball is None else ball,
    )
    return sightings(scene, mast, 5, START, Faults(**faults))


def sheet(pitch, home="", away="", starts=""):
    return MatchSheet(title="t", pitch=pitch, home=Team("a", home), away=Team("b", away), home_starts=starts)


def run(mast, pitch, tracks, match=None):
    return fuse(
        RigHistory(mast), match or sheet(pitch), START, START + 19_900_000_000, lambda node, *_: tracks.get(node, ())
    )


def errors(result, squad):
    """Per track: the person it follows most and its mean distance from him."""
    out = {}
    for track in result.tracks:
        if track.role is Role.BALL:
            continue
        frame, xy, _ = result.of(track.id)
        gap = np.hypot(*np.moveaxis(squad[frame] - xy[:, None], -1, 0)).mean(axis=0)
        out[track.id] = int(np.argmin(gap)), float(gap.min()), len(frame)
    return out


def test_everybody_is_one_track_through_misses_breaks_and_three_clocks(mast, pitch, squad):
    found = errors(run(mast, pitch, seen(mast, pitch, squad)), squad)
    assert sorted(who for who, _, _ in found.values()) == list(range(7))
    assert np.mean([gap for _, gap, _ in found.values()]) < 0.3
    assert min(rows for _, _, rows in found.values()) > 470


def test_teams_and_referee_follow_the_shirts(mast, pitch, squad):
    result = run(mast, pitch, seen(mast, pitch, squad))
    roles = {who: next(t for t in result.tracks if t.id == i) for i, (who, _, _) in errors(result, squad).items()}
    assert [roles[i].team for i in range(6)] == [TeamSide.HOME] * 3 + [TeamSide.AWAY] * 3
    assert roles[6].role is Role.REFEREE


@pytest.mark.parametrize(
    "entered",
    [{"home": "#1040c0", "away": "#d01010"}, {"home": "#1040c0"}, {"away": "#d01010"}, {"starts": "right"}],
)
def test_what_the_coach_entered_decides_who_is_home(mast, pitch, squad, entered):
    result = run(mast, pitch, seen(mast, pitch, squad), sheet(pitch, **entered))
    left = [t.team for t in result.tracks if t.role is Role.PLAYER and result.of(t.id)[1][:, 0].mean() < 0]
    assert left == [TeamSide.AWAY] * 3


def test_a_wrong_clock_costs_accuracy(mast, pitch, squad):
    """The clock offsets of the rig are really used: without them fast people are out of place."""
    fast = np.stack(
        [
            np.column_stack([x + 20 * np.sin(0.4 * np.arange(500) / 25), np.full(500, y)])
            for x, y in [(0, -12), (0, -8), (0, -4), (0, 0), (0, 4), (0, 8), (0, 12)]
        ],
        axis=1,
    )
    late = sightings(
        Scene(
            pitch,
            25.0,
            fast,
            np.full(7, 1.7),
            np.array([RED] * 3 + [BLUE] * 3 + [BLACK], float),
            np.full((500, 3), np.nan),
        ),
        mast,
        5,
        START + 100_000_000,
        Faults(),
    )
    right = seen(mast, pitch, fast)
    gap = [np.mean([g for _, g, _ in errors(run(mast, pitch, tracks), fast).values()]) for tracks in (right, late)]
    assert gap[0] + 0.3 < gap[1]


def test_a_rolling_ball_is_followed_past_spare_balls(mast, pitch, squad):
    t = np.arange(500) / 25
    ball = np.column_stack([18 * np.sin(0.5 * t), 12 * np.cos(0.7 * t), np.full(500, 0.11)])
    result = run(mast, pitch, seen(mast, pitch, squad, ball))
    (track,) = [t for t in result.tracks if t.role is Role.BALL]
    frame, xy, _ = result.of(track.id)
    gap = np.hypot(*(xy - ball[frame, :2]).T)
    assert len(frame) > 450
    assert np.median(gap) < 0.3
    assert (gap < 1.0).mean() > 0.9


@pytest.fixture
def short_spells(monkeypatch):
    """Spells so short that the 20 s have three."""
    monkeypatch.setattr(spells, "SPELL_S", 7)
    monkeypatch.setattr(spells, "OVERLAP_S", 6)


@pytest.mark.usefixtures("short_spells")
def test_everybody_stays_one_track_and_in_his_team_over_the_seams_of_a_long_match(mast, pitch, squad):
    t = np.arange(500) / 25
    ball = np.column_stack([18 * np.sin(0.5 * t), 12 * np.cos(0.7 * t), np.full(500, 0.11)])
    asked = []
    tracks = seen(mast, pitch, squad, ball)

    def shelf(node, first_ns, last_ns):
        asked.append((last_ns - first_ns) / 1e9)
        return tracks[node]

    result = fuse(RigHistory(mast), sheet(pitch), START, START + 19_900_000_000, shelf)
    found = errors(result, squad)
    assert max(asked) < 14
    assert sorted(who for who, _, _ in found.values()) == list(range(7))
    assert min(rows for _, _, rows in found.values()) > 470
    assert np.mean([gap for _, gap, _ in found.values()]) < 0.3
    roles = {who: next(t for t in result.tracks if t.id == i) for i, (who, _, _) in found.items()}
    assert [roles[i].team for i in range(6)] == [TeamSide.HOME] * 3 + [TeamSide.AWAY] * 3
    assert [track.role for track in result.tracks].count(Role.BALL) == 1
    for track in result.tracks:
        assert (np.diff(result.of(track.id)[0]) > 0).all()


@pytest.mark.usefixtures("short_spells")
def test_teams_that_change_sides_in_a_long_match_stay_who_they_are(mast, pitch, squad):
    """Nobody entered colours: what the teams wore before decides, not who is on the left by now."""
    changing = squad * np.where(np.arange(500) < 250, 1.0, -1.0)[:, None, None]
    result = run(mast, pitch, seen(mast, pitch, changing))
    for track in result.tracks:
        if track.role is Role.PLAYER:
            frame, xy, _ = result.of(track.id)
            away = np.median(xy[:, 0] * np.where(frame < 250, 1.0, -1.0)) > 0
            assert track.team is (TeamSide.AWAY if away else TeamSide.HOME)
    assert len([t for t in result.tracks if t.role is Role.PLAYER]) >= 12


def test_nothing_seen_gives_no_tracks(mast, pitch):
    result = run(mast, pitch, {})
    assert result.tracks == ()
    assert len(result.frame) == 0


def test_a_camera_that_was_knocked_counts_as_it_stood_then(mast, pitch, squad):
    left = msgspec.structs.replace(mast.cameras[0], rotation=looking(-41.0, -14.0, 1.0))
    knocked = msgspec.structs.replace(mast, cameras=(left, *mast.cameras[1:]))
    t = np.arange(500) / 25
    ball = np.column_stack([12 * np.sin(0.5 * t) - 12, 6 * np.cos(0.3 * t), np.full(500, 0.11)])
    before, after = (seen(rig, pitch, squad, ball) for rig in (mast, knocked))
    tracks = {node: [*before[node][:5], *after[node][5:]] for node in before}

    def off(rigs: RigHistory) -> tuple[float, float]:
        """Mean error of people, and median one of the ball, in metres, while the camera stood otherwise."""
        result = fuse(rigs, sheet(pitch), START, START + 19_900_000_000, lambda node, *_: tracks[node])
        gaps, balls = [], []
        for track in result.tracks:
            frame, xy, _ = result.of(track.id)
            frame, xy = frame[frame > 260], xy[frame > 260]
            if track.role is Role.BALL:
                balls.append(np.hypot(*(ball[frame, :2] - xy).T))
            elif len(frame):
                gaps.append(np.hypot(*np.moveaxis(squad[frame] - xy[:, None], -1, 0)).min(axis=1))
        return float(np.concatenate(gaps).mean()), float(np.median(np.concatenate(balls)))

    people, of_ball = off(RigHistory(mast, ((START + 10_000_000_000, knocked),)))
    assert people < 0.3
    assert of_ball < 0.3
    assert off(RigHistory(mast))[0] > 2 * people
