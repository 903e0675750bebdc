"""The geometry that all kernels share: where each camera saw the panorama, at the nodes of a coarse grid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.stitch.colour import vignette_gain
from wire.panorama import PanoramaView
from wire.rig import Array, CameraModel

Map = npt.NDArray[np.float32]

CELL = 8
"""Pixels from node to node."""
_TOLERANCE_PX = 0.02
"""By how much the middle of a cell may be off before each of its rows of pixels gets nodes of its own."""
_UNSEEN = -1e6
"""Where a node lies that its camera cannot see at all: so far out that nothing between it and another is in view."""


@dataclass(frozen=True)
class Grid:
    """Where one plane of a camera, luma or chroma, shows the panorama's plane of the same kind.

    That is the definition, not an approximation of it that each kernel makes for itself: `x` and `y` (r, c) at the
    nodes are pixels of the camera's plane, centres at .5; between nodes they are linear, first from row to row, then
    along the columns; `gain` (r, c) takes the vignette back. Nodes lie at every eighth corner of the panorama's
    pixels, column c at 8 c, `rows` (r,) from 0 to beyond the last pixel. Where eight rows are too far apart for that
    (the ground between two cameras metres apart runs away within a few rows, and at the row where `FAR_M` takes over
    the map has an edge), there are nodes in the middle of each row of pixels besides.
    """

    rows: Array
    x: Map
    y: Map
    gain: Map

    def steps(self, height: int) -> tuple[npt.NDArray[np.int32], Map]:
        """For each row of pixels the row of nodes above its middle, and how far it is on the way to the next."""
        v = np.arange(height) + 0.5
        above = np.searchsorted(self.rows, v, side="right") - 1
        down = (v - self.rows[above]) / (self.rows[above + 1] - self.rows[above])
        return above.astype(np.int32), down.astype(np.float32)

    def maps(self, left: int, right: int, height: int) -> tuple[Map, Map, Map]:
        """x, y and gain (height, right - left) in the middle of the pixels of columns [left, right)."""
        above, down = self.steps(height)
        first, last = left // CELL, -(-right // CELL)
        along = ((np.arange(CELL) + 0.5) / CELL).astype(np.float32)
        out = []
        for values in (self.x, self.y, self.gain):
            nodes = values[:, first : last + 1]
            at = nodes[above] + (nodes[above + 1] - nodes[above]) * down[:, None]
            whole = (at[:, :-1, None] + np.diff(at)[:, :, None] * along).reshape(height, -1)
            out.append(whole[:, left - first * CELL : right - first * CELL])
        return out[0], out[1], out[2]


def grid_of(camera: CameraModel, view: PanoramaView, step: int) -> Grid:
    """The grid over the whole panorama for planes smaller than luma by `step`."""
    cells_x, cells_y = (-(-size // (step * CELL)) for size in (view.width_px, view.height_px))
    columns, rows = np.arange(cells_x + 1.0) * CELL, np.arange(cells_y + 1.0) * CELL
    nodes = _seen(camera, view, columns, rows, step)
    middle = _seen(camera, view, columns, rows[:-1] + CELL / 2, step)
    above, within = (camera.sees(at.reshape(-1, 2) * step).reshape(at.shape[:2]) for at in (nodes, middle))
    seen = within | above[:-1] | above[1:]
    off = np.abs((nodes[:-1] + nodes[1:]) / 2 - middle).max(axis=2)
    fine: npt.NDArray[np.bool_] = np.where(seen, off, 0.0).max(axis=1) > _TOLERANCE_PX
    edge = view.far_px()
    if edge is not None and 0 <= edge / step < rows[-1]:
        fine[int(edge / step / CELL)] = True
    rows = np.sort(np.append(rows, (rows[:-1][fine, None] + np.arange(CELL) + 0.5).ravel()))
    nodes = _seen(camera, view, columns, rows, step)
    gain = vignette_gain(camera, nodes.reshape(-1, 2) * step).reshape(nodes.shape[:2])
    x, y = (np.ascontiguousarray(nodes[:, :, k], np.float32) for k in (0, 1))
    return Grid(rows, x, y, gain.astype(np.float32))


def _seen(camera: CameraModel, view: PanoramaView, columns: Array, rows: Array, step: int) -> Array:
    """Pixels (r, c, 2) of the camera's plane."""
    u, v = np.meshgrid(columns * step, rows * step)
    px = camera.project(view.points(np.stack([u.ravel(), v.ravel()], axis=1)))
    return np.asarray(np.nan_to_num(px / step, nan=_UNSEEN).reshape(*u.shape, 2))
