"""The colour of a shirt."""

import cv2
import numpy as np

from edge.detect.detector import Floats
from edge.detect.picture import Plane, planes_of

TORSO = (0.28, 0.2, 0.72, 0.5)
"""The part of a person's box that shows the shirt: shares of its width and height."""
SAMPLES = 12
"""The shirt is looked at in so many points across and down."""
LEAST = 0.2
"""Share of the points that must not be grass."""


def torso_lab(i420: Plane, box: Floats) -> tuple[float, float, float] | None:
    """Median CIE L, a, b (8-bit scaling of OpenCV) of the torso of the person in `box` (4,), leaving out what is green
    as grass; None when hardly anything is left."""
    luma, blue, red = planes_of(i420)
    height, width = luma.shape
    x0, y0, x1, y1 = box
    x = np.linspace(x0 + TORSO[0] * (x1 - x0), x0 + TORSO[2] * (x1 - x0), SAMPLES)
    y = np.linspace(y0 + TORSO[1] * (y1 - y0), y0 + TORSO[3] * (y1 - y0), SAMPLES)
    columns = np.unique(np.clip(x.astype(int), 0, width - 1))
    rows = np.unique(np.clip(y.astype(int), 0, height - 1))
    at = np.ix_(rows, columns)
    half = np.ix_(np.minimum(rows // 2, blue.shape[0] - 1), np.minimum(columns // 2, blue.shape[1] - 1))
    ycrcb = np.stack([_full_range(luma[at], 16, 219), red[half], blue[half]], axis=2)
    lab = cv2.cvtColor(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2BGR), cv2.COLOR_BGR2Lab).reshape(-1, 3).astype(np.int64)
    # Grass: towards green, not towards blue, neither black nor white.
    grass = (lab[:, 1] < 122) & (lab[:, 2] > 130) & (lab[:, 0] > 40) & (lab[:, 0] < 200)
    if (~grass).mean() < LEAST:
        return None
    light, a, b = np.median(lab[~grass], axis=0)
    return float(light), float(a), float(b)


def _full_range(luma: Plane, black: int, span: int) -> Plane:
    wide: Plane = np.clip((luma.astype(np.float32) - black) * (255 / span), 0, 255).astype(np.uint8)
    return wide
