"""When the ball lies still, and when it is kicked away."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.events.scene import Scene

Array = npt.NDArray[np.float64]

_AWAY_M = 1.0
_STILL_S = 0.4


@dataclass(frozen=True)
class Rest:
    """The ball lay (or was held) at `place` from frame `first` until it left at `left`."""

    first: int
    left: int
    place: Array


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
