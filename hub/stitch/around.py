"""Moving a cut out of the way of whoever stands on it, so that a player who crosses it is whole and single.

A camera's picture of a person stands in the panorama where its rays meet the plane of agreement: from cameras metres
apart it leans one way in the one and the other way in the other, from the same feet. A cut that passes either picture,
or between the two, would halve, double or lose that person.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hub.stitch.seams import Cut, Seam
from wire.panorama import FAR_M, PanoramaView
from wire.rig import Array, CameraModel

_ROWS = 8
_COLUMNS = 8
"""A path is looked for on every eighth row and column."""
_CLEAR_PX = 10.0
"""Left between a person's box and the cut."""
_SAME_FEET_M = 1.5
"""Two cameras' people whose feet are no further apart are one."""
_THROUGH = 1000.0
"""Cost of a step through a person, in columns away from where the cut lies best."""
_BEND = 2.0
_NARROWEST_PX = 8.0


def outlines(camera: CameraModel, view: PanoramaView, boxes: Array) -> Array:
    """Where boxes (n, 4) x0, y0, x1, y1 of a camera's picture appear in the panorama: their corners (n, 4, 2) in
    pixels, from the left foot round by the head."""
    corners = boxes[:, [[0, 3], [0, 1], [2, 1], [2, 3]]].reshape(-1, 2)
    rays = camera.rays(corners)
    with np.errstate(divide="ignore"):
        reach = np.where(rays[:, 2] < 0, (camera.position_m[2] - view.height_m) / -rays[:, 2], np.inf)
    reach = np.minimum(reach, FAR_M / np.hypot(rays[:, 0], rays[:, 1]))
    return view.project(camera.centre + rays * reach[:, None]).reshape(-1, 4, 2)


def closed_to_cuts(view: PanoramaView, seen: Sequence[tuple[CameraModel, Array]]) -> Array:
    """Stretches (n, 3) of row, first and last column of the panorama that no cut may pass, at every eighth row, for
    what two neighbours see of people: each camera with its boxes (n, 4)."""
    people: list[list[Array]] = []
    feet: list[Array] = []
    for camera, boxes in seen:
        if not len(boxes):
            continue
        places = camera.to_plane(np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1))
        for place, outline in zip(places, outlines(camera, view, boxes), strict=True):
            gaps = [np.hypot(*(place - other)) for other in feet]
            near = int(np.argmin(gaps)) if gaps and np.nanmin([*gaps, np.inf]) < _SAME_FEET_M else None
            if near is None:
                people.append([outline])
                feet.append(place)
            else:
                people[near].append(outline)
    rows = [_stretches(outlined, view.height_px) for outlined in people]
    return np.concatenate(rows) if rows else np.zeros((0, 3))


def _stretches(outlined: Sequence[Array], height: int) -> Array:
    """Row, first and last column (n, 3) of what one person's outlines cover together."""
    at = np.arange(_ROWS / 2, height, _ROWS)
    first, last = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    for corners in outlined:
        top, bottom = corners[:, 1].min() - _ROWS, corners[:, 1].max() + _ROWS
        inside = (at >= top) & (at <= bottom)
        for low, high in ((0, 1), (3, 2)):
            a, b = corners[low], corners[high]
            part = np.clip((at - a[1]) / ((b[1] - a[1]) or 1e-9), 0, 1)
            edge = a[0] + part * (b[0] - a[0])
            first[inside] = np.minimum(first, edge)[inside]
            last[inside] = np.maximum(last, edge)[inside]
    there = np.isfinite(first)
    return np.stack([at[there], first[there], last[there]], axis=1)


def cut_around(seam: Seam, closed: Array, before: Cut) -> Cut:
    """The cut to use while people are in the closed stretches (n, 3) of `closed_to_cuts`: that of `before` as long as
    it passes nobody, else the path nearest to where the seam lies best (dynamic programming from the top row down)."""
    height = len(seam.low)
    at = np.arange(_ROWS / 2, height, _ROWS)
    row = at.astype(np.intp)
    if _passes_nobody(before.centre[row], at, closed):
        return before
    columns = np.arange(seam.low.min(), seam.high.max() + _COLUMNS, _COLUMNS)
    cost = np.abs(columns - seam.column)[None] * np.ones((len(at), 1)) / _COLUMNS
    for y, first, last in closed:
        k = int(y // _ROWS)
        cost[k] += _THROUGH * ((columns > first - _CLEAR_PX) & (columns < last + _CLEAR_PX))
    outside = (columns < seam.low[row, None] - _COLUMNS) | (columns > seam.high[row, None] + _COLUMNS)
    # Where the cameras do not overlap the cut has no choice.
    cost = np.where(outside & ~outside.all(axis=1, keepdims=True), np.inf, cost)
    centre = np.interp(np.arange(height) + 0.5, at, columns[_cheapest(cost)])
    width = _room(seam, centre, at, closed)
    return Cut(seam.cut(centre, 0.0).centre, np.maximum(np.minimum(width, seam.cut(centre).width), 1.0))


def _passes_nobody(centre: Array, at: Array, closed: Array) -> bool:
    if not len(closed):
        return True
    here = np.interp(closed[:, 0], at, centre)
    return not bool(((here > closed[:, 1]) & (here < closed[:, 2])).any())


def _cheapest(cost: Array) -> npt.NDArray[np.intp]:
    """For each row (n, c) the column of the cheapest way from top to bottom; a column to the side costs `_BEND`."""
    count = cost.shape[1]
    total = cost[0].copy()
    came = np.zeros(cost.shape, np.intp)
    for k in range(1, len(cost)):
        best, origin = total.copy(), np.arange(count)
        # A distance transform of the costs so far, forth and back (Felzenszwalb and Huttenlocher 2012, L1).
        for order in (range(1, count), range(count - 2, -1, -1)):
            for c in order:
                beside = c - 1 if order.step > 0 else c + 1
                if best[beside] + _BEND < best[c]:
                    best[c], origin[c] = best[beside] + _BEND, origin[beside]
        came[k] = origin
        total = best + cost[k]
    path = np.zeros(len(cost), np.intp)
    path[-1] = int(np.argmin(total))
    for k in range(len(cost) - 1, 0, -1):
        path[k - 1] = came[k][path[k]]
    return path


def _room(seam: Seam, centre: Array, at: Array, closed: Array) -> Array:
    """The width (h,) of the blend that reaches nobody, at least `_NARROWEST_PX`."""
    room = np.full(len(at), seam.feather)
    for y, first, last in closed:
        k = int(y // _ROWS)
        here = float(np.interp(y, np.arange(len(centre)) + 0.5, centre))
        gap = max(first - here, here - last, 0.0)
        room[max(k - 1, 0) : k + 2] = np.minimum(room[max(k - 1, 0) : k + 2], 2 * gap)
    return np.asarray(np.maximum(np.interp(np.arange(len(centre)) + 0.5, at, room), _NARROWEST_PX))
