"""Which part of the picture each pass of the detector looks at, and how closely."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.detect.detector import Detections, Floats
from wire.tracks import Kind

STEP = 32
"""The network takes sides that are multiples of this."""
WHOLE_WIDTH = 992
"""Width at network scale of a look at the whole view: about 70 ms on one thread of a desktop processor."""
SMALL_PX = 36.0
"""Persons below this height at the whole view's scale are worth a closer look: the network needs about 20."""
STRIP_PIXELS = 544 * 960
"""Pixels at network scale that a closer look may cost."""
ENOUGH = 6
"""Small persons that have to be known before a strip is laid through them."""
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


class Looks:
    """Spends a camera's passes: the whole view and, in turn with it, the strip where persons are small.

    Where the strip lies is learned from the persons found so far, so no calibration is needed.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.whole = Look((0, 0, width, height), *_network_size(width, height, WHOLE_WIDTH / width))
        self._small = np.zeros((0, 4))
        self._passes = 0

    def next(self) -> Look:
        """The look that is due."""
        self._passes += 1
        strip = self.strip() if self._passes % 2 == 0 else None
        return strip or self.whole

    def learn(self, persons: Detections) -> None:
        """Take note of the persons (boxes) that a look found."""
        sure = persons.box[(persons.score > 0.4) & (persons.kind == Kind.PERSON)]
        small = sure[(sure[:, 3] - sure[:, 1]) * self.whole.scale[1] < SMALL_PX]
        self._small = np.concatenate([self._small, small])[-200:]

    def strip(self) -> Look | None:
        """The closer look as things stand, None while nothing shows that it pays."""
        if len(self._small) < ENOUGH:
            return None
        top, bottom = _rows(self._small)
        y0 = max(0, int(top) // 2 * 2)
        y1 = min(self.height, (int(bottom) + 2) // 2 * 2)
        if y1 - y0 < STEP:
            return None
        part = (0, y0, self.width, y1)
        return closest(part) if _closest_scale(part) >= 1.25 * self.whole.scale[0] else None


def closest(region: Part) -> Look:
    """A look at a part of the picture that costs `STRIP_PIXELS`, less where the part itself has fewer pixels."""
    x0, y0, x1, y1 = region
    return Look(region, *_network_size(x1 - x0, y1 - y0, _closest_scale(region)))


def uniform(width: int, height: int, fit: Callable[[Part], Look]) -> list[Look]:
    """The whole view and, unless that is near enough, equal tiles that cover it, each looked at as near as `NEAR`.

    `fit` says how a detector whose network sees a square looks at a part.
    """
    whole = fit((0, 0, width, height))
    side = max(whole.width, whole.height) / NEAR
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


def _closest_scale(region: Part) -> float:
    x0, y0, x1, y1 = region
    return min(1.0, math.sqrt(STRIP_PIXELS / ((x1 - x0) * (y1 - y0))))


def _rows(boxes: Floats) -> tuple[float, float]:
    margin = 1.2 * float(np.median(boxes[:, 3] - boxes[:, 1]))
    return float(np.percentile(boxes[:, 1], 2)) - margin, float(np.percentile(boxes[:, 3], 90)) + margin


def _network_size(width: int, height: int, scale: float) -> tuple[int, int]:
    across, down = (max(1, round(side * scale / STEP)) * STEP for side in (width, height))
    return across, down
