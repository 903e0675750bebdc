"""A square of the picture around a person, as a network sees it."""

from dataclasses import dataclass

import numpy as np

from edge.detect.detector import Floats
from edge.detect.picture import Picture, Plane, small_rgb

MARGIN = 1.25
"""Side of the square in units of the longer side of the person's box."""


@dataclass(frozen=True)
class Crop:
    """A square x0, y0 and its side, whole even pixels of the main stream; it may reach beyond the picture."""

    x0: int
    y0: int
    side: int

    @classmethod
    def around(cls, box: Floats) -> "Crop":
        """The square around a person's box (4,)."""
        half = MARGIN * max(float(box[2] - box[0]), float(box[3] - box[1]), 16.0) / 2
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return cls(round((x - half) / 2) * 2, round((y - half) / 2) * 2, round(half) * 2)

    def paint(self, i420: Plane, square: Picture) -> None:
        """Write the crop into `square` (s, s, 3) in RGB, black beyond the picture."""
        rows, width = i420.shape
        x0, x1 = (min(max(0, x), width) for x in (self.x0, self.x0 + self.side))
        y0, y1 = (min(max(0, y), rows * 2 // 3) for y in (self.y0, self.y0 + self.side))
        scale = square.shape[0] / self.side
        left, top = round((x0 - self.x0) * scale), round((y0 - self.y0) * scale)
        wide, tall = (round(side * scale) // 2 * 2 for side in (x1 - x0, y1 - y0))
        square[:] = 0
        if wide > 0 and tall > 0:
            square[top : top + tall, left : left + wide] = small_rgb(i420, (x0, y0, x1, y1), wide, tall)

    def home(self, point: Floats) -> Floats:
        """Points (..., 2), as shares of the square, in pixels of the main stream."""
        at_home: Floats = point * self.side + np.array([self.x0, self.y0])
        return at_home
