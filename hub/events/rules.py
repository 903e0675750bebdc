"""Events of a match by rules, from nothing but where everybody and the ball were.

Order of reasoning after Vidal-Codina et al. 2022 (arXiv 2202.00804): dead time first, then the set piece by the place
of the restart and the way out, then possession between them.
"""

from collections.abc import Collection

import numpy as np

from hub.events.exits import Exit, exits
from hub.events.goals import goals
from hub.events.kick_offs import KickOff, kick_offs
from hub.events.restarts import Restart, restarts
from hub.events.rests import rests
from hub.events.scene import SIDES, Scene, scene
from hub.events.shots import unseen_saves, unseen_shots
from hub.events.touches import Touch, touches
from wire.events import Event, EventType
from wire.pitch import Pitch
from wire.pitch_tracks import PitchTracks, TeamSide

_PASS_M = 2.5
_DELIVERY_S = 0.8
_SHOT_MPS = 8.0
_SHOT_SHARE = 0.42
_WIDE_M = 3.5
_PLAYED_ON_S = 8.0
_ENDING_S = 8.0
_BEATEN_S = 1.2


def find_events(tracks: PitchTracks, pitch: Pitch) -> list[Event]:
    """Kick-offs, passes, shots, saves, goals, corners, throw-ins, goal and free kicks and balls out, in order of time.

    A set piece, pass or shot is dated when the ball is kicked, a goal or ball out when it crosses the line, a save when
    the ball is stopped. Confidence says how much of the usual evidence was there.
    """
    world = scene(tracks, pitch)
    if world is None:
        return []
    lying = rests(world)
    kicks = kick_offs(world, lying)
    outs = exits(world)
    scored = goals(world, outs, kicks)
    outs = _without_celebrations(outs, scored, kicks)
    pieces = restarts(world, outs, scored, [k for k in kicks if k.confidence > 0], lying)
    scored |= _unanswered(world, outs, pieces)
    found: list[Event] = []
    found += [_set_piece(world, piece) for piece in pieces]
    counted = _first_of_each(world, outs, pieces, scored)
    for way_out in counted:
        kind = EventType.GOAL if way_out in scored else EventType.BALL_OUT
        found.append(_way_out(world, way_out, kind, scored.get(way_out, 0.8)))
    for first, last, piece in _open_play(world, counted, pieces):
        following = next((e for e in counted if e.frame >= last - 1), None)
        found += _kicks(world, touches(world, first, last), piece, following, last)
    found += unseen_shots(world, scored, [e for e in found if e.type is EventType.SHOT])
    found += unseen_saves(world, found)
    crossed = [g.frame / world.fps for g in scored]
    beaten = [e for e in found if e.type is EventType.SAVE and any(0 <= t - e.time_s < _BEATEN_S for t in crossed)]
    return sorted((e for e in found if e not in beaten), key=lambda e: e.time_s)


def _time(world: Scene, frame: float) -> float:
    return max(frame, 0.0) / world.fps


def _set_piece(world: Scene, piece: Restart) -> Event:
    taker = int(np.argmin(world.gaps(piece.frame, piece.place)))
    known = bool(np.isfinite(world.gaps(piece.frame, piece.place)[taker]))
    return Event(
        time_s=_time(world, piece.frame),
        type=piece.kind,
        x_m=float(piece.place[0]),
        y_m=float(piece.place[1]),
        confidence=piece.confidence,
        team=SIDES[world.team[taker]] if known else TeamSide.NONE,
        track=world.track(taker, piece.frame) if known else None,
    )


def _way_out(world: Scene, way_out: Exit, kind: EventType, confidence: float) -> Event:
    team = TeamSide.NONE
    if kind is EventType.GOAL:
        frame = int(np.clip(way_out.frame, 0, world.frames - 1))
        team = SIDES[0] if way_out.x * world.attacks[frame] > 0 else SIDES[1]
    return Event(
        time_s=_time(world, way_out.frame), type=kind, x_m=way_out.x, y_m=way_out.y, confidence=confidence, team=team
    )


def _first_of_each(world: Scene, outs: list[Exit], pieces: list[Restart], goals: dict[Exit, float]) -> list[Exit]:
    """Of the exits between two restarts only the first put the ball out of play, unless it was long back inside; a goal
    overrules what seemed to be out before it."""
    starts = np.array([-1, *(p.frame for p in pieces)])
    overruled = {int(np.searchsorted(starts, goal.frame)): goal for goal in goals}
    outs = [e for e in outs if overruled.get(int(np.searchsorted(starts, e.frame)), e) is e]
    kept: list[Exit] = []
    last_out = -np.inf
    for way_out in outs:
        restarted = kept and any(kept[-1].frame < p.frame <= way_out.frame for p in pieces)
        waiting = kept and any(p.frame > way_out.frame and p.after == kept[-1] for p in pieces)
        if not kept or restarted or (not waiting and way_out.frame - last_out > world.frame(_PLAYED_ON_S)):
            kept.append(way_out)
        last_out = way_out.back
    return kept


def _without_celebrations(outs: list[Exit], scored: Collection[Exit], kicks: list[KickOff]) -> list[Exit]:
    """The exits in order with all goals among them, and none between a goal and the kick-off that answers it."""
    kept = list(scored)
    for way_out in outs:
        before = [g for g in scored if g.frame <= way_out.frame]
        if way_out in scored:
            continue
        if before and not any(before[-1].frame < k.frame <= way_out.frame for k in kicks):
            continue
        kept.append(way_out)
    return sorted(kept, key=lambda e: e.frame)


def _unanswered(world: Scene, outs: list[Exit], pieces: list[Restart]) -> dict[Exit, float]:
    """Balls through the mouth right before the session's end, which no kick-off can answer any more."""
    return {
        way_out: 0.6
        for way_out in outs
        if way_out.mouth
        and _next_piece(pieces, way_out) is None
        and (world.frames - way_out.frame) / world.fps < _ENDING_S
    }


def _next_piece(pieces: list[Restart], way_out: Exit) -> Restart | None:
    return next((p for p in pieces if p.frame > way_out.frame), None)


def _open_play(world: Scene, outs: list[Exit], pieces: list[Restart]) -> list[tuple[int, int, Restart | None]]:
    """The stretches (first, last frame) in which the ball was in play, and the set piece that began each."""
    out: list[tuple[int, int, Restart | None]] = []
    starts: list[tuple[int, Restart | None]] = [(p.frame, p) for p in pieces]
    if not starts or starts[0][0] > 0:
        starts.insert(0, (0, None))
    for i, (first, piece) in enumerate(starts):
        until = starts[i + 1][0] if i + 1 < len(starts) else world.frames
        way_out = next((e for e in outs if first < e.frame < until), None)
        last = int(np.ceil(way_out.frame)) if way_out is not None else until
        out.append((first, last, piece))
    return out


def _kicks(world: Scene, seen: list[Touch], piece: Restart | None, way_out: Exit | None, last: int) -> list[Event]:
    """Passes, shots and saves among the touches of one stretch of play."""
    found = []
    for i, touch in enumerate(seen):
        following = seen[i + 1] if i + 1 < len(seen) else None
        delivery = piece is not None and touch.last - piece.frame < world.frame(_DELIVERY_S)
        left = way_out if following is None and way_out is not None and way_out.frame <= last + 1 else None
        if _is_shot(world, touch, following, left):
            if piece is None or not delivery or piece.kind is EventType.FREE_KICK:
                found.append(_kick(world, touch, EventType.SHOT, 0.7))
            if following is not None and _keeps(world, touch, following):
                found.append(_save(world, following))
        elif following is not None and not delivery and world.team[following.player] == world.team[touch.player]:
            far = float(np.hypot(*(world.ball[following.first] - world.ball[touch.last])))
            if following.player != touch.player and far > _PASS_M:
                found.append(_kick(world, touch, EventType.PASS, 0.8))
    return found


def _goal_sign(world: Scene, touch: Touch) -> float:
    """The sign of x of the goal that the toucher attacks."""
    return float(world.attacks[touch.last] * (1 if world.team[touch.player] == 0 else -1))


def _keeps(world: Scene, touch: Touch, following: Touch) -> bool:
    other = 1 - int(world.team[touch.player])
    return bool(following.player == world.keeper[other, min(following.first, world.frames - 1)])


def _is_shot(world: Scene, touch: Touch, following: Touch | None, left: Exit | None) -> bool:
    pitch, sign = world.pitch, _goal_sign(world, touch)
    here = world.ball[touch.last]
    away = float(np.hypot(sign * pitch.half_length - here[0], here[1]))
    if away > _SHOT_SHARE * pitch.length_m or float(np.hypot(*touch.velocity)) < _SHOT_MPS:
        return False
    if left is not None:
        post = pitch.form.goal_width / 2
        return left.end_line and left.x * sign > 0 and abs(left.y) < post + _WIDE_M
    if following is None or not _keeps(world, touch, following):
        return False
    toward = touch.velocity[0] * sign
    if toward <= 0:
        return False
    y = here[1] + touch.velocity[1] / toward * abs(sign * pitch.half_length - here[0])
    return bool(abs(y) < pitch.form.goal_width / 2 + _WIDE_M)


def _kick(world: Scene, touch: Touch, kind: EventType, confidence: float) -> Event:
    return Event(
        time_s=_time(world, touch.last),
        type=kind,
        x_m=float(world.ball[touch.last, 0]),
        y_m=float(world.ball[touch.last, 1]),
        confidence=confidence,
        team=SIDES[world.team[touch.player]],
        track=world.track(touch.player, touch.last),
    )


def _save(world: Scene, keeper: Touch) -> Event:
    return Event(
        time_s=_time(world, keeper.first),
        type=EventType.SAVE,
        x_m=float(world.ball[keeper.first, 0]),
        y_m=float(world.ball[keeper.first, 1]),
        confidence=0.6,
        team=SIDES[world.team[keeper.player]],
        track=world.track(keeper.player, keeper.first),
    )
