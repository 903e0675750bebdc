"""Moving a cut out of the way of whoever stands on it, so that a player who crosses it is whole and single.

A camera's picture of a person stands in the panorama where its rays meet the plane of agreement: from cameras metres
apart it leans one way in the one and the other way in the other, from the same feet. A cut that passes either picture,
or between the two, would halve, double or lose that person.
"""

from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from hub.stitch.seams import Cut, Seam, Seen
from wire.panorama import FAR_M, PanoramaView
from wire.pitch import Pitch
from wire.rig import Array, CameraModel

T = TypeVar("T")
Pair = tuple[T, T]
"""What belongs to the left and the right one of two neighbours."""

_ROWS = 8
_COLUMNS = 8
"""A path is looked for on every eighth row and column."""
_CLEAR_PX = 10.0
"""Left between a person's box and the cut."""
_SINGLE_PX = 1.5
"""Two pictures of a person that lie no further apart in the panorama are one to the eye."""
_HEIGHTS_M = (0.6, 2.4)
_BESIDE_M = 4.0
"""People further from the pitch are let be: a stand full of them would drive any cut away."""
_THROUGH = 100.0
"""Cost of a step through a person, in columns away from where the cut lies best: out there a picture is shown that is
worse, or one that ends soon."""
_LYING, _FLATTEST = 20.0, 8.0
"""What it costs at each of his rows to show a person by the camera in which he lies as flat as he is tall, and the most
that counts: along the sideline one camera has him upright, the other one drawn out over the grass."""
_BEND = 2.0
_NARROWEST_PX = 8.0


def outlines(camera: CameraModel, view: PanoramaView, boxes: Array) -> Array:
    """Where boxes (n, 4) x0, y0, x1, y1 of a camera's picture appear in the panorama: their corners (n, 4, 2) in
    pixels, from the left foot round by the head."""
    corners = boxes[:, [[0, 3], [0, 1], [2, 1], [2, 3]]].reshape(-1, 2)
    return _along(camera, view, camera.rays(corners)).reshape(-1, 4, 2)


def _along(camera: CameraModel, view: PanoramaView, rays: Array) -> Array:
    """Where the panorama shows (n, 2) what a camera sees along rays (n, 3)."""
    with np.errstate(divide="ignore"):
        reach = np.where(rays[:, 2] < 0, (camera.position_m[2] - view.height_m) / -rays[:, 2], np.inf)
    reach = np.minimum(reach, FAR_M / np.hypot(rays[:, 0], rays[:, 1]))
    return view.project(camera.centre + rays * reach[:, None])


def closed_to_cuts(
    seam: Seam, view: PanoramaView, pitch: Pitch, cameras: Pair[CameraModel], boxes: Pair[Array]
) -> Array:
    """Stretches (n, 5) that no cut of the seam may pass for the people on the pitch or near it whom its cameras have in
    boxes (n, 4): the row, every eighth one, the first and last column of the panorama, and how flat the left and the
    right camera's picture of that person lies there, as its width over its height.

    One camera's box tells where the other one's picture of that person is, too. Whom both show in the same place may be
    passed: nobody will see it.
    """
    most = np.array([pitch.half_length, pitch.half_width]) + _BESIDE_M
    parts = [np.zeros((0, 5))]
    for k in (0, 1):
        here, there = cameras[k], cameras[1 - k]
        # Feet below the picture's edge tell no place.
        mine = boxes[k][boxes[k][:, 3] < here.height_px - 1]
        feet, heads = _standing(here, mine)
        playing = (np.abs(feet[:, :2]) < most).all(axis=1)
        mine, feet, heads = mine[playing], feet[playing], heads[playing]
        other, known = _boxes_in(there, feet, heads, (mine[:, 2] - mine[:, 0]) / (mine[:, 3] - mine[:, 1]))
        apart = [
            _along(here, view, end - here.centre) - _along(there, view, end - there.centre) for end in (feet, heads)
        ]
        double = ~known | (np.hypot(*np.stack(apart).transpose(2, 0, 1)).max(axis=0) > _SINGLE_PX)
        own = outlines(here, view, mine)
        both = np.stack([own, np.where(known[:, None, None], outlines(there, view, other), own)], axis=1)
        near = (both[..., 0].max(axis=(1, 2)) > seam.low.min()) & (both[..., 0].min(axis=(1, 2)) < seam.high.max())
        # The left camera's first.
        in_order = both[near & double][:, :: 1 if k == 0 else -1]
        parts += [_stretches(outlined, view.height_px) for outlined in in_order]
    return np.concatenate(parts)


def _standing(camera: CameraModel, boxes: Array) -> Pair[Array]:
    """Feet and head (n, 3) of the people whom a camera has in these boxes (n, 4), NaN where nobody can stand."""
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    places = camera.to_plane(np.stack([middle, boxes[:, 3]], axis=1))
    rays = camera.rays(np.stack([middle, boxes[:, 1]], axis=1))
    away = np.hypot(*(places - camera.centre[:2]).T)
    height = np.clip(camera.centre[2] + rays[:, 2] * away / np.hypot(rays[:, 0], rays[:, 1]), *_HEIGHTS_M)
    return np.column_stack([places, np.zeros(len(places))]), np.column_stack([places, height])


def _boxes_in(camera: CameraModel, feet: Array, heads: Array, slender: Array) -> tuple[Array, Seen]:
    """The boxes (n, 4), as wide for their height as `slender` (n,) says, that people have in the camera's picture, and
    whom it sees at all."""
    low, high = camera.project(feet), camera.project(heads)
    known: Seen = np.isfinite(np.concatenate([low, high], axis=1)).all(axis=1)
    low, high = np.where(known[:, None], low, 0.0), np.where(known[:, None], high, 0.0)
    known &= camera.sees(low)
    left, right = np.minimum(low[:, 0], high[:, 0]), np.maximum(low[:, 0], high[:, 0])
    half = (low[:, 1] - high[:, 1]) * slender / 2
    return np.stack([left - half, high[:, 1], right + half, low[:, 1]], axis=1), known


def _stretches(outlined: Array, height: int) -> Array:
    """The stretches (n, 5) that one person's outlines (2, 4, 2), the left camera's and the right one's, cover
    together."""
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
    wide, tall = np.moveaxis(np.ptp(outlined, axis=1), -1, 0)
    flat = np.broadcast_to(wide / np.maximum(tall, 1.0), (int(there.sum()), 2))
    return np.column_stack([at[there], first[there], last[there], flat])


class Detour(msgspec.Struct, frozen=True):
    """A cut's way around people: for every eighth row from the top the column, and over how many columns cameras may be
    blended there, in pixels."""

    columns: tuple[float, ...]
    room: tuple[float, ...]

    def cut(self, seam: Seam) -> Cut:
        """Where that leaves the cut of a seam: both cameras see what is there."""
        rows = np.arange(len(seam.low)) + 0.5
        at = np.arange(len(self.columns)) * _ROWS + _ROWS / 2
        centre, room = np.interp(rows, at, self.columns), np.interp(rows, at, self.room)
        # Narrow as it may become, it lies where it was laid, and reaches nothing that only one camera sees.
        here = seam.cut(centre, 0.0).centre
        width = np.minimum(room, 2 * np.minimum(here - seam.low, seam.high - here))
        return Cut(here, np.maximum(width, 1.0))


def cut_around(seam: Seam, closed: Array, before: Detour | None) -> Detour | None:
    """How the cut goes while people are in the closed stretches (n, 5) of `closed_to_cuts`: as `before` (None: where it
    lies best by itself) as long as that and its blend touch nobody, else the path nearest to where it lies best
    (dynamic programming from the top row down)."""
    at = np.arange(_ROWS / 2, len(seam.low), _ROWS)
    row = at.astype(np.intp)
    lies = seam.default if before is None else before.cut(seam)
    if _reaches_nobody(Cut(lies.centre[row], lies.width[row]), at, closed):
        return before
    columns = np.arange(seam.low.min(), seam.high.max() + _COLUMNS, _COLUMNS)
    taken = np.zeros((len(at), len(columns)), bool)
    lying = np.zeros((len(at), len(columns)))
    for y, first, last, by_left, by_right in closed:
        row_of = int(y // _ROWS)
        taken[row_of] |= (columns > first - _CLEAR_PX) & (columns < last + _CLEAR_PX)
        # Left of the cut the left camera shows him.
        shown = np.where(columns > (first + last) / 2, by_left, by_right)
        lying[row_of] = np.maximum(lying[row_of], np.minimum(shown, _FLATTEST))
    cost = np.abs(columns - seam.column)[None] / _COLUMNS + _THROUGH * taken + _LYING * lying
    outside = (columns < seam.low[row, None] - _COLUMNS) | (columns > seam.high[row, None] + _COLUMNS)
    # Where the cameras do not overlap the cut has no choice.
    cost = np.where(outside & ~outside.all(axis=1, keepdims=True), np.inf, cost)
    path = columns[_cheapest(cost)]
    room = _room(seam.feather, path, at, closed)
    return Detour(tuple(path.tolist()), tuple(room.tolist()))


def _reaches_nobody(lies: Cut, at: Array, closed: Array) -> bool:
    """Whether neither the cut (rows at `at`) nor its blend touches a closed stretch."""
    if not len(closed):
        return True
    here, half = (np.interp(closed[:, 0], at, values) for values in (lies.centre, lies.width / 2))
    return not bool(((here + half > closed[:, 1]) & (here - half < closed[:, 2])).any())


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


def _room(feather: float, path: Array, at: Array, closed: Array) -> Array:
    """The width (n,) of a blend along the path (n,) that reaches nobody, at least `_NARROWEST_PX`."""
    room = np.full(len(at), feather)
    for y, first, last in closed[:, :3]:
        k = int(y // _ROWS)
        gap = max(first - path[k], path[k] - last, 0.0)
        room[max(k - 1, 0) : k + 2] = np.minimum(room[max(k - 1, 0) : k + 2], 2 * gap)
    return np.asarray(np.maximum(room, _NARROWEST_PX))
