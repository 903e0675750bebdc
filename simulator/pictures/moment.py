"""The match between its frames: cameras expose at their own times."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.match.truth import MatchTruth

Array = npt.NDArray[np.float64]


class Moment(NamedTuple):
    """Everybody and the ball at one instant; arrays over people as in `MatchTruth`, `ball` (3,) metres."""

    xy: Array
    heading: Array
    speed: Array
    stride: Array
    pose: npt.NDArray[np.uint8]
    ball: Array


def moment(truth: MatchTruth, time_s: float) -> Moment:
    """The match at `time_s`, linear between its frames; the first or last frame outside it."""
    place = min(max(time_s * truth.frames_per_second, 0.0), truth.frames - 1.0)
    k = min(int(place), max(truth.frames - 2, 0))
    j = min(k + 1, truth.frames - 1)
    part = place - k
    return Moment(
        xy=_between(truth.xy[k], truth.xy[j], part),
        heading=_turned(truth.heading[k], truth.heading[j], part),
        speed=_between(truth.speed[k], truth.speed[j], part),
        stride=_turned(truth.stride[k], truth.stride[j], part),
        pose=truth.pose[k if part < 0.5 else j],
        ball=_between(truth.ball[k], truth.ball[j], part),
    )


def _between(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32], part: float) -> Array:
    return a.astype(np.float64) * (1 - part) + b.astype(np.float64) * part


def _turned(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32], part: float) -> Array:
    """Between two angles the short way round."""
    start = a.astype(np.float64)
    return start + part * (np.mod(b.astype(np.float64) - start + math.pi, 2 * math.pi) - math.pi)
