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
        rows = np.array([[1.0, 0.0, prior[0]], [1.0, 1.0, prior[1]]])
        self._prior = STIFFNESS * rows[:, :2].T @ rows
        self._feet: deque[float] = deque(maxlen=REMEMBERED)
        self._sums = np.zeros((2, 3))
        """The normal equations of the line, left sides and right ones, without the prior's part."""

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
        foot, tall, ratio = foot[good], tall[good], ratio[good]
        self._learned += len(foot)
        self._feet.extend(foot.tolist())
        # Far persons are small: unweighted, the near ones would rule the line.
        weight = 1.0 / (1.0 + ((ratio - 1) / 0.3) ** 2)
        rows = np.stack([np.ones_like(foot), foot / self._height, tall])
        self._sums = FORGET * self._sums + (rows[:2] * weight) @ rows.T
        # Two equations for two unknowns: with a general solver all this would take half as long again.
        (one, along, tall_0), (_, square, tall_1) = (self._prior + self._sums).tolist()
        scale = one * square - along * along
        self._top = (tall_0 * square - tall_1 * along) / scale
        self._rise = (one * tall_1 - along * tall_0) / scale
