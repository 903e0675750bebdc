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
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab)
    # Grass: towards green, not towards blue, neither black nor white.
    grass = (lab[..., 1] < 122) & (lab[..., 2] > 130) & (lab[..., 0] > 40) & (lab[..., 0] < 200)
    left = (~grass).sum(axis=1)
    rising = np.sort(np.where(grass[..., None], 255, lab), axis=1)
    each = np.arange(len(box))
    lower, upper = rising[each, np.maximum(left - 1, 0) // 2], rising[each, left // 2 % SAMPLES**2]
    median: Floats = (lower.astype(np.float64) + upper) / 2
    median[left < LEAST * SAMPLES**2] = np.nan
    return median
