"""Kick-offs, known by how everybody stands: both teams in their own halves, one player at the centre, opponents away.

That formation is rare enough to tell a kick-off without the ball; the ball, where it was seen, says the moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.events.rests import Rest
from hub.events.scene import AWAY, HOME, Scene

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_OWN_HALF = 0.9
_LEAVE_M = 0.7
_TAKER_M = 2.5
_OFF_SHARE = 0.7
_STANDING_S = 1.0
_FLICKER_S = 0.4
_DISSOLVED = 0.85
_DISSOLVED_S = 1.0
_SPOT_M = 2.0
_AT_SPOT_M = 0.8
_ROLLING_MPS = 2.5
_OVER_M = 0.5
_BEYOND_M = 0.4
_STRIKE_S = 0.3
_SURE = 0.9
_BALL_SEEN = 0.8


@dataclass(frozen=True)
class KickOff:
    """A kick-off taken at `frame` by player row `taker`; `formed` says the first frame in which everybody stood so. One
    that the session's end came before has confidence 0."""

    frame: int
    taker: int
    formed: int
    confidence: float


def kick_offs(scene: Scene, lying: Sequence[Rest]) -> list[KickOff]:
    """Every kick-off in order of time, with or without a ball in sight, the last perhaps still to come."""
    share, gap = own_halves(scene), _from_spot(scene)
    found: list[KickOff] = []
    for first, last in _formations(scene, share, gap):
        moment, sure = _moment(scene, gap, first, last, lying)
        if last >= scene.frames and sure < _BALL_SEEN:
            moment, sure = _stepped_over(gap, first) or (moment, 0.0)
        if found and found[-1].confidence < _SURE and not _dissolved(scene, share, found[-1].frame, first):
            found.pop()
        found.append(KickOff(moment, int(np.argmin(gap[:, moment])), first, sure))
    return found


def own_halves(scene: Scene) -> Array:
    """The share (frames,) of players who stand in the half that their team defends, a little leave given."""
    behind, known = np.zeros(scene.frames, np.int64), np.zeros(scene.frames, np.int64)
    # Player by player: all of a long match at once would be a hundred megabytes.
    for team, path in zip(scene.team, scene.players, strict=True):
        x = path[:, 0] * scene.attacks * (1.0 if team == HOME else -1.0)
        behind += x < _LEAVE_M
        known += ~np.isnan(x)
    return np.asarray(behind / np.maximum(known, 1))


def _from_spot(scene: Scene) -> Array:
    """How far (players, frames) everybody is from the centre spot, infinite when unknown."""
    gap: Array = np.hypot(scene.players[..., 0], scene.players[..., 1])
    gap[np.isnan(gap)] = np.inf
    return gap


def _formations(scene: Scene, share: Array, gap: Array) -> list[tuple[int, int]]:
    """Stretches (first frame, frame after the last) of the formation."""
    taker = np.argmin(gap, axis=0)
    nearest = [gap[scene.team == team].min(axis=0, initial=np.inf) for team in (HOME, AWAY)]
    foes = np.where(scene.team[taker] == HOME, nearest[AWAY], nearest[HOME])
    formed = (share >= _OWN_HALF) & (gap.min(axis=0) < _TAKER_M)
    formed &= foes > _OFF_SHARE * scene.pitch.form.circle_radius
    return [(a, b) for a, b in _joined(formed, scene.frame(_FLICKER_S)) if b - a >= scene.frame(_STANDING_S)]


def _joined(flags: Flags, gap: int) -> list[tuple[int, int]]:
    """The stretches in which `flags` hold, those less than `gap` apart as one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    out: list[tuple[int, int]] = []
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if out and a - out[-1][1] < gap:
            out[-1] = (out[-1][0], b)
        else:
            out.append((a, b))
    return out


def _dissolved(scene: Scene, share: Array, first: int, last: int) -> bool:
    """Whether play was on in between: a ball that overshot the centre is fetched while all others stay."""
    return int((share[first:last] < _DISSOLVED).sum()) >= scene.frame(_DISSOLVED_S)


def _moment(scene: Scene, gap: Array, first: int, last: int, lying: Sequence[Rest]) -> tuple[int, float]:
    """The frame of the kick and how sure it is: the ball leaves the spot, else it comes rolling from there, else the
    taker runs over the spot."""
    about = scene.frame(0.5)
    for rest in lying:
        if np.hypot(*rest.place) < _SPOT_M and first - about <= rest.left <= last + about:
            return rest.left, 0.95
    span = np.arange(first, min(last + 2 * about, scene.frames))
    place, velocity = scene.ball[span], scene.velocity[span]
    speed, far = np.hypot(*velocity.T), np.hypot(*place.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        since = far / speed
        aside = np.abs(place[:, 0] * velocity[:, 1] - place[:, 1] * velocity[:, 0]) / speed
        away = (place * velocity).sum(axis=1) > 0
        begun = span - since * scene.fps
        rolling = (speed > _ROLLING_MPS) & away & (aside < 1.0) & (since < 1.5) & (begun > first - about)
    # Until it was last at the spot it was on its way there; once all have left, it may be passed back across.
    at_spot = np.flatnonzero((far < _AT_SPOT_M) & (span < last))
    if len(at_spot):
        rolling[: at_spot[-1]] = False
    if rolling.any():
        return max(round(float(begun[np.flatnonzero(rolling)[0]])), 0), 0.85
    span = np.arange(max(first, last - scene.frame(2.5)), last)
    near = gap[:, span].min(axis=0)
    closest = int(span[np.flatnonzero(near < near.min() + 0.15)[-1]])
    return max(closest - scene.frame(_STRIKE_S), 0), 0.7


def _stepped_over(gap: Array, first: int) -> tuple[int, float] | None:
    """When, in a formation that stands from `first` to the session's end, the taker stepped over the spot and on, and
    how sure it is; None while it is not yet taken."""
    near = gap[:, first:].min(axis=0)
    over = np.flatnonzero(near < min(float(near.min()) + 0.15, _OVER_M))
    if not len(over):
        return None
    ends = np.flatnonzero(np.diff(over) > 1)
    step = int(over[ends[0]] if len(ends) else over[-1])
    if near[step:].max() < near[step] + _BEYOND_M:
        return None
    return first + step, 0.5
