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


def spot(front: Plane, diameter: float, expected: Floats) -> Floats | None:
    """Centre (2,) px in the window of the bright disc that is nearest and most alike.

    `front` (h, w) levels of luma above the background, `diameter` px, `expected` (2,) where it should be.
    """
    template = _disc(max(4, round(2 * diameter)))
    side = template.shape[0]
    # OpenCV's calls for what numpy has too: on a few hundred pixels numpy's take ten times longer.
    if min(front.shape) < side + 2 or cv2.minMaxLoc(front)[1] < CONTRAST:
        return None
    match = cv2.matchTemplate(front, template, cv2.TM_CCOEFF_NORMED)
    half = side / 2
    x, y = expected.tolist()
    columns, rows = np.arange(match.shape[1]) + (half - x), np.arange(match.shape[0]) + (half - y)
    per_px = DISTANCE / (min(front.shape) / 2 - half) ** 2
    column, row = cv2.minMaxLoc(match - per_px * columns**2 - per_px * (rows**2)[:, None])[3]
    row, column = _summit(match, row, column)
    likeness = float(match[row, column])
    if not LIKENESS <= likeness <= 1.0 or row in (0, match.shape[0] - 1) or column in (0, match.shape[1] - 1):
        return None
    if _goes_on(match, row, column, round(diameter / 2)):
        return None
    inner = max(1, round(0.25 * diameter))
    middle_y, middle_x = int(row + half), int(column + half)
    part = front[middle_y - inner : middle_y + inner + 1, middle_x - inner : middle_x + inner + 1]
    if cv2.mean(part)[0] < CONTRAST:
        return None
    right = peak(match[row, column - 1 : column + 2])
    down = peak(match[row - 1 : row + 2, column])
    return np.array([column + half + right, row + half + down])


def _summit(match: npt.NDArray[Any], row: int, column: int) -> tuple[int, int]:
    """The top of the likeness next to a place: being expected elsewhere draws the choice a pixel down its slope."""
    while 0 < row < match.shape[0] - 1 and 0 < column < match.shape[1] - 1:
        right, down = cv2.minMaxLoc(match[row - 1 : row + 2, column - 1 : column + 2])[3]
        if (down, right) == (1, 1):
            break
        row, column = row + down - 1, column + right - 1
    return row, column


def _goes_on(match: npt.NDArray[Any], row: int, column: int, step: int) -> bool:
    """Whether it looks nearly the same a `step` further to both sides along any of four lines: an edge, a leg."""
    up, down = max(0, row - step), min(match.shape[0] - 1, row + step)
    left, right = max(0, column - step), min(match.shape[1] - 1, column + step)
    lines = [
        ((up, left), (down, right)),
        ((up, column), (down, column)),
        ((up, right), (down, left)),
        ((row, left), (row, right)),
    ]
    weaker = max(min(match[one], match[other]) for one, other in lines)
    return bool(weaker > match[row, column] - DROP)


@cache
def _disc(halves: int) -> Plane:
    """A white disc with soft edges on black, with its ring; its diameter in half pixels."""
    diameter = halves / 2
    side = 2 * round(diameter * (1 + 2 * RING) / 2) + 1
    y, x = np.mgrid[0:side, 0:side] - (side - 1) / 2
    inside = np.clip(diameter / 2 + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(np.round(200 * inside), np.uint8)
