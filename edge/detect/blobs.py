"""The connected parts of a mask: what moves, piece by piece."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.detect.background import Foreground
from edge.detect.detector import Floats
from edge.detect.picture import Plane

LEAST_AREA = 2
"""Motion pixels of the smallest blob: one alone is noise."""
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Blobs:
    """Connected parts of the foreground in pixels of the main stream: `box` (n, 4), `centre` (n, 2), `area` (n,) in
    square pixels, `bright` (n,) mean levels of luma above the background."""

    box: Floats
    centre: Floats
    area: Floats
    bright: Floats

    @classmethod
    def none(cls) -> "Blobs":
        """No blob at all."""
        return cls(np.zeros((0, 4)), np.zeros((0, 2)), np.zeros(0), np.zeros(0))


class BlobFinder:
    """Finds the parts of foregrounds that hang together, corners among them, but for specks; all of one size (width,
    height)."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._stride = size[0] + 1
        # One more column on the left, so that no run goes on in the next row, and one more row at the end.
        self._framed = np.zeros((size[1] + 1, self._stride), np.uint8)
        self._flips = np.empty(self._framed.size - 1, np.bool_)

    def blobs(self, foreground: Foreground) -> Blobs:
        """The blobs of this foreground."""
        # Little of a picture moves: its rows' runs are found in a fraction of the time it takes to label every pixel.
        starts, ends = self._runs(foreground.mask)
        if not len(starts):
            return Blobs.none()
        label, count = _joined(starts, ends, self._stride)
        y, x0 = np.divmod(starts, self._stride)
        x0 -= 1
        length = ends - starts
        area: Floats = np.bincount(label, length, count).astype(np.float64)
        left, top = np.full((2, count), self._framed.size)
        right, bottom = np.zeros((2, count), np.intp)
        np.minimum.at(left, label, x0)
        np.maximum.at(right, label, x0 + length)
        np.minimum.at(top, label, y)
        np.maximum.at(bottom, label, y + 1)
        across = np.bincount(label, length * (x0 + length / 2), count) / area
        down = np.bincount(label, length * (y + 0.5), count) / area
        pixels = np.repeat(y * (self._stride - 1) + x0, length) + _within(length)
        bright = np.bincount(np.repeat(label, length), foreground.brighter(pixels), count) / area
        kept = area >= LEAST_AREA
        factor = float(foreground.factor)
        box = np.stack([left, top, right, bottom], axis=1)[kept] * factor
        return Blobs(box, np.stack([across, down], axis=1)[kept] * factor, area[kept] * factor**2, bright[kept])

    def _runs(self, mask: Plane) -> tuple[Places, Places]:
        """Starts and ends (n,) of the runs of set pixels, counted through the framed picture."""
        self._framed[:-1, 1:] = mask
        flat = self._framed.reshape(-1)
        np.not_equal(flat[1:], flat[:-1], out=self._flips)
        flips = np.flatnonzero(self._flips) + 1
        return flips[::2], flips[1::2]


def _joined(starts: Places, ends: Places, stride: int) -> tuple[Places, int]:
    """Which part (n,) each of these runs belongs to, counted from 0; and how many there are."""
    # The runs of the row before that touch a run, be it by a corner, follow each other.
    first, last = np.searchsorted(ends, starts - stride), np.searchsorted(starts, ends - stride, side="right")
    itself = np.arange(len(starts))
    root = np.where(last > first, first, itself)
    while ((above := root[root]) != root).any():
        root = above
    # Few runs touch several: only these join what began apart.
    higher = itself.copy()
    for run in np.flatnonzero(last - first > 1).tolist():
        ends_of = [_top(higher, int(root[other])) for other in range(first[run], last[run])]
        highest = min(ends_of)
        for one in ends_of:
            higher[one] = highest
    while ((above := higher[higher]) != higher).any():
        higher = above
    root = higher[root]
    is_root = root == itself
    return (np.cumsum(is_root) - 1)[root], int(is_root.sum())


def _top(higher: Places, root: int) -> int:
    while (above := int(higher[root])) != root:
        root = above
    return root


def _within(length: Places) -> Places:
    """0, 1, 2 … anew for each of the lengths."""
    ends = np.cumsum(length)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - length, length)
