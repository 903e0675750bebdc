"""Where one camera hands over to its neighbour."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.stitch.grid import CELL, Grid
from wire.panorama import PanoramaView
from wire.pitch import Pitch
from wire.rig import Array, CameraModel

FEATHER_RAD = 0.11
"""Width of the blend where nothing narrows it: some 190 pixels in a panorama of 4000."""
_HARD_PX = 1.0
"""Width of a cut where cameras do not overlap."""
_MARGIN_PX = 3.0
"""Pixels at a picture's edge that no cut relies on."""
_GOAL_COST, _AREA_COST = 100.0, 50.0
"""How many pixels of depth inside both pictures it is worth to keep a cut off a goal or a penalty area."""


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

    def share(self, columns: npt.NDArray[np.intp], rows: slice = slice(None)) -> npt.NDArray[np.float32]:
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


def seam_between(
    left: tuple[CameraModel, Grid], right: tuple[CameraModel, Grid], view: PanoramaView, pitch: Pitch
) -> Seam:
    """The seam between two neighbours."""
    depths = [_depth(camera, grid) for camera, grid in (left, right)]
    rows = np.arange(len(depths[0])) * float(CELL)
    both = np.minimum(*depths)
    low, high = _ends(both - _MARGIN_PX)
    # Where they do not overlap the hand-over lies between the last column of the one and the first of the other.
    gap = np.where(
        np.isnan(last := _ends(depths[0])[1]),
        first := _ends(depths[1])[0],
        np.where(np.isnan(first), last, (last + first) / 2),
    )
    column = _best_column(both, view, pitch)
    known = ~np.isnan(gap)
    gap = np.interp(rows, rows[known], gap[known]) if known.any() else np.full(len(rows), column)
    none = np.isnan(low)
    v = np.arange(view.height_px) + 0.5
    low, high = (np.interp(v, rows, np.where(none, gap, end)) for end in (low, high))
    # On the way to a row of nodes without an overlap nobody knows where it ends.
    apart = np.interp(v, rows, none.astype(float)) > 0
    middle = (low + high) / 2
    return Seam(np.where(apart, middle, low), np.where(apart, middle, high), column, FEATHER_RAD * view.focal_px)


def _depth(camera: CameraModel, grid: Grid) -> Array:
    """How many pixels inside its picture a camera sees the nodes of every eighth row; negative outside."""
    x, y = (values[grid.rows % CELL == 0] for values in (grid.x, grid.y))
    return np.asarray(np.minimum.reduce([x, y, camera.width_px - x, camera.height_px - y]), np.float64)


def _ends(depth: Array) -> tuple[Array, Array]:
    """The first and last column of each row of nodes at which `depth` is above 0, NaN where it is nowhere."""
    inside = depth > 0
    some = inside.any(axis=1)
    out = []
    for order in (1, -1):
        d = depth[:, ::order]
        at = inside[:, ::order].argmax(axis=1)
        row = np.arange(len(d))
        before = np.maximum(at - 1, 0)
        rise = d[row, at] - d[row, before]
        back = np.where(at > 0, d[row, at] / np.where(rise > 0, rise, np.inf), 0.0)
        column = (at - np.minimum(back, 1.0)) * CELL
        out.append(np.where(some, column if order > 0 else (d.shape[1] - 1) * CELL - column, np.nan))
    return out[0], out[1]


def _best_column(both: Array, view: PanoramaView, pitch: Pitch) -> float:
    """The column of nodes that lies deepest inside both pictures over the height, off goals and penalty areas."""
    columns = np.arange(both.shape[1]) * float(CELL)
    reach = FEATHER_RAD * view.focal_px
    cost = np.zeros(len(columns))
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
    return float(columns[int((both.clip(-200, 200).mean(axis=0) - cost).argmax())])
