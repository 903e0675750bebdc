"""What the loops of `row_loops.pyx` are for; set-up compiles them."""

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats

Frames = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

def averaged(
    order: Rows, number: Frames, frame: Frames, place: Floats, variance: Floats, size: Floats, score: Floats
) -> tuple[Frames, Frames, Floats, Floats, Floats, Floats]:
    """The columns (n,) of `edge.track.rows.Series` in this `order` (n,), rows that follow each other with the same
    number and frame made one (m,): the mean of their places by their variances, the last one's size and score."""

def since(
    number: Frames,
    frame: Frames,
    place: Floats,
    variance: Floats,
    size: Floats,
    score: Floats,
    asked: Frames,
    stiffness: Floats,
    first: int,
    before: int,
    most_apart: int,
) -> tuple[Rows, Frames, Floats, Floats, Floats]:
    """Of `edge.track.rows.Series` (n,): how many rows (k,) each of the numbers `asked` (k,) has from the frame `first`
    on, and one after the other their frames (m,), smoothed places (m, 2), sizes (m, 2) and scores (m,).

    There is one in each frame in which it was measured, and between two of those that are at most so many frames apart.
    A path has a place in every frame from the first measured one on that is at most so many frames `before`; those
    measured pull to their `place` by one over its `variance`, and each second difference weighs `stiffness` (k,): a
    system of five diagonals, solved by L D Lᵀ. Fewer than three are joined straight, as sizes and scores are.
    """

def medians(values: Floats, count: Rows) -> Floats:
    """The median of each column of the `values` (n, k), for the first so many rows, the next so many, and so on (g, k);
    `count` (g,) is 1 at least."""
