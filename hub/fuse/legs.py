"""Legs taken for a ball: a white sock stays on its shin for ever, a ball at somebody's feet does not."""

import numpy as np
import numpy.typing as npt

from hub.fuse.ground import FRAMES_PER_SECOND, Points

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ABOUT_S = 1.0
_ASIDE = 0.45
_KNEE, _ANKLE = 0.55, 0.91
_SAME_FRAME = 0.2
_FEW = 12


def clinging(balls: Points, people: Points) -> Array:
    """How much (m,) of the time within `ABOUT_S` each ball candidate's tracklet was where the picture shows somebody's
    leg, 0 .. 1: between knee and ankle, a stride to either side. A ball on the grass lies lower, and comes and goes."""
    on_leg = _on_leg(balls, people).astype(np.float64)
    out = np.zeros(len(balls))
    if not len(balls):
        return out
    # Tracklets come one after another, each in order of time: far apart on one axis.
    span = float(balls.time.max() - balls.time.min()) + 4 * ABOUT_S * FRAMES_PER_SECOND
    axis = balls.time + balls.tracklet * span
    order = np.argsort(axis, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(on_leg[order])])
    low = np.searchsorted(axis[order], axis - ABOUT_S * FRAMES_PER_SECOND)
    high = np.searchsorted(axis[order], axis + ABOUT_S * FRAMES_PER_SECOND, side="right")
    return np.asarray((sums[high] - sums[low]) / np.maximum(high - low, _FEW))


def _on_leg(balls: Points, people: Points) -> npt.NDArray[np.bool_]:
    out = np.zeros(len(balls), np.bool_)
    for camera in np.unique(balls.camera).tolist():
        rows = np.flatnonzero(balls.camera == camera)
        others = np.flatnonzero(people.camera == camera)
        others = others[np.argsort(people.time[others], kind="stable")]
        when = people.time[others]
        low = np.searchsorted(when, balls.time[rows] - _SAME_FRAME)
        count = np.searchsorted(when, balls.time[rows] + _SAME_FRAME) - low
        ball = np.repeat(rows, count)
        nth = np.arange(len(ball)) - np.repeat(np.cumsum(count) - count, count)
        person = others[np.repeat(low, count) + nth]
        tall = people.size[person, 1]
        aside = np.abs(balls.pixel[ball, 0] - people.pixel[person, 0]) / tall
        below_head = 1 + (balls.pixel[ball, 1] - people.pixel[person, 1]) / tall
        out[ball[(aside < _ASIDE) & (below_head > _KNEE) & (below_head < _ANKLE)]] = True
    return out
