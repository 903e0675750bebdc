"""The connected parts of a mask: what moves, piece by piece."""

from dataclasses import dataclass

import numpy as np

from edge.detect.background import Foreground
from edge.detect.blob_loops import find_runs, join, measured
from edge.detect.detector import Floats

LEAST_AREA = 2
"""Motion pixels of the smallest blob: one alone is noise."""


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
        # Row, first column and the one after the last: a picture has no more runs of set pixels than this.
        self._runs = np.empty((size[1] * ((size[0] + 1) // 2), 3), np.int32)
        self._part = np.empty(len(self._runs), np.int32)

    def blobs(self, foreground: Foreground, most: float = 1.0) -> Blobs | None:
        """The blobs of this foreground; None where it covers more than this share of the picture."""
        factor = foreground.factor
        found = find_runs(foreground.mask, self._runs, int(most * foreground.mask.size))
        if found < 0:
            return None
        runs = self._runs[:found]
        part = self._part[: len(runs)]
        count = join(runs, part)
        columns = measured(runs, part, count, foreground.luma, foreground.behind)
        box, centre, area, bright = columns[:, :4], columns[:, 4:6], columns[:, 6], columns[:, 7]
        kept = area >= LEAST_AREA
        return Blobs(box[kept] * factor, centre[kept] * factor, area[kept] * factor**2, bright[kept])
