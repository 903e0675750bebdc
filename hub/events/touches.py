"""Who touches the ball, and when it leaves him."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.events.scene import Scene

Array = npt.NDArray[np.float64]

_REACH_M = 1.4
# A ball that turns sharply was touched, even where its flight is only known to some metres.
_TURN_REACH_M = 2.8
_TURN_MPS = 6.0
_TURN_SHARE = 0.5
_CHANGE_MPS = 2.5
_CHANGE_SHARE = 0.25
_SETTLE = 3
_HELD_S = 0.4


@dataclass(frozen=True)
class Touch:
    """Player row `player` had the ball from frame `first` to `last`; it left him with `velocity` (m/s)."""

    player: int
    first: int
    last: int
    velocity: Array


def touches(scene: Scene, first: int, last: int) -> list[Touch]:
    """The touches between two frames: somebody is near and the ball changes its way, or stays with him."""
    span = np.arange(first, min(last, scene.frames))
    if not len(span):
        return []
    off = scene.players[:, span] - scene.ball[None, span]
    gap = np.hypot(off[..., 0], off[..., 1])
    gap = np.where(np.isnan(gap), np.inf, gap)
    nearest = np.argmin(gap, axis=0)
    reach = np.where(_turns(scene, span), _TURN_REACH_M, _REACH_M)
    near = gap[nearest, np.arange(len(span))] < reach
    owner = np.where(near, nearest, -1)
    cuts = np.flatnonzero(np.diff(owner)) + 1
    found: list[Touch] = []
    for part in np.split(np.arange(len(span)), cuts):
        player = int(owner[part[0]])
        if player < 0:
            continue
        a, b = int(span[part[0]]), int(span[part[-1]])
        close = part[int(np.argmin(gap[player, part]))]
        since = found[-1].last + _SETTLE if found and found[-1].player != player else first
        touch = _touch(scene, player, (a, b, int(span[close])), since)
        if touch is None:
            continue
        if found and found[-1].player == player:
            found[-1] = Touch(player, found[-1].first, touch.last, touch.velocity)
        else:
            found.append(touch)
    return found


def _turns(scene: Scene, span: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Where the ball's velocity changes by more than grass, air and a bounce can do."""
    last = scene.frames - 1
    before, after = scene.velocity[np.clip(span - 4, 0, last)], scene.velocity[np.clip(span + 4, 0, last)]
    change, pace = np.hypot(*(after - before).T), np.hypot(*before.T)
    with np.errstate(invalid="ignore"):
        return np.asarray(change > np.maximum(_TURN_MPS, _TURN_SHARE * pace))


def _touch(scene: Scene, player: int, when: tuple[int, int, int], since: int) -> Touch | None:
    first, last, closest = when
    # What the ball did before the last kick had its way says nothing about this player.
    if last < since:
        return None
    # A ball that appears here comes from nowhere: it may well have been at his feet.
    appears = first == 0 or bool(np.isnan(scene.ball[first - 1, 0]))
    before = None if appears else _mean_velocity(scene, max(first - 4, since), max(first, since) + 1)
    after = _mean_velocity(scene, last, last + 5)
    change = float(np.hypot(*(after - before))) if before is not None and after is not None else np.inf
    slow = np.hypot(*scene.velocity[first : last + 1].T)
    kept = last - first >= scene.frame(_HELD_S) and float(np.nanmin(slow)) < 7.0
    arriving = float(np.hypot(*before)) if before is not None else 0.0
    if change < max(_CHANGE_MPS, _CHANGE_SHARE * arriving) and not kept:
        return None
    leaving = after if after is not None else np.zeros(2)
    return Touch(player, first, _kick(scene, closest, last), leaving)


def _kick(scene: Scene, closest: int, last: int) -> int:
    """The frame in which the ball gains most speed between the closest moment and the last within reach."""
    if last <= closest:
        return last
    speed = np.hypot(*scene.velocity[closest : min(last + 4, scene.frames)].T)
    gain = np.diff(np.nan_to_num(speed))
    return closest + int(np.argmax(gain)) if len(gain) and gain.max() > 0 else last


def _mean_velocity(scene: Scene, first: int, last: int) -> Array | None:
    part = scene.velocity[max(first, 0) : max(last, 0)]
    part = part[~np.isnan(part[:, 0])]
    return part.mean(axis=0) if len(part) else None
