"""The colour of a shirt."""

import cv2
import numpy as np

from edge.detect.detector import Floats
from edge.detect.picture import Plane, planes_of
from edge.track import loops

TORSO = (0.28, 0.2, 0.72, 0.5)
"""The part of a person's box that shows the shirt: shares of its width and height."""
SAMPLES = 8
"""The shirt is looked at in so many points across and down."""
GRASS_LIGHT, GRASS_GREEN, GRASS_YELLOW = (40, 200), 122, 130
"""CIE L between these, a below and b above those are grass: towards green and yellow, neither black nor white."""
LEAST = 0.2
"""Share of the points that must not be grass."""


def torsos_lab(i420: Plane, box: Floats) -> Floats:
    """Median CIE L, a, b (n, 3), in the 8-bit scaling of OpenCV, of the torsos of the persons in `box` (n, 4), leaving
    out what is green as grass; NaN where hardly anything is left."""
    if not len(box):
        return np.zeros((0, 3))
    # One look at all of them: a call of OpenCV for each would cost more than the colours.
    ycrcb = loops.torsos(*planes_of(i420), box, TORSO, SAMPLES)
    bgr = cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2BGR)
    lab = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab), np.uint8)
    return loops.middle_colours(lab, GRASS_LIGHT, GRASS_GREEN, GRASS_YELLOW, LEAST)
