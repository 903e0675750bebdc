"""Where a person went since the frame before, by the look of the shirt: for whoever no blob belongs to alone."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.detect.picture import Plane

PART = (0.15, 0.05, 0.85, 0.65)
"""Head and trunk, shares of the box: legs change their shape from frame to frame."""
REACH = 0.08
"""How far from the expected place is searched, in heights, and never less than two pixels."""
LIKENESS = 0.8
"""Least correlation of what is found with what was there before."""
LEAST_SIDE = 3


def shifts(before: Plane, now: Plane, boxes: Floats, expected: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """How far what filled the `boxes` (n, 4) in the picture `before` (h, w) has moved in `now`, all in their pixels:
    the rows of those that were found again (k,), and their shifts (k, 2).

    Each search is centred on the `expected` shift (n, 2). Not found is what nothing resembles, or only something at the
    search's edge.
    """
    height, width = before.shape
    x0, y0, x1, y1 = boxes.T
    wide, tall = x1 - x0, y1 - y0
    left, top, right, bottom = PART
    part = [x0 + left * wide, y0 + top * tall, x0 + right * wide, y0 + bottom * tall]
    limits = np.array([[width], [height], [width], [height]])
    pixels = np.clip(np.round(part), 0, limits).astype(int).T
    reach = np.maximum(2, np.ceil(REACH * tall)).astype(int)
    aim = np.round(expected).astype(int)
    search = pixels + np.tile(aim, 2) + reach[:, None] * np.array([-1, -1, 1, 1])
    possible = (pixels[:, 2:] - pixels[:, :2] >= LEAST_SIDE).all(axis=1)
    possible &= (search[:, :2] >= 0).all(axis=1) & (search[:, 2:] <= (width, height)).all(axis=1)
    found, moved = [], []
    for row in np.flatnonzero(possible).tolist():
        (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = pixels[row].tolist(), search[row].tolist()
        best = _best(before[ay0:ay1, ax0:ax1], now[by0:by1, bx0:bx1])
        if best:
            found.append(row)
            moved.append(best)
    rows = np.array(found, np.intp)
    off = aim[rows] - reach[rows, None]
    return rows, np.array(moved, np.float64).reshape(-1, 2) + off


def _best(part: Plane, around: Plane) -> tuple[float, float] | None:
    """Where in `around` the `part` lies that is looked for, right and down to a fraction of a pixel."""
    match = cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED)
    _, likeness, _, (column, row) = cv2.minMaxLoc(match)
    rows, columns = match.shape
    if not likeness >= LIKENESS or row in (0, rows - 1) or column in (0, columns - 1):
        return None
    return column + peak(match[row, column - 1 : column + 2]), row + peak(match[row - 1 : row + 2, column])


def peak(three: npt.NDArray[Any]) -> float:
    """Where between -0.5 and 0.5 the parabola through three values, the middle one largest, has its top."""
    before, top, after = three.tolist()
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
