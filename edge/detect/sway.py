"""How far the camera is pushed aside at the moment: a mast bends in the wind, and comes back."""

import cv2
import numpy as np

from edge.detect import loops
from edge.detect.detector import Floats
from edge.detect.picture import Plane

ANCHORS = 10
"""Corners of what always stands there that are looked for in every picture …"""
SIDE = 11
"""… in squares of so many pixels …"""
REACH = 3
"""… no further than so many pixels from where they were last."""
FEWEST = 5
AGREE = 0.4
"""So many of them at least have to be found, half of them within this many pixels of their median."""
MOST = 12.0
"""Pixels from which on it is no sway: somebody turned the camera."""
CORNER = 0.02
"""Least quality of a corner, as a share of the best one's."""


class Sway:
    """Follows anchors of the empty scene from picture to picture, at motion scale."""

    def __init__(self) -> None:
        self._usual: Plane = np.zeros((0, 0), np.uint8)
        self._boxes: Floats = np.zeros((0, 4))
        self._last = np.zeros(2)

    def anchor(self, usual: Plane) -> None:
        """Choose the corners to hold on to in the luma (h, w) of the empty scene."""
        height, width = usual.shape
        apart = max(SIDE, min(height, width) // 5)
        found = cv2.goodFeaturesToTrack(usual, ANCHORS, CORNER, apart)
        corners = np.zeros((0, 2)) if found is None else found.reshape(-1, 2).astype(np.float64)
        self._usual = usual.copy()
        self._boxes = np.concatenate([corners - SIDE / 2, corners + SIDE / 2], axis=1)

    def of(self, luma: Plane) -> Floats:
        """How far (2,) right and down everything in this picture is from where it usually is; none where that cannot be
        told."""
        if len(self._boxes) < FEWEST:
            return np.zeros(2)
        expected = np.repeat(self._last[None], len(self._boxes), axis=0)
        moved = loops.shifts(self._usual, luma, self._boxes, expected, (0.0, 0.0, 1.0, 1.0), REACH / SIDE, 0.7, 3)
        moved = moved[~np.isnan(moved[:, 0])]
        shift: Floats = np.median(moved, axis=0) if len(moved) >= FEWEST else self._last
        agree = len(moved) >= FEWEST and float(np.median(np.abs(moved - shift).max(axis=1))) < AGREE
        if not agree or float(np.abs(shift).max()) > MOST:
            # Where it cannot be told, it is likelier to be at rest.
            shift = np.zeros(2)
        self._last = shift
        return shift


def steadied(plane: Plane, shift: Floats, into: Plane) -> Plane:
    """The plane (h, w) as it would be without the shift (2,), written `into` another."""
    x, y = shift.tolist()
    back = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(plane, back, into.shape[::-1], dst=into, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return into
