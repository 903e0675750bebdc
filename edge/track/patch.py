"""Where a person went since the frame before, by the look of the shirt: for whoever no blob belongs to alone."""

from edge.detect import loops
from edge.detect.detector import Floats
from edge.detect.picture import Plane

PART = (0.15, 0.05, 0.85, 0.65)
"""Head and trunk, shares of the box: legs change their shape from frame to frame."""
REACH = 0.08
"""How far from the expected place is searched, in heights, and never less than two pixels."""
LIKENESS = 0.8
"""Least correlation of what is found with what was there before."""
LEAST_SIDE = 3


def shifts(before: Plane, now: Plane, boxes: Floats, expected: Floats) -> Floats:
    """How far (n, 2) what filled the `boxes` (n, 4) in the picture `before` (h, w) has moved in `now`, all in their
    pixels; NaN for what was not found again.

    Each search is centred on the `expected` shift (n, 2). Not found is what nothing resembles, or only something at the
    search's edge.
    """
    return loops.shifts(before, now, boxes, expected, PART, REACH, LIKENESS, LEAST_SIDE)
