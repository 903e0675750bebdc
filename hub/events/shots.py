"""Shots and saves that nobody saw, told by what came of them."""

from collections.abc import Collection, Sequence

import numpy as np

from hub.events.exits import Exit
from hub.events.scene import HOME, SIDES, Scene
from wire.events import Event, EventType
from wire.pitch_tracks import TeamSide

_FLIGHT_S = 3.5
_TYPICAL_S = 0.8
_HARD_MPS = 8.0
_WIDE_M = 1.5
_ANSWER_S = 30.0


def unseen_shots(scene: Scene, goals: Collection[Exit], shots: Sequence[Event]) -> list[Event]:
    """A shot for every goal without one: from where the ball began its way to the line, else a moment before."""
    found = []
    for goal in goals:
        crossed = goal.frame / scene.fps
        if any(crossed - _FLIGHT_S <= shot.time_s <= crossed + 0.5 for shot in shots):
            continue
        frame, sure = _way_in(scene, goal)
        known = not np.isnan(scene.ball[frame, 0])
        place = scene.ball[frame] if known else np.array([goal.x, goal.y])
        scorer = SIDES[HOME] if goal.x * scene.attacks[frame] > 0 else SIDES[1 - HOME]
        found.append(_event(EventType.SHOT, frame / scene.fps, place, sure, scorer))
    return found


def _way_in(scene: Scene, goal: Exit) -> tuple[int, float]:
    """The first frame of the ball's last unbroken hard run at the goal, and how sure it is."""
    side = np.sign(goal.x)
    k = min(int(goal.frame), scene.frames - 1)
    first = max(k - scene.frame(_FLIGHT_S), 0)
    toward = np.nan_to_num(scene.velocity[first : k + 1, 0] * side) > _HARD_MPS
    hard = np.flatnonzero(toward)
    if not len(hard):
        return max(k - scene.frame(_TYPICAL_S), 0), 0.3
    begin = hard[-1]
    while begin > 0 and toward[begin - 1]:
        begin -= 1
    return int(first + begin), 0.5


def unseen_saves(scene: Scene, events: Sequence[Event]) -> list[Event]:
    """Saves that follow from the Laws: a shot on target that a corner answers was turned away."""
    saves = [e.time_s for e in events if e.type is EventType.SAVE]
    found = []
    for shot in (e for e in events if e.type is EventType.SHOT):
        later = [e for e in events if shot.time_s < e.time_s < shot.time_s + _ANSWER_S]
        answer = next((e for e in sorted(later, key=lambda e: e.time_s) if e.type in _ANSWERS), None)
        if answer is None or answer.type is not EventType.CORNER:
            continue
        if any(shot.time_s <= t <= shot.time_s + _FLIGHT_S for t in saves):
            continue
        arrival = _arrival(scene, shot)
        if arrival is not None:
            side = 1.0 if (answer.x_m or 0.0) > 0 else -1.0
            keeper = SIDES[1 - HOME] if side * scene.attacks[arrival] > 0 else SIDES[HOME]
            place = np.array([side * scene.pitch.half_length, 0.0])
            found.append(_event(EventType.SAVE, arrival / scene.fps, place, 0.5, keeper))
    return found


_ANSWERS = {
    EventType.CORNER,
    EventType.GOAL_KICK,
    EventType.THROW_IN,
    EventType.KICK_OFF,
    EventType.FREE_KICK,
    EventType.SHOT,
}


def _arrival(scene: Scene, shot: Event) -> int | None:
    """The frame in which a shot comes to the goal line's keeper, None when it goes wide."""
    first = min(round(shot.time_s * scene.fps) + 3, scene.frames - 1)
    place, velocity = scene.ball[first], scene.velocity[first]
    if np.isnan(velocity).any() or abs(velocity[0]) < _HARD_MPS / 2:
        return None
    side = np.sign(velocity[0])
    left_s = (scene.pitch.half_length - 2.0 - place[0] * side) / (velocity[0] * side)
    y = place[1] + velocity[1] * left_s
    if left_s < 0 or left_s > _FLIGHT_S or abs(y) > scene.pitch.form.goal_width / 2 + _WIDE_M:
        return None
    return min(first + round(float(left_s) * scene.fps), scene.frames - 1)


def _event(kind: EventType, time_s: float, place: np.ndarray, confidence: float, team: TeamSide) -> Event:
    return Event(
        time_s=float(time_s), type=kind, x_m=float(place[0]), y_m=float(place[1]), confidence=confidence, team=team
    )
