"""A grid's cells in the few bits that the compiled loops reckon in."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hub.stitch.grid import CELL, Grid, Map
from hub.stitch.kernels.loops import CELL_WORDS, ROW_WORDS, Geometry
from wire.rig import Array

# As in `warp.h`.
_DARK, _EDGE, _WIDE_ROWS, _ROW_BY_ROW, _ONE_TABLE, _TWO_TABLES, _WHOLE_TABLE = range(7)
_X, _Y, _KIND, _PLACE_X, _PLACE_Y, _GAIN = 0, 1, 2, 4, 8, 12
_ROW_ORDER = np.array([0, 1, 2, 3, 7, 6, 5, 4])
_PATCH = 16
"""Rows and columns of a camera's picture that a block may come from at once."""
_WIDE = 32
"""Columns that a row of a block may come from."""
_SLACK_PX = 0.02
"""Places are rounded a little on the way: so far from an edge they are surely on its right side."""


def geometry_of(grid: Grid, width: int, height: int) -> Geometry:
    """The grid for a camera's plane of that size, with how each of its cells can be done."""
    whole_rows = np.flatnonzero(grid.rows % CELL == 0)
    above, down = grid.steps((len(whole_rows) - 1) * CELL)
    row_x, row_y = (_row_bounds(nodes - np.float32(0.5), above, down) for nodes in (grid.x, grid.y))
    left, top = (_by_cell(bounds[0]).min(axis=1) for bounds in (row_x, row_y))
    right, bottom = (_by_cell(bounds[1]).max(axis=1) for bounds in (row_x, row_y))
    origin_x, origin_y = _origin(left, width), _origin(top, height)
    # In rows of the patch: which the upper half of each block needs, and which the lower.
    low, high = (_by_cell(bound - np.repeat(origin_y, CELL, axis=0)) for bound in row_y)
    tables = (right - origin_x < _PATCH - 1 - _SLACK_PX) & (np.diff(whole_rows) == 1)[:, None]
    narrow, wide = (
        _by_cell(row_x[1] - _origin(row_x[0], width, reach)).max(axis=1) < reach - 1 - _SLACK_PX
        for reach in (_PATCH, _WIDE)
    )
    level = _by_cell(row_y[1] - row_y[0]).max(axis=1) < _WIDE - CELL
    half = CELL // 2
    two = (high[:, :half].max(axis=1) < 7 - _SLACK_PX) & (low[:, half:].min(axis=1) > 4 + _SLACK_PX)
    two &= high[:, half:].max(axis=1) < 11 - _SLACK_PX
    kind = np.select(
        [
            (right <= -1) | (bottom <= -1) | (left >= width) | (top >= height),
            (left < _SLACK_PX) | (right > width - 1 - _SLACK_PX),
            (top < _SLACK_PX) | (bottom > height - 1 - _SLACK_PX),
            np.full(left.shape, min(width, height) < _PATCH),
            tables & (bottom - origin_y < 7 - _SLACK_PX),
            tables & two,
            tables & (bottom - origin_y < _PATCH - 1 - _SLACK_PX),
            level & narrow,
            level & wide & (width >= _WIDE),
        ],
        [_DARK, _EDGE, _EDGE, _EDGE, _ONE_TABLE, _TWO_TABLES, _WHOLE_TABLE, _ROW_BY_ROW, _WIDE_ROWS],
        _EDGE,
    )
    nodes = [values[whole_rows].astype(np.float64) for values in (grid.x, grid.y, grid.gain)]
    cells = np.zeros((*left.shape, CELL_WORDS), np.float64)
    cells[:, :, _X], cells[:, :, _Y] = origin_x, origin_y
    cells[:, :, _PLACE_X:_PLACE_Y] = _place(nodes[0] - 0.5, origin_x)
    cells[:, :, _PLACE_Y:_GAIN] = _place(nodes[1] - 0.5, origin_y)
    cells[:, :, _GAIN : _GAIN + 3] = np.stack(_bilinear(nodes[2])[:3], axis=2) * (16384, 65536, 65536)
    cells[kind < _ONE_TABLE] = 0
    cells[:, :, _KIND] = kind
    row, column = np.nonzero((kind == _ROW_BY_ROW) | (kind == _WIDE_ROWS))
    count = np.arange(len(row))
    cells[row, column, _X], cells[row, column, _Y] = count % 32768, count // 32768
    reach = np.where(np.repeat(kind == _WIDE_ROWS, CELL, axis=0), _WIDE, _PATCH)
    return Geometry(
        np.rint(cells).astype(np.int16),
        _rows(grid, row, column, (_origin(row_x[0], width, reach), _origin(row_y[0], height))),
        grid.x,
        grid.y,
        grid.gain,
        above,
        down,
    )


def _rows(
    grid: Grid, row: npt.NDArray[np.intp], column: npt.NDArray[np.intp], origins: tuple[Array, Array]
) -> npt.NDArray[np.int16]:
    """What the loops need of each row of some cells; origins are those of all rows of pixels."""
    above, down = grid.steps(len(origins[0]))
    row, column = np.broadcast_arrays(row[:, None] * CELL + _ROW_ORDER, column[:, None])
    words = np.zeros((len(row), CELL, ROW_WORDS), np.float64)
    x, y = (origin[row, column] for origin in origins)
    words[:, :, 0], words[:, :, 1] = x, y
    for nth, values, origin, scales in (
        (2, grid.x, x + 0.5, (1024, 4096)),
        (4, grid.y, y + 0.5, (1024, 4096)),
        (6, grid.gain, 0.0, (16384, 65536)),
    ):
        first, last = (_down(values, above[row], down[row], column + k) for k in (0, 1))
        words[:, :, nth] = ((first + last) / 2 - origin) * scales[0]
        words[:, :, nth + 1] = (last - first) / CELL * scales[1]
    return np.rint(words).astype(np.int16)


def _down(nodes: Map, above: npt.NDArray[np.int32], down: Map, column: npt.NDArray[np.intp]) -> Array:
    """Values in a column of nodes, so far down between two rows of them."""
    at = nodes[above, column].astype(np.float64)
    return at + (nodes[above + 1, column] - at) * down


def _row_bounds(
    nodes: npt.NDArray[np.float32], above: npt.NDArray[np.int32], down: npt.NDArray[np.float32]
) -> tuple[Array, Array]:
    """The least and the most (h, c) at the pixels of each row of pixels in each cell."""
    at = nodes[above].astype(np.float64)
    at += (nodes[above + 1] - at) * down[:, None]
    half = np.diff(at) / (2 * CELL)
    first, last = at[:, :-1] + half, at[:, 1:] - half
    return np.minimum(first, last), np.maximum(first, last)


def _by_cell(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values (h, c) of rows of pixels as (block rows, 8, c)."""
    return rows.reshape(-1, CELL, rows.shape[1])


def _origin(low: Array, size: int, reach: int | npt.NDArray[np.int_] = _PATCH) -> Array:
    """Where so many pixels begin that are to reach down to `low` and to end within the plane."""
    return np.clip(np.floor(low - _SLACK_PX), 0, np.maximum(size - reach, 0))


def _bilinear(nodes: Array) -> tuple[Array, Array, Array, Array]:
    """Of each cell the value in its middle, its steps from pixel to pixel and from row to row, and its twist."""
    a, b, c, d = nodes[:-1, :-1], nodes[:-1, 1:], nodes[1:, :-1], nodes[1:, 1:]
    return (a + b + c + d) / 4, (b + d - a - c) / (2 * CELL), (c + d - a - b) / (2 * CELL), (a + d - b - c) / CELL**2


def _place(nodes: Array, origin: Array) -> Array:
    middle, along, across, twist = _bilinear(nodes)
    return np.stack([middle - origin, along, across, twist], axis=2) * (1024, 4096, 4096, 16384)
