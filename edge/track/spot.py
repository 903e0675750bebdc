"""Where bright round spots of known size are in small windows: balls that have no blob for themselves."""

from functools import cache

import numpy as np
import numpy.typing as npt

from edge.detect.background import Front
from edge.detect.detector import Floats
from edge.track import spot_loops as loops

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


def spots(front: Front, wanted: Floats) -> Floats:
    """Centres (n, 2) of the bright discs that are nearest to where they should be and most alike; NaN where none is.

    `wanted` (n, 4) says of each where it should be, how far up, down and to each side it may be, and its diameter. All
    that is in pixels of the main stream, with the camera's sway taken back.
    """
    discs = [_disc(max(4, round(2 * diameter))) for diameter in wanted[:, 3].tolist()]
    return loops.spots(
        front.luma, front.behind, front.factor, front.sway, wanted, discs, DISTANCE, LIKENESS, DROP, CONTRAST
    )


@cache
def _disc(halves: int) -> npt.NDArray[np.float32]:
    """A white disc with soft edges on black (n, n), with its ring; diameter in half pixels."""
    diameter = halves / 2
    side = 2 * round(diameter * (1 + 2 * RING) / 2) + 1
    y, x = np.mgrid[0:side, 0:side] - (side - 1) / 2
    return np.asarray(np.clip(diameter / 2 + 0.5 - np.hypot(x, y), 0, 1), np.float32)
