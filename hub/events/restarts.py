"""Set pieces: where and when a dead ball is put back into play."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.events.exits import Exit
from hub.events.kick_offs import KickOff
from hub.events.rests import Rest
from hub.events.scene import Scene
from hub.events.takers import corner_taker, thrower
from wire.events import EventType

Array = npt.NDArray[np.float64]

_FOUL_STILL_S = 1.6
_INSIDE_M = 2.5
_AT_LINE_M = 1.0
_THROWER_M = 2.0
_APART_S = 4.0
_GOAL_KICK_STILL_S = 1.2


@dataclass(frozen=True)
class Restart:
    """A set piece taken at `frame` from `place`; `after` is the exit that made it necessary, if one was seen."""

    kind: EventType
    frame: int
    place: Array
    after: Exit | None
    confidence: float


def restarts(
    scene: Scene, exits: Sequence[Exit], goals: Collection[Exit], kicks: Sequence[KickOff], lying: Sequence[Rest]
) -> list[Restart]:
    """The set pieces in order of time: the kick-offs, after each other exit the first rest that fits it, and free
    kicks."""
    fixed = {k.frame: Restart(EventType.KICK_OFF, k.frame, np.zeros(2), None, k.confidence) for k in kicks}
    now = -1
    for way_out in exits:
        if way_out.frame < now:
            continue
        until = min((k for k in fixed if k > way_out.frame), default=scene.frames)
        if way_out in goals:
            now = until
            continue
        piece = _answer(scene, way_out, until, [r for r in lying if r.left not in fixed])
        if piece is not None:
            fixed[piece.frame] = piece
            now = piece.frame
    for rest in lying:
        if rest.left in fixed:
            continue
        if _is_goal_kick(scene, rest, sorted(fixed)):
            fixed[rest.left] = Restart(EventType.GOAL_KICK, rest.left, rest.place, None, 0.6)
        elif _is_free_kick(scene, rest, exits, sorted(fixed)):
            fixed[rest.left] = Restart(EventType.FREE_KICK, rest.left, rest.place, None, 0.5)
    return [fixed[k] for k in sorted(fixed)]


def _answer(scene: Scene, way_out: Exit, until: int, lying: Sequence[Rest]) -> Restart | None:
    """The restart after a ball over a line: by where it lay, else by who took it."""
    found: Restart | None = None
    for rest in lying:
        if way_out.frame < rest.left <= until:
            kind, sure = _fits(scene, rest, way_out)
            if kind is not None:
                found = Restart(kind, rest.left, rest.place, way_out, sure)
                break
    if way_out.end_line and (found is None or found.kind is not EventType.CORNER):
        taken = corner_taker(scene, way_out, until if found is None else found.frame - scene.frame(_APART_S))
        if taken is not None:
            return Restart(EventType.CORNER, taken[1], taken[2], way_out, 0.6)
    if found is not None or way_out.end_line:
        return found
    thrown = thrower(scene, way_out, until)
    if thrown is not None:
        place = np.array([scene.players[thrown[0], thrown[1], 0], np.sign(way_out.y) * scene.pitch.half_width])
        return Restart(EventType.THROW_IN, thrown[1], place, way_out, 0.6)
    return _throw(scene, way_out, until)


def _fits(scene: Scene, rest: Rest, way_out: Exit) -> tuple[EventType | None, float]:
    """Which set piece a rest is, given the way the ball went out."""
    pitch, form = scene.pitch, scene.pitch.form
    x, y = float(rest.place[0]), float(rest.place[1])
    if not pitch.contains(x, y, 1.2):
        return None, 0.0
    ax, ay = abs(x), abs(y)
    corner = float(np.hypot(ax - pitch.half_length, ay - pitch.half_width))
    area = ax > pitch.half_length - form.goal_area_depth - 1.5 and ay < form.goal_area_width / 2 + 1.5
    touchline = ay > pitch.half_width - 1.5
    if way_out.end_line:
        same_end = x * way_out.x > 0
        if corner < 2.0 and same_end:
            return EventType.CORNER, 0.9
        if area and ax < pitch.half_length - 0.5 and same_end:
            return EventType.GOAL_KICK, 0.9
        if touchline and corner > 4.0 and pitch.half_width - abs(way_out.y) < 2.0:
            return EventType.THROW_IN, 0.5
        return None, 0.0
    if touchline and y * way_out.y > 0 and abs(x - way_out.x) < 15 and _in_hands(scene, rest):
        return EventType.THROW_IN, 0.9
    if corner < 1.5 and pitch.half_length - abs(way_out.x) < 2.0:
        return EventType.CORNER, 0.5
    return None, 0.0


def _in_hands(scene: Scene, rest: Rest) -> bool:
    """Whether somebody stands at the ball by the touchline."""
    gap = scene.gaps(rest.left, rest.place)
    taker = int(np.argmin(gap))
    return bool(
        gap[taker] < _THROWER_M and abs(scene.players[taker, rest.left, 1]) > scene.pitch.half_width - _AT_LINE_M
    )


def _throw(scene: Scene, way_out: Exit, until: int) -> Restart | None:
    """A throw taken without waiting: the ball comes well inside and stays; before that it was last at the touchline,
    in the hands of somebody who stands there."""
    half, side = scene.pitch.half_width, np.sign(way_out.y)
    span = np.arange(int(way_out.frame) + scene.frame(0.5), until)
    depth = half - scene.ball[span, 1] * side
    settled = scene.frame(0.6)
    for k in np.flatnonzero(depth > _INSIDE_M):
        if not (np.nan_to_num(depth[k : k + settled], nan=_INSIDE_M) > 1.0).all():
            continue
        at_line = np.flatnonzero((depth[:k] < _AT_LINE_M) & (np.abs(scene.ball[span[:k], 0] - way_out.x) < 15))
        for j in at_line[::-1][: scene.frame(1.0)]:
            frame = int(span[j])
            gap = scene.gaps(frame)
            thrower = int(np.argmin(gap))
            if gap[thrower] < 1.5 and scene.players[thrower, frame, 1] * side > half - _AT_LINE_M:
                place = np.array([scene.ball[frame, 0], side * half])
                return Restart(EventType.THROW_IN, frame, place, way_out, 0.8)
        if len(at_line):
            frame = int(span[at_line[-1]])
            return Restart(EventType.THROW_IN, frame, np.array([scene.ball[frame, 0], side * half]), way_out, 0.5)
        return None
    return None


def _is_goal_kick(scene: Scene, rest: Rest, taken: list[int]) -> bool:
    """A long rest before a goal after an exit that was not seen: the opponents have left the penalty area."""
    pitch, form = scene.pitch, scene.pitch.form
    x, y = float(rest.place[0]), float(rest.place[1])
    if (rest.left - rest.first) / scene.fps < _GOAL_KICK_STILL_S or any(
        abs(rest.left - k) < scene.frame(_APART_S) for k in taken
    ):
        return False
    depth = pitch.half_length - abs(x)
    if not 0.5 < depth < form.goal_area_depth + 1.0 or abs(y) > form.goal_area_width / 2 + 1.0:
        return False
    side = np.sign(x)
    defending = 1 if side * scene.attacks[rest.left] > 0 else 0
    foes = scene.players[scene.team != defending, rest.left, 0] * side
    return bool((foes[~np.isnan(foes)] < pitch.half_length - form.penalty_area_depth + 1.0).all())


def _is_free_kick(scene: Scene, rest: Rest, exits: Sequence[Exit], taken: list[int]) -> bool:
    """A long rest in play that no exit explains, with the opponents standing off."""
    pitch = scene.pitch
    last_exit = max((e.frame for e in exits if e.frame < rest.left), default=-1.0)
    last_piece = max((k for k in taken if k < rest.left), default=-1)
    if last_exit > last_piece or (rest.left - rest.first) / scene.fps < _FOUL_STILL_S:
        return False
    inside = abs(rest.place[0]) < pitch.half_length - 1 and abs(rest.place[1]) < pitch.half_width - 1
    return inside and _left_alone(scene, rest) > 0.6 * pitch.form.circle_radius and not _held(scene, rest)


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
