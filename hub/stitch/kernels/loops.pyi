"""What the loops of `loops.pyx` and `warp.c` are for; set-up compiles them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.picture import Picture

Floats = npt.NDArray[np.float32]
Words = npt.NDArray[np.int16]

VARIANTS: tuple[str, ...]
"""Ways the same code was compiled, slowest first: for any processor, for AVX2, for AVX-512 with VBMI."""
CELL_WORDS: int
ROW_WORDS: int
"""Numbers that make up a cell, and a row of one (`warp.h`)."""

class Geometry(NamedTuple):
    """A grid as the loops read it: cells (block rows, columns, `CELL_WORDS`), the rows of
    those that have their own for each (n, 8, `ROW_WORDS`), nodes x, y and gain (rows, columns + 1),
    and `Grid.steps` of all rows of blocks."""

    cells: Words
    rows: Words
    x: Floats
    y: Floats
    gain: Floats
    above: npt.NDArray[np.int32]
    down: Floats

class Edges(NamedTuple):
    """A cut as the loops read it, in the size of one kind of plane: centre and 1 / width of each row, and for each row
    of blocks where the share begins to rise and from where on it is 1."""

    centre: Floats
    slope: Floats
    low: Floats
    high: Floats

class Camera(NamedTuple):
    """A camera's geometry, planes and light: the gain of luma, and what makes blue and red difference (2, 3)."""

    luma: Geometry
    chroma: Geometry
    planes: Picture
    light: float
    tint: Floats

def can_run(variant: int) -> bool:
    """Whether this processor has what a variant, by its number, asks for."""

def stitch(
    cameras: Sequence[Camera],
    seams: Sequence[tuple[Edges, Edges]],
    into: Picture,
    variant: int,
    top: int,
    bottom: int,
    left: int,
    right: int,
) -> None:
    """Make these rows and columns of a panorama from at least one camera. Bounds are multiples of 16, or the panorama's
    own. `seams` are luma's and chroma's cuts between neighbours. Does not hold the interpreter's lock, so parts of one
    panorama may be made in several threads."""
