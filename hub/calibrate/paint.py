"""Finding the painted lines: where a camera's picture shows a marking that its pose predicts nearby."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hub.calibrate.least_squares import Term, spread
from hub.calibrate.lens_jacobian import FittedCamera, project
from hub.calibrate.views import Picture
from wire.pitch import LINE_WIDTH, Pitch
from wire.rig import Array

White = npt.NDArray[np.float32]

_STEP_M = 0.25
_SPACING_PX = 8.0
_CONTRAST = 6.0
"""Least brightness, of 255, by which paint stands out from the grass on both sides of it."""
_SUBPIXEL = 0.5
LINE_SPREAD_PX = 1.0
"""Of one sample along a line at 1920 px width; neighbouring samples share their errors, so more than one alone has."""


@dataclass(frozen=True)
class Markings:
    """Every marking sampled densely: points (n, 3), unit tangents (n, 3), which marking each belongs to (n,), and how
    far apart they are."""

    points_m: Array
    tangents: Array
    marking: npt.NDArray[np.int64]
    step_m: float = _STEP_M

    def every(self, step: int) -> "Markings":
        """Only one sample of so many."""
        return Markings(self.points_m[::step], self.tangents[::step], self.marking[::step], self.step_m * step)


@dataclass(frozen=True)
class Paint:
    """Paint found in one camera: pitch points (n, 3), where they were seen (n, 2), the predicted unit normals (n, 2),
    and of each its marking (n,) and distance from the prediction (n,) in pixels. `expected` counts the samples looked
    for."""

    points_m: Array
    pixels: Array
    normals: Array
    marking: npt.NDArray[np.int64]
    offset_px: Array
    expected: int


def markings(pitch: Pitch) -> Markings:
    """All straight and circular markings of the pitch, a sample every quarter of a metre."""
    points, tangents, marking = [], [], []
    for k, line in enumerate(pitch.lines()):
        a, b = np.array([line.x0, line.y0]), np.array([line.x1, line.y1])
        steps = np.linspace(0.0, 1.0, int(np.hypot(*(b - a)) / _STEP_M) + 1)[:, None]
        points.append(a + steps * (b - a))
        tangents.append(np.broadcast_to((b - a) / np.hypot(*(b - a)), points[-1].shape))
        marking.append(np.full(len(steps), k))
    for k, arc in enumerate(pitch.arcs(), len(marking)):
        angle = np.linspace(arc.start, arc.end, int((arc.end - arc.start) * arc.radius / _STEP_M) + 1)
        radial = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        points.append(np.array([arc.x, arc.y]) + arc.radius * radial)
        tangents.append(np.stack([-radial[:, 1], radial[:, 0]], axis=1))
        marking.append(np.full(len(angle), k))
    flat = np.concatenate(points)
    level = np.zeros((len(flat), 1))
    return Markings(
        np.hstack([flat, level]), np.hstack([np.concatenate(tangents), level]), np.concatenate(marking).astype(np.int64)
    )


def whiteness(picture: Picture) -> White:
    """Brightness (h, w) that white paint has and that grass and yellow or blue paint lack: the least of red, green and
    one and a half times blue, which is coarser than the others in most videos."""
    blue = cv2.addWeighted(picture[:, :, 0], 1.5, picture[:, :, 0], 0.0, 0.0)
    lesser = cv2.min(cv2.min(picture[:, :, 1], picture[:, :, 2]), blue)
    return cv2.GaussianBlur(lesser, (0, 0), 0.7).astype(np.float32)


def _visible(camera: FittedCamera, painted: Markings, margin_px: float) -> tuple[npt.NDArray[np.int64], Array, Array]:
    """Indices of the samples the camera sees, thinned to an even spacing in its picture; their normals and widths."""
    seen = project(camera, painted.points_m)
    u, v = seen.pixels[:, 0], seen.pixels[:, 1]
    inside = seen.good & (u > margin_px) & (v > margin_px)
    inside &= (u < camera.width_px - margin_px) & (v < camera.height_px - margin_px)
    along = np.einsum("nij,nj->ni", seen.by_point, painted.tangents)
    pace = np.hypot(along[:, 0], along[:, 1])
    inside &= pace > 1e-6
    walked = np.cumsum(np.where(inside, pace * _STEP_M, 0.0))
    keep = inside & (np.floor(walked / _SPACING_PX) != np.floor((walked - pace * _STEP_M) / _SPACING_PX))
    index = np.flatnonzero(keep)
    normals = np.stack([-along[index, 1], along[index, 0]], axis=1) / pace[index, None]
    across = np.stack([-painted.tangents[index, 1], painted.tangents[index, 0], np.zeros(len(index))], axis=1)
    widths = np.abs(np.einsum("nij,nj,ni->n", seen.by_point[index], across, normals)) * LINE_WIDTH
    wide = widths > 0.35
    return index[wide], normals[wide], widths[wide]


def find_paint(camera: FittedCamera, white: White, painted: Markings, reach_px: float) -> Paint:
    """The ridges of paint within `reach_px` of where the camera's pose predicts a marking.

    `white` is the `whiteness` of its picture. A ridge must stand out on both sides at about the predicted width, agree
    with its neighbours along the marking, and have no other marking running beside it within reach.
    """
    index, normals, widths = _visible(camera, painted, 4.0)
    expected = len(index)
    predicted = project(camera, painted.points_m[index]).pixels
    alone = _alone(predicted, normals, painted.marking[index], reach_px)
    index, normals, widths, predicted = index[alone], normals[alone], widths[alone], predicted[alone]
    marking = painted.marking[index]
    if not len(index):
        return Paint(np.zeros((0, 3)), np.zeros((0, 2)), np.zeros((0, 2)), marking, np.zeros(0), expected)
    margin = float(widths.max()) * 1.5 + 4.0
    steps = np.arange(-(reach_px + margin), reach_px + margin + 1e-9, _SUBPIXEL)
    at = predicted[:, None, :] + steps[None, :, None] * normals[:, None, :] - 0.5
    profile = cv2.remap(white, *_maps(at), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)
    offsets = np.arange(-reach_px, reach_px + 1e-9, _SUBPIXEL)
    score = _along(_ridge(profile, steps[0], offsets, np.maximum(widths, 1.6)), marking, predicted)
    pull = 1 - 0.4 * (np.abs(offsets) / reach_px) ** 2
    best = (score * pull).argmax(axis=1)
    rows = np.arange(len(index))
    inner = (best > 0) & (best < len(offsets) - 1)
    best = np.clip(best, 1, len(offsets) - 2)
    low, top, high = score[rows, best - 1], score[rows, best], score[rows, best + 1]
    curve = low - 2 * top + high
    shift = np.where(np.abs(curve) > 1e-9, 0.5 * (low - high) / np.where(np.abs(curve) > 1e-9, curve, 1.0), 0.0)
    offset = offsets[best] + np.clip(shift, -1, 1) * _SUBPIXEL
    good = inner & (top > _CONTRAST)
    good[good] = _steady(offset[good], marking[good], max(1.5, 0.15 * reach_px))
    return Paint(
        painted.points_m[index[good]],
        predicted[good] + offset[good, None] * normals[good],
        normals[good],
        marking[good],
        offset[good],
        expected,
    )


def _maps(at: Array) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    return np.ascontiguousarray(at[..., 0], np.float32), np.ascontiguousarray(at[..., 1], np.float32)


def _alone(predicted: Array, normals: Array, marking: npt.NDArray[np.int64], reach_px: float) -> npt.NDArray[np.bool_]:
    """Which samples have no sample of another, nearly parallel marking within 1.3 times the reach."""
    reach = 1.3 * reach_px + 3.0
    cells = np.floor(predicted / reach).astype(np.int64)
    out = np.ones(len(predicted), bool)
    order: dict[tuple[int, int], list[int]] = {}
    for i, (a, b) in enumerate(cells):
        order.setdefault((int(a), int(b)), []).append(i)
    for (a, b), here in order.items():
        near = [j for da in (-1, 0, 1) for db in (-1, 0, 1) for j in order.get((a + da, b + db), ())]
        mine, others = np.array(here), np.array(near)
        gap = np.abs(predicted[mine][:, None] - predicted[others][None]).max(axis=2)
        parallel = np.abs((normals[mine][:, None] * normals[others][None]).sum(axis=2)) > 0.9
        rival = (gap < reach) & parallel & (marking[mine][:, None] != marking[others][None])
        out[mine] = ~rival.any(axis=1)
    return out


def _ridge(profile: Array, first: float, offsets: Array, widths: Array) -> Array:
    """Mean inside a stripe of each width less the brighter of its two flanks, at each offset: (n, offsets)."""
    total = np.concatenate([np.zeros((len(profile), 1)), np.cumsum(profile, axis=1)], axis=1)

    def mean(start: Array, end: Array) -> Array:
        # Sample k covers the interval [k, k + 1) of the running sum, its centre at step k.
        a, b = ((x - first) / _SUBPIXEL + 0.5 for x in (start, end))
        return (_at(total, b) - _at(total, a)) / (b - a)

    half = widths[:, None] / 2
    flank = np.maximum(widths[:, None], 2.0)
    inside = mean(offsets - half, offsets + half)
    left = mean(offsets - half - 0.7 - flank / 1.5, offsets - half - 0.7)
    right = mean(offsets + half + 0.7, offsets + half + 0.7 + flank / 1.5)
    return inside - np.maximum(left, right)


def _at(total: Array, where: Array) -> Array:
    where = np.clip(where, 0, total.shape[1] - 1.001)
    whole = where.astype(np.int64)
    part = where - whole
    low = np.take_along_axis(total, whole, axis=1)
    return low + part * (np.take_along_axis(total, whole + 1, axis=1) - low)


def _along(score: Array, marking: npt.NDArray[np.int64], predicted: Array) -> Array:
    """The score averaged over five neighbours along the same marking (1 2 3 2 1)."""
    summed, weight = 3 * score, np.full(len(score), 3.0)
    for lag, share in ((1, 2.0), (2, 1.0)):
        if len(score) <= lag:
            continue
        step = predicted[lag:] - predicted[:-lag]
        linked = (marking[lag:] == marking[:-lag]) & (np.hypot(step[:, 0], step[:, 1]) < 3 * lag * _SPACING_PX)
        part = share * linked
        summed[lag:] += part[:, None] * score[:-lag]
        summed[:-lag] += part[:, None] * score[lag:]
        weight[lag:] += part
        weight[:-lag] += part
    return np.asarray(summed / weight[:, None])


def _steady(offset: Array, marking: npt.NDArray[np.int64], tolerance_px: float) -> npt.NDArray[np.bool_]:
    """Which offsets lie near the median of the nine around them on the same marking."""
    out = np.zeros(len(offset), bool)
    for k in np.unique(marking):
        mine = np.flatnonzero(marking == k)
        if len(mine) < 4:
            continue
        padded = np.pad(offset[mine], 4, mode="reflect" if len(mine) > 4 else "edge")
        middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 9), axis=1)
        out[mine] = np.abs(offset[mine] - middle) < tolerance_px
    return out


def paint_term(cameras: Sequence[FittedCamera], paint: Sequence[Paint], cauchy: float) -> Term:
    """Distance of the found paint from the markings' projections, along the normals."""
    residuals, jacobians = [], []
    for i, (camera, found) in enumerate(zip(cameras, paint, strict=True)):
        seen = project(camera, found.points_m)
        scale = LINE_SPREAD_PX * camera.width_px / 1920
        gap = ((seen.pixels - found.pixels) * found.normals).sum(axis=1)
        residuals.append(np.where(seen.good, gap, 0.0)[:, None] / scale)
        slope = np.einsum("ni,nij->nj", found.normals, seen.by_parameters) * seen.good[:, None]
        jacobians.append(spread(slope[:, None, :] / scale, i, len(cameras)))
    return Term(np.concatenate(residuals), np.concatenate(jacobians), cauchy)
