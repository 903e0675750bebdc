"""Where a bright round spot of known size is in a small window: a ball that has no blob for itself."""

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.detect.picture import Plane
from edge.track.patch import peak

RING = 0.45
"""Width of the darker ring around the disc that is looked for, in diameters."""
LIKENESS = 0.45
"""Least correlation of what is found with a bright disc in a dark ring: half of it may be hidden by a foot."""
DROP = 0.1
"""By so much the likeness has to be less half a diameter further, on one side at least."""
CONTRAST = 18.0
"""Least levels of luma by which the disc is brighter than what lies behind it."""
DISTANCE = 0.6
"""Correlation that a spot at the edge of the window has to make up for."""


def spot(front: Plane, diameter: float, expected: Floats) -> tuple[Floats, float] | None:
    """Centre (2,) px in the window and likeness (0..1) of the bright disc that is nearest and most alike.

    `front` (h, w) levels of luma above the background, `diameter` px, `expected` (2,) where it should be.
    """
    template = _disc(max(4, round(2 * diameter)))
    side = template.shape[0]
    if min(front.shape) < side + 2 or int(front.max()) < CONTRAST:
        return None
    match = cv2.matchTemplate(front, template, cv2.TM_CCOEFF_NORMED)
    half = side / 2
    rows, columns = (np.arange(n) + half for n in match.shape)
    far = (columns[None] - expected[0]) ** 2 + (rows[:, None] - expected[1]) ** 2
    worth = match - DISTANCE * far / (min(front.shape) / 2 - half) ** 2
    row, column = _summit(match, *divmod(int(np.argmax(worth)), match.shape[1]))
    likeness = float(match[row, column])
    if not LIKENESS <= likeness <= 1.0 or row in (0, match.shape[0] - 1) or column in (0, match.shape[1] - 1):
        return None
    if _goes_on(match, row, column, round(diameter / 2)):
        return None
    inner = max(1, round(0.25 * diameter))
    y, x = int(row + half), int(column + half)
    if float(front[y - inner : y + inner + 1, x - inner : x + inner + 1].mean()) < CONTRAST:
        return None
    right = peak(match[row, column - 1 : column + 2])
    down = peak(match[row - 1 : row + 2, column])
    return np.array([column + half + right, row + half + down]), likeness


def _summit(match: npt.NDArray[Any], row: int, column: int) -> tuple[int, int]:
    """The top of the likeness next to a place: being expected elsewhere draws the choice a pixel down its slope."""
    while 0 < row < match.shape[0] - 1 and 0 < column < match.shape[1] - 1:
        down, right = divmod(int(np.argmax(match[row - 1 : row + 2, column - 1 : column + 2])), 3)
        if (down, right) == (1, 1):
            break
        row, column = row + down - 1, column + right - 1
    return row, column


def _goes_on(match: npt.NDArray[Any], row: int, column: int, step: int) -> bool:
    """Whether it looks nearly the same a `step` further to both sides along any of four lines: an edge, a leg."""
    rows, columns = (
        np.clip((at - step, at, at + step), 0, n - 1) for at, n in zip((row, column), match.shape, strict=True)
    )
    around = match[np.ix_(rows, columns)].reshape(-1)
    weaker = np.minimum(around[:4], around[:4:-1])
    return bool(weaker.max() > around[4] - DROP)


@cache
def _disc(halves: int) -> Plane:
    """A white disc with soft edges on black, with its ring; its diameter in half pixels."""
    diameter = halves / 2
    side = 2 * round(diameter * (1 + 2 * RING) / 2) + 1
    y, x = np.mgrid[0:side, 0:side] - (side - 1) / 2
    inside = np.clip(diameter / 2 + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(np.round(200 * inside), np.uint8)
