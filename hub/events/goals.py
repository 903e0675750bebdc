"""Goals: a kick-off says that there was one and at which end; ball and people say when.

Whoever takes a kick-off in the middle of a half has conceded. Until the goal everybody moves towards that end, from
then on away from it, so the turn dates a goal even when the ball in the net is not seen.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hub.events.exits import Exit
from hub.events.kick_offs import KickOff
from hub.events.scene import Scene

Array = npt.NDArray[np.float64]

_BEFORE_TURN_S = 3.5
_AFTER_TURN_S = 0.8
_REACTION_S = 1.0
_BACKTRACK_M = 6.0
_SHORTEST_S = 4.0
_LATEST_S = 8.0
_NEAR_POST_M = 2.5
_HARD_MPS = 6.0
_COAST_S = 1.5
_GUESS_MISS_M = 6.0


def goals(scene: Scene, outs: Sequence[Exit], kicks: Sequence[KickOff]) -> dict[Exit, float]:
    """The goals with their confidence: exits of the ball through the mouth, or what stands for one unseen."""
    found: dict[Exit, float] = {}
    if not kicks:
        return found
    # A session may begin in the middle of play; a kick-off after that needs a goal that was seen.
    opening = KickOff(0, -1, 0, 0.0)
    for previous, kick in pairwise([opening, *kicks]):
        seen = _goal_between(scene, outs, previous, kick)
        if seen is not None:
            found[seen[0]] = seen[1]
    return found


def _goal_between(scene: Scene, outs: Sequence[Exit], previous: KickOff, kick: KickOff) -> tuple[Exit, float] | None:
    first, last = previous.frame + scene.frame(1.5), max(kick.formed, kick.frame - scene.frame(6.0))
    opening = previous.taker < 0
    half_time = not opening and scene.attacks[previous.frame] != scene.attacks[kick.frame]
    if last - first < scene.frame(_SHORTEST_S) or half_time:
        return None
    conceded = int(scene.team[kick.taker])
    side = float(scene.attacks[kick.frame]) * (-1.0 if conceded == 0 else 1.0)
    turn = _turn(scene, first, last, side)
    low, high = turn - scene.frame(_BEFORE_TURN_S), turn + scene.frame(_AFTER_TURN_S)
    through = [e for e in outs if e.end_line and e.x * side > 0 and max(low, first) <= e.frame <= high]
    mouths = [e for e in through if e.mouth]
    if mouths:
        return mouths[0], 0.6 if opening else 0.95
    if opening:
        return None
    guess = _extrapolated(scene, max(low, first), min(high, scene.frames), side)
    if guess is not None:
        return guess, 0.8
    post = scene.pitch.form.goal_width / 2
    near = [e for e in through if abs(e.y) < post + _NEAR_POST_M]
    if near:
        return near[0], 0.7
    crossed = max(turn - scene.frame(_REACTION_S), first)
    return Exit(float(crossed), side * scene.pitch.half_length, 0.0, kick.frame, True, True), 0.5


def _turn(scene: Scene, first: int, last: int, side: float) -> int:
    """The frame between two others in which all turned back from the goal at `side`: going back in time from the
    kick-off, the players' mean stands ever deeper until this moment."""
    x = scene.players[:, first:last, 0] * side
    known = ~np.isnan(x)
    mean = np.where(known, x, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    deepest = len(mean) - 1
    for k in range(len(mean) - 1, -1, -1):
        if mean[k] > mean[deepest]:
            deepest = k
        elif mean[deepest] - mean[k] > _BACKTRACK_M and mean[deepest] - mean[-1] > _BACKTRACK_M / 2:
            break
    return first + deepest


def _extrapolated(scene: Scene, first: int, last: int, side: float) -> Exit | None:
    """Where a ball last seen flying at the goal must have crossed its line."""
    pitch = scene.pitch
    span = np.arange(first, last)
    place, velocity = scene.ball[span], scene.velocity[span]
    with np.errstate(invalid="ignore", divide="ignore"):
        left_s = (pitch.half_length - place[:, 0] * side) / (velocity[:, 0] * side)
        y = place[:, 1] + velocity[:, 1] * left_s
        good = (velocity[:, 0] * side > _HARD_MPS) & (left_s >= 0) & (left_s < _COAST_S)
        good &= np.abs(y) < pitch.form.goal_width / 2 + _GUESS_MISS_M
    if not good.any():
        return None
    k = int(np.flatnonzero(good)[-1])
    post = pitch.form.goal_width / 2
    crossed = float(span[k] + left_s[k] * scene.fps)
    return Exit(crossed, side * pitch.half_length, float(np.clip(y[k], -post, post)), int(crossed) + 1, True, True)
