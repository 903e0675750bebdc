"""Where one camera hands over to its neighbour."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.stitch.grid import CELL, Grid
from wire.panorama import PanoramaView
from wire.pitch import Pitch
from wire.rig import Array, CameraModel

Seen = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

FEATHER_RAD = 0.11
"""Width of the blend where nothing narrows it: some 190 pixels in a panorama of 4000."""
_HARD_PX = 1.0
"""Width of a cut where cameras do not overlap."""
_MARGIN_PX = 3.0
"""Pixels at a picture's edge that no cut relies on."""
_GOAL_COST, _AREA_COST, _STRAIN_COST = 100.0, 50.0, 2.0
"""How many pixels of depth inside both pictures it is worth to keep a cut off a goal or a penalty area, or to show one
column over the whole height by the camera whose picture is not drawn out there."""


class Cut(NamedTuple):
    """Where the left camera hands over to the right one: for each row of the panorama the column, and over how many
    columns, both (h,) in pixels. At pixel centre x the right camera's share is (x - centre) / width + 1/2, within 0
    to 1; a width below 1 counts as 1."""

    centre: Array
    width: Array

    def halved(self) -> "Cut":
        """The same cut for planes of half the size: each of their rows lies between two."""
        pairs = [np.append(values, values[-1:]) if len(values) % 2 else values for values in self]
        centre, width = ((p[::2] + p[1::2]) / 4 for p in pairs)
        return Cut(centre, width)

    def share(self, columns: Places, rows: slice = slice(None)) -> npt.NDArray[np.float32]:
        """The right camera's share (h, n) at whole columns (n,)."""
        centre, width = self.centre[rows, None], np.maximum(self.width[rows, None], _HARD_PX)
        return np.clip((columns + 0.5 - centre) / width + 0.5, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Seam:
    """Between which columns [low, high] (h,) a cut may lie, for each row: both cameras see what is there. Where they
    do not overlap the two are equal. `column` and `feather` are where it hurts least by itself."""

    low: Array
    high: Array
    column: float
    feather: float

    def cut(self, centre: npt.ArrayLike, feather: float | None = None) -> Cut:
        """The cut nearest to the wished centre, one or (h,), that stays where both cameras see, feather and all."""
        room = self.high - self.low
        width = np.minimum(self.feather if feather is None else feather, room)
        at = np.clip(centre, self.low + width / 2, self.high - width / 2)
        return Cut(np.asarray(at), np.maximum(width, _HARD_PX))

    @cached_property
    def default(self) -> Cut:
        """The cut that lies there all the time unless somebody moves it."""
        return self.cut(self.column)


def seams_between(cameras: Sequence[tuple[CameraModel, Grid]], view: PanoramaView, pitch: Pitch) -> tuple[Seam, ...]:
    """The seams between neighbours, from the left, for cameras that make a panorama together."""
    if len(cameras) < 2:
        return ()
    depths = [_depth(camera, grid, view.height_px) for camera, grid in cameras]
    overlaps = [np.minimum(left, right) for left, right in pairwise(depths)]
    columns = [
        _best_column(both[::CELL], _strain(left) - _strain(right), view, pitch)
        for both, ((_, left), (_, right)) in zip(overlaps, pairwise(cameras), strict=True)
    ]
    heres = _least_loss([depth > 0 for depth in depths], [both > _MARGIN_PX for both in overlaps], columns)
    out = []
    for (left, right), both, column, here in zip(pairwise(depths), overlaps, columns, heres, strict=True):
        low, high = _run(both - _MARGIN_PX, here)
        hard = _edge(left, right, here)
        alone = np.isnan(low)
        out.append(Seam(np.where(alone, hard, low), np.where(alone, hard, high), column, FEATHER_RAD * view.focal_px))
    return tuple(out)


def _depth(camera: CameraModel, grid: Grid, height: int) -> Array:
    """How many pixels inside its picture (h, c) a camera sees the middle of each row, at the columns of nodes; negative
    outside."""
    above, down = grid.steps(height)
    x, y = ((1 - down[:, None]) * nodes[above] + down[:, None] * nodes[above + 1] for nodes in (grid.x, grid.y))
    return np.asarray(np.minimum.reduce([x, y, camera.width_px - x, camera.height_px - y]), np.float64)


def _strain(grid: Grid) -> Array:
    """By how much the camera's picture is drawn out in one direction more than across it, as a logarithm, at every
    eighth row and column."""
    x, y = (nodes[grid.rows % CELL == 0].astype(np.float64) for nodes in (grid.x, grid.y))
    (down_x, along_x), (down_y, along_y) = np.gradient(x), np.gradient(y)
    area = np.abs(along_x * down_y - down_x * along_y)
    both = (along_x**2 + along_y**2 + down_x**2 + down_y**2) / 2
    return np.asarray(np.arccosh(np.clip(both / np.maximum(area, 1e-9), 1.0, 1e3)))


def _least_loss(seen: Sequence[Seen], well: Sequence[Seen], columns: Sequence[float]) -> list[Places]:
    """For each row and pair of neighbours how many of the row's nodes lie left of their cut, so that the fewest are
    lost that any camera sees: what the one of a pair shows beyond the other's picture may be a third one's to show. Of
    several such places the nearest to the pair's column, best where both see well.

    `seen` (h, c) is each camera's, `well` each pair's.
    """
    ends = np.arange(seen[0].shape[1] + 1)
    shown = [np.pad(np.cumsum(one, axis=1), ((0, 0), (1, 0))) for one in seen]
    fine = [np.pad(one, ((0, 0), (0, 1)), "edge") for one in well]
    best, values = shown[0].astype(np.float64), []
    for there, column, after in zip(fine, columns, shown[1:], strict=True):
        # Never worth a node, whatever the pairs' come to.
        far = (np.where(there, 0.0, ends[-1]) + np.abs(ends - column / CELL)) / (4 * len(ends) * len(well))
        values.append(best - after - far)
        best = np.maximum.accumulate(values[-1], axis=1) + after
    row = np.arange(len(best))
    bounds = [np.zeros(len(best), np.intp), np.full(len(best), ends[-1], np.intp)]
    for value in reversed(values):
        bounds.insert(1, np.where(ends <= bounds[1][:, None], value, -np.inf).argmax(axis=1))
    for k, there in enumerate(fine, 1):
        # Between what the one sees and what the other sees, away from both.
        gain: Places = shown[k - 1] - shown[k]
        alike = (ends >= bounds[k - 1][:, None]) & (ends <= bounds[k + 1][:, None])
        first, last = _stretch(alike & (gain == gain[row, bounds[k]][:, None]), bounds[k])
        bounds[k] = np.where(there[row, bounds[k]], bounds[k], (first + last) // 2)
    return bounds[1:-1]


def _stretch(mask: Seen, here: Places) -> tuple[Places, Places]:
    """The first and the last place of each row up to which `mask` (h, n) holds without a gap, from a place on where it
    does."""
    row, count = np.arange(len(mask)), mask.shape[1]
    places = np.arange(count)
    before = np.maximum.accumulate(np.where(mask, -1, places), axis=1)[row, here]
    after = np.minimum.accumulate(np.where(mask, count, places)[:, ::-1], axis=1)[:, ::-1][row, here]
    return before + 1, after - 1


def _run(depth: Array, here: Places) -> tuple[Array, Array]:
    """The columns between which `depth` (h, c) stays above 0 on either side of a node; NaN where it is not there."""
    row, last = np.arange(len(depth)), depth.shape[1] - 1
    node = np.minimum(here, last)
    node = np.where(depth[row, node] > 0, node, np.maximum(here - 1, 0))
    first, end = (np.clip(place, 0, last) for place in _stretch(depth > 0, node))
    low = _crossing(depth, np.maximum(first - 1, 0), first)
    high = _crossing(depth, np.minimum(end + 1, last), end)
    there = depth[row, node] > 0
    return np.where(there, low, np.nan), np.where(there, high, np.nan)


def _edge(left: Array, right: Array, here: Places) -> Array:
    """The column at which the left camera's picture ends, or the right one's begins, on the way to a node from the one
    before; its own where neither is so."""
    row, last = np.arange(len(left)), left.shape[1] - 1
    before, node = np.maximum(here - 1, 0), np.minimum(here, last)
    ends = (left[row, before] > 0) & (left[row, node] <= 0)
    begins = (right[row, node] > 0) & (right[row, before] <= 0)
    return np.select(
        [ends, begins], [_crossing(left, node, before), _crossing(right, before, node)], here * float(CELL)
    )


def _crossing(depth: Array, outside: Places, inside: Places) -> Array:
    """The column of each row where `depth` passes 0 between two nodes, one without and one within; that of the latter
    where they are the same."""
    row = np.arange(len(depth))
    there, beyond = depth[row, inside], depth[row, outside]
    part = there / np.where(there > beyond, there - beyond, np.inf)
    return np.asarray((inside + (outside - inside) * np.clip(part, 0, 1)) * CELL)


def _best_column(both: Array, strain: Array, view: PanoramaView, pitch: Pitch) -> float:
    """The column of nodes that lies deepest inside both pictures over the height, off goals and penalty areas; `strain`
    is by how much more the left camera's picture is drawn out than the right one's, where both see."""
    columns = np.arange(both.shape[1]) * float(CELL)
    reach = FEATHER_RAD * view.focal_px
    # What the left camera shows up to a column, the right one might have shown.
    cost = np.cumsum(np.where(both > 0, strain[: len(both)], 0.0).mean(axis=0)) * CELL * _STRAIN_COST
    half, depth = pitch.form.penalty_area_width / 2, pitch.form.penalty_area_depth
    for side in (-1, 1):
        goal = side * pitch.half_length
        for corners, most in (
            ([[goal, 0.0, 1.0]], _GOAL_COST),
            ([[goal - side * d, y, 0.0] for d in (0.0, depth) for y in (-half, half)], _AREA_COST),
        ):
            at = view.project(corners)[:, 0]
            far = np.maximum(np.maximum(at.min() - columns, columns - at.max()), 0)
            cost += most * np.clip(1 - far / reach, 0, 1)
    seen = (both > 0).any(axis=0)
    cost[~seen & seen.any()] = np.inf
    return float(columns[int((both.clip(-200, 200).mean(axis=0) - cost).argmax())])
