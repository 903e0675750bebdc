"""Pitch tracks as dense arrays for reasoning: everybody and the ball in every frame."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from wire.pitch import Pitch
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOME, AWAY = 0, 1
SIDES = (TeamSide.HOME, TeamSide.AWAY)
REUSED_S = 60.0
"""Longer than anything that the rules look at in one piece."""


@dataclass(frozen=True)
class Scene:
    """`players` (n, frames, 2) and `ball` (frames, 2) in metres, NaN where unknown; `velocity` (frames, 2) of the ball
    in m/s; `team` (n,) 0 home, 1 away; `tracks` of each row, first frame and id; `attacks` (frames,) the sign of the x
    direction in which home attacks; `keeper` (2, frames) the row of each team's last man, -1 unknown; `fps`.

    `REUSED_S` after a track has ended its row may be another's of the same team, so that a long match has hardly more
    rows than a short one."""

    pitch: Pitch
    fps: float
    players: Array
    team: Ints
    tracks: tuple[tuple[tuple[int, int], ...], ...]
    ball: Array
    velocity: Array
    attacks: Array
    keeper: Ints

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.ball)

    def frame(self, seconds: float) -> int:
        """A duration in whole frames."""
        return round(seconds * self.fps)

    def track(self, row: int, frame: int) -> int:
        """The id of the track in a row at a frame."""
        after = bisect_right(self.tracks[row], frame, key=lambda entry: entry[0])
        return self.tracks[row][max(after - 1, 0)][1]

    def gaps(self, frame: int, place: Array | None = None) -> Array:
        """The distance (n,) of every player from `place`, else from the ball; infinite when unknown."""
        off = self.players[:, frame] - (self.ball[frame] if place is None else place)
        gap = np.hypot(off[:, 0], off[:, 1])
        return np.where(np.isnan(gap), np.inf, gap)


def scene(tracks: PitchTracks, pitch: Pitch) -> Scene | None:
    """The dense form of `tracks`; None without players of both teams."""
    players = [t for t in tracks.tracks if t.role is Role.PLAYER and t.team is not TeamSide.NONE]
    balls = [t for t in tracks.tracks if t.role is Role.BALL]
    if len({t.team for t in players}) < 2 or not len(tracks.frame):
        return None
    frames = int(tracks.frame.max()) + 1
    rows = _rows(tracks, players)
    where = np.full((len(rows), frames, 2), np.nan)
    for i, row in enumerate(rows):
        for _, track in row:
            at, xy, _ = tracks.of(track.id)
            where[i, at] = xy
    ball = np.full((frames, 2), np.nan)
    for track in balls:
        at, xy, _ = tracks.of(track.id)
        ball[at] = xy
    ball = _bridged(ball, round(1.0 * tracks.frames_per_second))
    team = np.array([SIDES.index(row[0][1].team) for row in rows])
    attacks = _attacks(where, team, tracks.frames_per_second)
    return Scene(
        pitch=pitch,
        fps=tracks.frames_per_second,
        players=where,
        team=team,
        tracks=tuple(tuple((first, track.id) for first, track in row) for row in rows),
        ball=ball,
        velocity=_velocity(ball, tracks.frames_per_second),
        attacks=attacks,
        keeper=_last_men(where, team, attacks),
    )


def _rows(tracks: PitchTracks, players: Sequence[Track]) -> list[list[tuple[int, Track]]]:
    """The players' tracks with their first frames, those that can share a row together."""
    rest = round(REUSED_S * tracks.frames_per_second)
    rows: list[list[tuple[int, Track]]] = []
    free_from: list[int] = []
    spans = [(tracks.of(track.id)[0], track) for track in players]
    for at, track in sorted((span for span in spans if len(span[0])), key=lambda span: int(span[0][0])):
        first, last = int(at[0]), int(at[-1])
        free = (i for i, row in enumerate(rows) if row[0][1].team is track.team and free_from[i] <= first)
        mine = next(free, None)
        if mine is None:
            mine = len(rows)
            rows.append([])
            free_from.append(0)
        rows[mine].append((first, track))
        free_from[mine] = last + rest
    return sorted(rows, key=lambda row: row[0][1].id)


def _bridged(ball: Array, longest: int) -> Array:
    known = np.flatnonzero(~np.isnan(ball[:, 0]))
    out = ball.copy()
    for a, b in pairwise(known.tolist()):
        if 1 < b - a <= longest:
            part = (np.arange(a + 1, b) - a)[:, None] / (b - a)
            out[a + 1 : b] = ball[a] * (1 - part) + ball[b] * part
    return out


def _velocity(ball: Array, fps: float, reach: int = 2) -> Array:
    """Central differences over ± `reach` frames, one-sided at the ends and gaps."""
    padded = np.pad(ball, ((reach, reach), (0, 0)), mode="edge")
    ahead, behind = padded[2 * reach :], padded[: -2 * reach]
    central = (ahead - behind) / (2 * reach) * fps
    onward = (ahead - ball) / reach * fps
    past = (ball - behind) / reach * fps
    out = np.where(np.isnan(central), np.where(np.isnan(onward), past, onward), central)
    return np.asarray(out)


def _attacks(players: Array, team: Ints, fps: float) -> Array:
    """The direction of home's attack, from where both teams are over the surrounding minutes."""
    lean = np.zeros(players.shape[1])
    for side, sign in ((HOME, -1.0), (AWAY, 1.0)):
        x = players[team == side, :, 0]
        known = ~np.isnan(x)
        lean += sign * np.where(known, x, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    width = min(len(lean), 2 * round(60 * fps) + 1)
    total = np.concatenate([[0.0], np.cumsum(lean)])
    low = np.clip(np.arange(len(lean)) - width // 2, 0, len(lean))
    high = np.clip(np.arange(len(lean)) + width // 2 + 1, 0, len(lean))
    return np.where(total[high] - total[low] >= 0, 1.0, -1.0)


def _last_men(players: Array, team: Ints, attacks: Array) -> Ints:
    """The player of each team nearest to his own goal line, frame by frame."""
    out = np.full((2, players.shape[1]), -1, np.int64)
    for side, sign in ((HOME, 1.0), (AWAY, -1.0)):
        rows = np.flatnonzero(team == side)
        depth = players[rows, :, 0] * attacks * sign
        depth = np.where(np.isnan(depth), np.inf, depth)
        out[side] = np.where(np.isfinite(depth.min(axis=0)), rows[np.argmin(depth, axis=0)], -1)
    return out
