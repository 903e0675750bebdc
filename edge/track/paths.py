"""Points that move through the picture: filtered frame by frame, smoothed once a segment is complete."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.track import loops

Rows = npt.NDArray[Any]
LEAST_ACCELERATION = 1e-6
"""Pixels per frame²: what never turns at all is a straight line."""
DRAG = 0.99
"""Share of its speed that a point nobody sees keeps from frame to frame."""


class Paths:
    """Constant-velocity Kalman filters of n points, both axes alike, one step per frame: the loops of persons and of
    the ball move them on and correct them.

    `place` and `speed` (n, 2) px and px per frame; `cov` (n, 3): variance of place, covariance, variance of speed.
    """

    def __init__(self) -> None:
        self.place = np.zeros((0, 2))
        self.speed = np.zeros((0, 2))
        self.cov = np.zeros((0, 3))

    def add(self, place: Floats, variance: Floats, speed_variance: Floats) -> None:
        """Points (n, 2) that begin at rest, with the variances (n,) of their places and speeds."""
        self.place = np.concatenate([self.place, place])
        self.speed = np.concatenate([self.speed, np.zeros_like(place)])
        self.cov = np.concatenate([self.cov, np.stack([variance, np.zeros_like(variance), speed_variance], axis=1)])

    def keep(self, rows: Rows) -> None:
        """Forget all but these rows."""
        self.place, self.speed, self.cov = self.place[rows], self.speed[rows], self.cov[rows]


def smoothed(
    frame: npt.NDArray[np.int64],
    place: Floats,
    variance: Floats,
    acceleration: float,
    asked: npt.NDArray[np.int64] | None = None,
) -> Floats:
    """Places (n, 2), measured in the rising frames (n,) with variances (n,), smoothed forwards and backwards; or, where
    `asked` names frames (m,) from the first to the last measured one, the places (m, 2) in those.

    Least squares of the residuals against accelerations of the given standard deviation, px per frame² (Whittaker's
    smoother with second differences).
    """
    asked = frame if asked is None else asked
    if len(frame) < 3:
        return np.stack([np.interp(asked, frame, axis) for axis in place.T], axis=1)
    return loops.relaxed(frame, place, variance, max(acceleration, LEAST_ACCELERATION) ** -2, asked)
