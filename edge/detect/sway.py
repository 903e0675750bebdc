"""How far the camera is pushed aside at the moment: a mast bends in the wind, and comes back."""

from collections.abc import Iterator
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect import loops
from edge.detect.detector import Floats
from edge.detect.picture import Plane

CELLS = (4, 3)
"""The picture is cut into so many cells across and down: in each, one corner of what always stands there is looked for.
So nothing that moves by itself in one place, a screen or a banner, has the majority …"""
SIDE = 11
"""… in squares of so many pixels …"""
REACH = 3
"""… no further than so many pixels from where they were last."""
FEWEST = 5
AGREE = 0.4
"""So many of them, and half of all, have to be found, and half of these within this many pixels of their median."""
MOST = 12.0
"""Pixels from which on it is no sway: somebody turned the camera."""
BACK = 0.8
"""What is left of a push from one picture to the next while it cannot be told."""
CORNER = 0.02
"""Least quality of a corner, as a share of its cell's best one."""

Levels = TypeVar("Levels", Plane, npt.NDArray[np.float32])


class Sway:
    """Follows anchors of the empty scene from picture to picture, at motion scale."""

    def __init__(self) -> None:
        self._usual: Plane = np.zeros((0, 0), np.uint8)
        self._boxes: Floats = np.zeros((0, 4))
        self._last = np.zeros(2)

    def anchor(self, usual: Plane, moved: Floats | None = None) -> None:
        """Choose the corners to hold on to in the luma (h, w) of the empty scene, which was `moved` (2,) since the last
        picture."""
        corners = np.array(list(_corners(usual))).reshape(-1, 2)
        self._usual = usual.copy()
        self._boxes = np.concatenate([corners - SIDE / 2, corners + SIDE / 2], axis=1)
        if moved is not None:
            self._last = self._last - moved

    def of(self, luma: Plane) -> Floats:
        """How far (2,) right and down everything in this picture is from where it usually is; none where that cannot be
        told for long."""
        if len(self._boxes) < FEWEST:
            self._last = np.zeros(2)
            return self._last
        expected = np.repeat(self._last[None], len(self._boxes), axis=0)
        moved = loops.shifts(self._usual, luma, self._boxes, expected, (0.0, 0.0, 1.0, 1.0), REACH / SIDE, 0.7, 3)
        moved = moved[~np.isnan(moved[:, 0])]
        enough = len(moved) >= max(FEWEST, len(self._boxes) / 2)
        shift: Floats = _medians(moved) if enough else self._last
        agree = enough and float(_medians(np.abs(moved - shift).max(axis=1))) < AGREE
        if not agree or float(np.abs(shift).max()) > MOST:
            # Where it cannot be told, it is likeliest on its way back.
            shift = BACK * self._last
        self._last = shift
        return shift


def _corners(usual: Plane) -> Iterator[Floats]:
    """The best corner (2,) of each cell that has one, so far inside that it can be looked for."""
    edge = SIDE // 2 + REACH + 2
    inner = usual[edge:-edge, edge:-edge]
    for rows, top in zip(np.array_split(inner, CELLS[1], axis=0), _starts(inner.shape[0], CELLS[1]), strict=True):
        for cell, left in zip(np.array_split(rows, CELLS[0], axis=1), _starts(inner.shape[1], CELLS[0]), strict=True):
            found = cv2.goodFeaturesToTrack(cell, 1, CORNER, SIDE) if min(cell.shape) > SIDE else None
            if found is not None:
                yield np.asarray(found, np.float64).reshape(2) + np.array([left + edge, top + edge])


def _starts(length: int, parts: int) -> list[int]:
    return [int(part[0]) if len(part) else 0 for part in np.array_split(np.arange(length), parts)]


def steadied(plane: Levels, shift: Floats, into: Levels) -> Levels:
    """The plane (h, w) as it would be without the shift (2,), written `into` another."""
    x, y = shift.tolist()
    back = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(plane, back, into.shape[::-1], dst=into, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return into


def _medians(rows: Floats) -> Floats:
    """The median of each column of the rows (n, k), n at least 1; numpy's own takes ten times longer for a few."""
    rising = np.sort(rows, axis=0)
    middle: Floats = (rising[(len(rows) - 1) // 2] + rising[len(rows) // 2]) / 2
    return middle
