"""What the loops of `loops.pyx` are for; set-up compiles them. Masks and planes are (h, w) and C-contiguous."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Plane = npt.NDArray[np.uint8]
Float32s = npt.NDArray[np.float32]

def differs(
    luma: Plane,
    blue: Plane,
    red: Plane,
    darkest: Plane,
    brightest: Plane,
    usual_blue: Plane,
    usual_red: Plane,
    most: int,
    mask: Plane,
) -> None:
    """255 in the mask where luma lies outside its bounds, or both chromas are off by more than `most` together; else
    0."""

def blend(plane: Plane, mean: Float32s, shown: Plane, spared: Plane, share: float, share_if_spared: float) -> None:
    """Take such a share of the plane into its running `mean`, and round that into `shown`."""

def brighter(now: Plane, before: Plane, columns: int, rows: int) -> Float32s:
    """How many times brighter each cell (rows, columns) of a picture is than it was `before`."""

def fewer_rows(plane: Plane, into: Plane) -> None:
    """Write into fewer rows of the same width what the plane shows in theirs, each row by its share; raises
    `ValueError` where there are not fewer, or the width is another."""

def cells_above(scores: Float32s, bins: Float32s, floors: tuple[float, float], stride: int) -> Floats:
    """Boxes, score and kind (n, 6) of all cells of a NanoDet's map whose score of either kind (2, h, w) is above its
    floor, kind by kind and row by row. How far each box reaches left, up, right and down of its cell's middle is the
    mean of bins (4 times so many, h, w) that tell their logarithmic weights, in `stride` pixels."""

def best_window(
    need: Floats,
    ball_need: Floats,
    sees: Floats,
    sees_ball: Floats,
    shapes: npt.NDArray[np.int64],
    row: int,
    column: int,
    well: float,
) -> tuple[int, int, int]:
    """Which of the `shapes` (k, 3: scale's number, rows, columns) meets most of the needs (h, w), laid where: its
    number, its first row and column. How well each scale sees persons and the ball in each row is said by `sees` and
    `sees_ball` (scales, h). With a cell given, not -1, only windows count that see it `well`."""

def shifts(
    before: Plane,
    now: Plane,
    boxes: Floats,
    expected: Floats,
    trunk: tuple[float, float, float, float],
    reach_share: float,
    alike: float,
    least_side: int,
) -> Floats:
    """How far (n, 2) the `trunk` (shares of the width and height) of what filled the `boxes` (n, 4) in the picture
    `before` has moved in `now`, by the place within `reach_share` heights of the `expected` shift (n, 2) that is most
    alike; NaN for what is less than `alike`, most so at the search's edge, or smaller than `least_side` pixels."""
