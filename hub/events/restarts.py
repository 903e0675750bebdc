"""Set pieces: where and when a dead ball is put back into play."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.events.exits import Exit
from hub.events.scene import Scene
from wire.events import EventType

Array = npt.NDArray[np.float64]

_AWAY_M = 1.0
_STILL_S = 0.4
_FOUL_STILL_S = 1.6


@dataclass(frozen=True)
class Rest:
    """The ball lay (or was held) at `place` from frame `first` until it left at `left`."""

    first: int
    left: int
    place: Array


@dataclass(frozen=True)
class Restart:
    """A set piece taken at `frame` from `place`; `after` is the exit that made it necessary, if one was seen."""

    kind: EventType
    frame: int
    place: Array
    after: Exit | None
    confidence: float


def rests(scene: Scene) -> list[Rest]:
    """Every time the ball stayed within a metre for a moment and then left."""
    ball, out = scene.ball, []
    still = scene.frame(_STILL_S)
    slow = np.hypot(*scene.velocity.T) < 1.6
    k = 0
    while k < scene.frames - still:
        if not slow[k : k + still].all():
            k += 1
            continue
        place = np.nanmedian(ball[k : k + still], axis=0)
        end = k + still
        while end < scene.frames:
            gap = np.hypot(*(ball[end] - place))
            # A ball that vanishes has not left; nor has one that a single look puts elsewhere.
            if gap > _AWAY_M and np.nanmedian(np.hypot(*(ball[end : end + 4] - place).T)) > _AWAY_M:
                break
            if gap < 0.5 and slow[end]:
                place = 0.9 * place + 0.1 * ball[end]
            end += 1
        if end >= scene.frames:
            break
        out.append(Rest(k, _left(scene, k, end, place), place))
        k = end
    return out


def _left(scene: Scene, first: int, end: int, place: Array) -> int:
    """The frame of the kick: the last one before `end` in which the ball had not moved yet."""
    k = end
    while k > first and not np.hypot(*(scene.ball[k] - place)) < 0.35:
        k -= 1
    return k


def restarts(scene: Scene, exits: list[Exit]) -> list[Restart]:
    """The set pieces, in order of time."""
    found: list[Restart] = []
    lying = rests(scene)
    for rest in lying:
        since = [e for e in exits if e.frame <= rest.left and (not found or e.frame > found[-1].frame)]
        last = since[-1] if since else None
        kind, sure = _kind(scene, rest, last, found)
        if kind is not None:
            found.append(Restart(kind, rest.left, rest.place, last, sure))
    return found


def _kind(scene: Scene, rest: Rest, last: Exit | None, found: list[Restart]) -> tuple[EventType | None, float]:
    pitch, form = scene.pitch, scene.pitch.form
    x, y = float(rest.place[0]), float(rest.place[1])
    ax, ay = abs(x), abs(y)
    if np.hypot(x, y) < 2.0 and _own_halves(scene, rest.left) > 0.85 and (not found or last is not None or not last):
        first = not found
        if first or (last is not None and last.end_line) or _own_halves(scene, rest.left) > 0.97:
            return EventType.KICK_OFF, 0.95 if first or last is not None else 0.7
    if last is None:
        stood = (rest.left - rest.first) / scene.fps
        inside = ax < pitch.half_length - 1 and ay < pitch.half_width - 1
        if (
            stood >= _FOUL_STILL_S
            and inside
            and _left_alone(scene, rest) > 0.55 * form.circle_radius
            and not _held(scene, rest)
        ):
            return EventType.FREE_KICK, 0.5
        return None, 0.0
    corner = np.hypot(ax - pitch.half_length, ay - pitch.half_width)
    if last.end_line:
        if corner < 3.0:
            return EventType.CORNER, 0.9
        if ax > pitch.half_length - form.goal_area_depth - 2.0 and ay < form.goal_area_width / 2 + 2.0:
            return EventType.GOAL_KICK, 0.9
    if not last.end_line and ay > pitch.half_width - 2.0 and abs(x - last.x) < 12:
        return EventType.THROW_IN, 0.9
    if corner < 2.5:
        return EventType.CORNER, 0.6
    if ay > pitch.half_width - 1.5:
        return EventType.THROW_IN, 0.6
    if ax > pitch.half_length - form.goal_area_depth - 1.0 and ay < form.goal_area_width / 2 + 1.5:
        return EventType.GOAL_KICK, 0.6
    return None, 0.0


def _own_halves(scene: Scene, frame: int) -> float:
    """The share of players who stand in the half that their team defends, a metre of leave given."""
    x = scene.players[:, frame, 0] * scene.attacks[frame] * np.where(scene.team == 0, 1.0, -1.0)
    known = ~np.isnan(x)
    return float((x[known] < 1.0).mean()) if known.any() else 0.0


def _left_alone(scene: Scene, rest: Rest) -> float:
    """How far the nearest opponent of the taker stood off, metres."""
    gap = scene.gaps(rest.left, rest.place)
    taker = int(np.argmin(gap))
    foes = scene.team != scene.team[taker]
    return float(gap[foes].min())


def _held(scene: Scene, rest: Rest) -> bool:
    """Whether a keeper has the ball in his own area."""
    pitch = scene.pitch
    if abs(rest.place[0]) < pitch.half_length - pitch.form.penalty_area_depth:
        return False
    return int(np.argmin(scene.gaps(rest.left, rest.place))) in scene.keeper[:, rest.left]
