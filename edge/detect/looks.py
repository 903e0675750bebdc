"""Which part of the picture each pass of the detector looks at, and how closely."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

STEP = 32
"""The network takes sides that are multiples of this."""
WHOLE_WIDTH = 992
"""Width at network scale of a look at the whole view: about 70 ms on one thread of a desktop processor."""
PASS_PIXELS = 544 * WHOLE_WIDTH
"""Pixels at network scale that any look costs, whatever its shape."""
MOST_SCALE = 2.0
"""Magnifying more than this shows the network nothing new."""
NEAR = 0.55
"""Scale from which on next to every player of a usual view is found; the shipped detector's recall at 0.5 is 0.98."""
SHARED = 0.125
"""Share of a tile's side that it has in common with the next one: what is cut in one tile is whole in the other."""

Part = tuple[int, int, int, int]
"""x0, y0, x1, y1 in even pixels of the main stream."""


@dataclass(frozen=True)
class Look:
    """A part of the picture and its size, even numbers, at network scale."""

    region: Part
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Network pixels per pixel of the main stream, across and down."""
        x0, y0, x1, y1 = self.region
        return self.width / (x1 - x0), self.height / (y1 - y0)

    def moved(self, by: npt.NDArray[np.float64]) -> "Look":
        """The same look when everything is that far (2,) further right and down, to a whole pixel."""
        x, y = np.round(by).astype(int).tolist()
        x0, y0, x1, y1 = self.region
        return replace(self, region=(x0 + x, y0 + y, x1 + x, y1 + y))


def closest(region: Part) -> Look:
    """A look at a part of the picture that costs `PASS_PIXELS`, less where it would magnify more than `MOST_SCALE`."""
    x0, y0, x1, y1 = region
    width, height = x1 - x0, y1 - y0
    scale = min(MOST_SCALE, math.sqrt(PASS_PIXELS / (width * height)))
    across, down = (max(1, round(side * scale / STEP)) * STEP for side in (width, height))
    return Look(region, across, down)


def uniform(width: int, height: int, fit: Callable[[Part], Look], near: float = NEAR) -> list[Look]:
    """The whole view and, unless that is near enough, equal tiles that cover it, each looked at as near as `near`.

    `fit` says how a detector whose network sees a square looks at a part.
    """
    whole = fit((0, 0, width, height))
    side = max(whole.width, whole.height) / near
    if max(width, height) <= side:
        return [whole]
    columns, rows = (_cuts(whole_side, side) for whole_side in (width, height))
    return [whole, *(fit((x0, y0, x1, y1)) for y0, y1 in rows for x0, x1 in columns)]


def _cuts(whole: int, side: float) -> list[tuple[int, int]]:
    """The fewest equal lengths that cover `whole`, none longer than `side`, with a share in common with the next."""
    step = (1 - SHARED) * side
    count = 1 if whole <= side else math.ceil((whole - side) / step) + 1
    length = whole / (1 + (count - 1) * (1 - SHARED))
    starts = [k * (1 - SHARED) * length for k in range(count)]
    return [(int(start) // 2 * 2, min(whole, math.ceil((start + length) / 2) * 2)) for start in starts]
