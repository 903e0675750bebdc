"""Points that move through the picture, filtered frame by frame."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats

Rows = npt.NDArray[Any]
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
