"""Where a bright round spot of known size is in a small window: a ball that has no blob for itself."""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.detect.loops import nearest_spot, norm
from edge.detect.picture import Plane

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
    disc = _disc(max(4, round(2 * diameter)))
    # OpenCV's calls for what numpy has too: on a few hundred pixels numpy's take ten times longer.
    if min(front.shape) < len(disc) + 2 or cv2.minMaxLoc(front)[1] < CONTRAST:
        return None
    # The normed kind of OpenCV's match takes twice as long as the plain one.
    match = np.asarray(cv2.matchTemplate(front.astype(np.float32), disc, cv2.TM_CCORR), np.float32)
    norm(front, len(disc), match)
    x, y = expected.tolist()
    centre = nearest_spot(front, match, diameter, x, y, DISTANCE, LIKENESS, DROP, CONTRAST)
    return None if centre is None else np.array(centre)


@cache
def _disc(halves: int) -> npt.NDArray[np.float32]:
    """A white disc with soft edges on black (n, n), with its ring, of mean 0 and norm 1; diameter in half pixels."""
    diameter = halves / 2
    side = 2 * round(diameter * (1 + 2 * RING) / 2) + 1
    y, x = np.mgrid[0:side, 0:side] - (side - 1) / 2
    inside = np.clip(diameter / 2 + 0.5 - np.hypot(x, y), 0, 1)
    inside -= inside.mean()
    return np.asarray(inside / np.linalg.norm(inside), np.float32)
