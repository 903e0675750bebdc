"""Features that two neighbouring cameras both see, matched after both pictures were warped into the same frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from hub.calibrate.least_squares import Term
from hub.calibrate.lens_jacobian import PARAMETERS, FittedCamera, project
from hub.calibrate.views import Picture
from wire.rig import Array

FAR_M = 120.0
"""What lies further, or above the horizon, counts as this far: at the distance of trees behind a pitch, cameras of one
mast see it in the same direction."""
MATCH_SPREAD_PX = 0.7
_WIDEST = 1400
_COARSE = 8


@dataclass(frozen=True)
class Matches:
    """Pixels (n, 2) of the same things in cameras `left` and `right` of the rig."""

    left: int
    right: int
    in_left: Array
    in_right: Array


def match(
    cameras: Sequence[FittedCamera], left: int, right: int, pictures: Sequence[Picture], gate_px: float
) -> Matches:
    """SIFT features of the overlap (Lowe 2004, ratio test, both ways), no further apart than `gate_px` of the pictures
    once both are warped to where the present calibration sees the pitch."""
    empty = Matches(left, right, np.zeros((0, 2)), np.zeros((0, 2)))
    grid = _shared_grid(cameras[left], cameras[right])
    if grid is None:
        return empty
    points, scale = grid
    sift = cv2.SIFT.create(nfeatures=4000, contrastThreshold=0.015)
    maps, keys, descriptions = [], [], []
    for index in (left, right):
        px = _seen(cameras[index], points)
        at = (px - 0.5).astype(np.float32)
        warped = cv2.remap(pictures[index], at[..., 0].copy(), at[..., 1].copy(), cv2.INTER_LINEAR)
        camera = cameras[index]
        inside = (px > 2).all(axis=2) & (px[..., 0] < camera.width_px - 2) & (px[..., 1] < camera.height_px - 2)
        mask = cv2.erode(inside.astype(np.uint8) * 255, np.ones((9, 9), np.uint8))
        found, described = sift.detectAndCompute(cv2.cvtColor(warped, cv2.COLOR_BGR2GRAY), mask)
        if described is None or len(found) < 8:
            return empty
        maps.append(px)
        keys.append(np.array([k.pt for k in found]))
        descriptions.append(described.astype(np.float32))
    a, b = _mutual(descriptions[0], descriptions[1], keys[0], keys[1], gate_px * scale)
    if not len(a):
        return empty
    return Matches(left, right, _looked_up(maps[0], keys[0][a]), _looked_up(maps[1], keys[1][b]))


def _shared_grid(left: FittedCamera, right: FittedCamera) -> tuple[Array, float] | None:
    """Points (h, w, 3) on a cylinder around both cameras over what both may see, and its pixels per picture pixel."""
    middle = (left.centre_m + right.centre_m) / 2
    spans = []
    for camera in (left, right):
        rays = camera.camera_model().rays(_border(camera))
        azimuth = np.unwrap(np.arctan2(rays[:, 0], rays[:, 1]))
        rise = rays[:, 2] / np.hypot(rays[:, 0], rays[:, 1])
        spans.append((azimuth.min(), azimuth.max(), rise.min(), rise.max()))
    low, high = max(s[0] for s in spans), min(s[1] for s in spans)
    bottom, top = max(s[2] for s in spans), min(s[3] for s in spans)
    if high - low < 0.02 or top <= bottom:
        return None
    focal = (left.focal_px + right.focal_px) / 2
    scale = min(1.0, _WIDEST / (focal * max(high - low, top - bottom)))
    az = np.linspace(low, high, int(focal * scale * (high - low)))
    rise = np.linspace(top, bottom, int(focal * scale * (top - bottom)))
    across, up = np.meshgrid(az, rise)
    rays = np.stack([np.sin(across), np.cos(across), up], axis=2)
    return middle + rays * _reach(rays, float(middle[2]))[..., None], scale


def _seen(camera: FittedCamera, points: Array) -> Array:
    """Pixels (h, w, 2) of points (h, w, 3), between every eighth interpolated: a lens bends them smoothly."""
    height, width = points.shape[:2]
    rows, columns = (np.append(np.arange(0, n - 1, _COARSE), n - 1) for n in (height, width))
    px = camera.camera_model().project(points[np.ix_(rows, columns)].reshape(-1, 3))
    px = np.nan_to_num(px, nan=-1e4).reshape(len(rows), len(columns), 2)
    x, y = (np.interp(np.arange(n), at, np.arange(len(at))) for n, at in ((width, columns), (height, rows)))
    u, v = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.asarray(cv2.remap(px, u, v, cv2.INTER_LINEAR), np.float64)


def _border(camera: FittedCamera) -> Array:
    t = np.linspace(0.02, 0.98, 25)
    w, h = camera.width_px, camera.height_px
    edges = [np.stack([t * w, np.full_like(t, 0.02 * h)], 1), np.stack([np.full_like(t, 0.98 * w), t * h], 1)]
    edges += [np.stack([t[::-1] * w, np.full_like(t, 0.98 * h)], 1), np.stack([np.full_like(t, 0.02 * w), t * h], 1)]
    return np.concatenate(edges)


def _reach(rays: Array, height_m: float) -> Array:
    """Length to which each ray (..., 3) runs from `height_m` above the pitch: to the pitch, at most `FAR_M`."""
    norm = np.linalg.norm(rays, axis=-1)
    down = np.maximum(-rays[..., 2], 1e-9)
    return np.asarray(np.minimum(height_m / down, FAR_M / norm))


def _mutual(
    left: npt.NDArray[np.float32], right: npt.NDArray[np.float32], at_left: Array, at_right: Array, gate: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Index pairs that are each other's nearest among those within the gate, clearly nearer than the second."""
    near = cKDTree(at_left).sparse_distance_matrix(cKDTree(at_right), gate, output_type="ndarray")
    a, b = near["i"].astype(np.int64), near["j"].astype(np.int64)
    distance = ((left[a] - right[b]) ** 2).sum(axis=1)
    forth, second = _best(a, distance)
    back, _ = _best(b, distance)
    chosen = forth[np.isin(forth, back) & (distance[forth] < np.minimum(second * 0.8**2, 300.0**2))]
    return a[chosen], b[chosen]


def _best(group: npt.NDArray[np.int64], distance: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int64], Array]:
    """Of each group the row of the least distance, and the second least distance (inf where there is none)."""
    order = np.lexsort((distance, group))
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    after = np.append(first[1:], len(order))
    second = np.full(len(first), np.inf)
    rivals = first + 1 < after
    second[rivals] = distance[order[first[rivals] + 1]]
    return order[first], second


def _looked_up(pixels: Array, at: Array) -> Array:
    """The map (h, w, 2) read bilinearly at points (n, 2) x, y."""
    x, y = (at[:, k].astype(np.float32).reshape(1, -1) for k in (0, 1))
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR), np.float64).reshape(-1, 2)


def match_term(cameras: Sequence[FittedCamera], matches: Matches, cauchy: float) -> Term:
    """How far a feature of the left picture, carried over the pitch plane (or `FAR_M`), lands from its match.

    The carried point moves with the left camera's parameters such that its pixel there stays the same.
    """
    left, right = cameras[matches.left], cameras[matches.right]
    rays = left.camera_model().rays(matches.in_left)
    points = left.centre_m + rays * _reach(rays, float(left.centre_m[2]))[:, None]
    here, there = project(left, points), project(right, points)
    good = here.good & there.good
    # Two directions in which the point may slide: along the pitch, or along the far sphere.
    on_pitch = points[:, 2] < 0.05
    first = np.cross(rays, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.where(on_pitch[:, None], np.array([0.0, 0.0, 1.0]), rays)
    slide = np.stack([first, np.cross(second, first)], axis=2)
    inner = here.by_point @ slide
    inner[~good] = np.eye(2)
    carried = there.by_point @ slide @ np.linalg.inv(inner)
    scale = MATCH_SPREAD_PX * left.width_px / 1920
    jacobian = np.zeros((len(points), 2, PARAMETERS * len(cameras)))
    jacobian[:, :, PARAMETERS * matches.left : PARAMETERS * (matches.left + 1)] = -carried @ here.by_parameters
    jacobian[:, :, PARAMETERS * matches.right : PARAMETERS * (matches.right + 1)] = there.by_parameters
    gap = there.pixels - matches.in_right
    return Term(np.where(good[:, None], gap, 0) / scale, jacobian * good[:, None, None] / scale, cauchy)
