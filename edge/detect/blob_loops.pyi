"""What the loops of `blob_loops.pyx` are for; set-up compiles them. Masks and planes are (h, w) and C-contiguous."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Plane = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

def find_runs(mask: Plane, runs: Int32s, most: int) -> int:
    """Write down the runs of set pixels (n, 3) row by row: row, first column, the one after the last; how many there
    are. -1 as soon as more than so many pixels are set."""

def join(runs: Int32s, part: Int32s) -> int:
    """Write down which part each run (n, 3) belongs to, counted from 0 in the order of first runs; how many there are.
    Runs that touch, be it by a corner, belong together."""

def measured(runs: Int32s, part: Int32s, count: int, luma: Plane, behind: Plane) -> Floats:
    """Box, centre, area and mean brightness above what lies `behind` (count, 8) of each part, in pixels of the mask."""

def shared(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m)."""

def apart(box: Floats, score: Floats, limit: float, kind: Int64s | None = None) -> Rows:
    """Rows of boxes (n, 4) without those that share more than `limit` (intersection over union) with one of a higher
    score (n,) that is left, and of the same `kind` (n,) where that is given: strongest first."""

def whole_ones(
    box: Floats,
    region: tuple[float, float, float, float],
    picture: tuple[float, float],
    look: tuple[float, float],
    edge: float,
) -> tuple[Rows, Floats]:
    """Of the boxes (n, 4) found in a look of this width and height at a `region` x0, y0, x1, y1 of a `picture` of that
    width and height: the rows (m,), and the boxes (m, 4) in the picture, of those that do not come within `edge` px of
    an edge of the region which is not the picture's own."""

def upright(box: Floats, area: Floats, tall: Floats, least: float, most: float) -> Flags:
    """Which blobs (n,) are as high as a person there is `tall`, from `least` to `most` times that, and not broad."""

def round_ones(
    box: Floats,
    centre: Floats,
    area: Floats,
    bright: Floats,
    line: tuple[float, float, float],
    least: float,
    most: float,
    flight: float,
    pixel: float,
    reach: float,
    swarm: int,
    limit: int,
) -> Rows:
    """Rows of at most so many blobs that may be a ball, brightest first.

    As shares of a person's height (`edge.detect.stature.Stature.line`) one is at least `least` large, and at most
    `most` of somebody's who stands `flight` px further down; a `pixel` of the mask is as large as this. Within a
    person's height of it, or `reach`, there are no more than `swarm` blobs, itself among them.
    """
