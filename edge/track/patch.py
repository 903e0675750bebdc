"""Where a person went since the frame before, by the look of the shirt: for whoever no blob belongs to alone."""

import math
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


def shift(before: Plane, now: Plane, box: Floats, expected: Floats) -> Floats | None:
    """How far (2,) what filled `box` (4,) in the picture `before` (h, w) has moved in `now`, all in their pixels.

    The search is centred on the `expected` shift (2,). None when nothing alike is found, or only at the search's edge.
    """
    height, width = before.shape
    wide, tall = box[2] - box[0], box[3] - box[1]
    corners = box[[0, 1, 0, 1]] + np.array(PART) * (wide, tall, wide, tall)
    x0, y0, x1, y1 = (round(float(v)) for v in corners)
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    if x1 - x0 < LEAST_SIDE or y1 - y0 < LEAST_SIDE:
        return None
    reach = max(2, math.ceil(REACH * tall))
    dx, dy = round(float(expected[0])), round(float(expected[1]))
    left, top, right, bottom = x0 + dx - reach, y0 + dy - reach, x1 + dx + reach, y1 + dy + reach
    if left < 0 or top < 0 or right > width or bottom > height:
        return None
    match = cv2.matchTemplate(now[top:bottom, left:right], before[y0:y1, x0:x1], cv2.TM_CCOEFF_NORMED)
    row, column = divmod(int(np.argmax(match)), match.shape[1])
    edge = row in (0, match.shape[0] - 1) or column in (0, match.shape[1] - 1)
    if edge or not match[row, column] >= LIKENESS:
        return None
    right_by = peak(match[row, column - 1 : column + 2]) + column - reach + dx
    down_by = peak(match[row - 1 : row + 2, column]) + row - reach + dy
    return np.array([right_by, down_by])


def peak(three: npt.NDArray[Any]) -> float:
    """Where between -0.5 and 0.5 the parabola through three values, the middle one largest, has its top."""
    bend = float(three[0] - 2 * three[1] + three[2])
    return 0.5 * float(three[0] - three[2]) / bend if bend < 0 else 0.0
