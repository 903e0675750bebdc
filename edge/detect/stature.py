"""How tall a person looks at each row of the picture."""

from collections import deque

import numpy as np

from edge.detect.detector import Floats

BALL_SHARE = 0.125
"""A ball's 22 cm against a person's 175 cm."""
PRIOR = (0.012, 0.11)
"""Height of a person at the top and at the bottom of the picture, as shares of its height, before anything is known."""
LEAST = 0.008
"""Nobody is smaller than this share of the picture's height."""
FORGET = 0.999
ENOUGH = 40
"""Persons after whom the line is trusted."""
REMEMBERED = 600
FURTHEST = 3.0
"""Percentile of the last so many persons' feet beyond which nobody is looked for."""
STIFFNESS = 4.0
"""Persons' worth of weight that the prior keeps."""


class Stature:
    """Height of a standing person as a straight line over the row of the feet: what perspective gives on flat ground.

    Learned by least squares that slowly forgets; each person counts relative to the line, and little when far off it.
    """

    def __init__(self, height: int) -> None:
        self._height = float(height)
        self._learned = 0
        prior = np.array(PRIOR) * height
        self._top, self._rise = float(prior[0]), float(prior[1] - prior[0])
        rows = np.array([[1.0, 0.0], [1.0, 1.0]])
        self._prior = STIFFNESS * rows.T @ rows, STIFFNESS * rows.T @ prior
        self._feet: deque[float] = deque(maxlen=REMEMBERED)
        self._normal, self._sum = np.zeros((2, 2)), np.zeros(2)

    @property
    def known(self) -> bool:
        """Whether so many persons were seen that the line is trusted."""
        return self._learned >= ENOUGH

    @property
    def spread(self) -> tuple[float, float]:
        """Least and greatest ratio of a person's height to the expected one: wide while little is known."""
        return (0.55, 1.6) if self.known else (0.35, 2.8)

    @property
    def top(self) -> float:
        """The row of the feet of who stands furthest away, but for a few; 0 while little is known."""
        if not self.known:
            return 0.0
        nth = int(FURTHEST / 100 * len(self._feet))
        return float(np.partition(np.array(self._feet), nth)[nth])

    @property
    def line(self) -> tuple[float, float, float]:
        """What `at` says, for loops: the height (px) at the picture's upper edge, what it rises by from row to row, and
        the least one."""
        return self._top, self._rise / self._height, LEAST * self._height

    def at(self, foot_y: Floats) -> Floats:
        """Expected heights (n,) px at the rows (n,) of the feet."""
        top, rise, least = self.line
        tall: Floats = np.maximum(top + rise * foot_y, least)
        return tall

    def learn(self, box: Floats) -> None:
        """Take note of boxes (n, 4) that hold one standing person each."""
        foot, tall = box[:, 3], box[:, 3] - box[:, 1]
        ratio = tall / self.at(foot)
        good = (ratio > 0.3) & (ratio < 3.0)
        self._learned += int(good.sum())
        self._feet.extend(foot[good].tolist())
        rows = np.stack([np.ones(int(good.sum())), foot[good] / self._height], axis=1)
        # Far persons are small: unweighted, the near ones would rule the line.
        weight = 1.0 / (1.0 + ((ratio[good] - 1) / 0.3) ** 2)
        self._normal = FORGET * self._normal + (rows * weight[:, None]).T @ rows
        self._sum = FORGET * self._sum + rows.T @ (weight * tall[good])
        self._top, self._rise = np.linalg.solve(self._prior[0] + self._normal, self._prior[1] + self._sum).tolist()
