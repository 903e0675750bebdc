"""How a camera is turned against its neighbour on one mast, from what both see far away; no pose is needed for it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hub.calibrate.views import Picture
from wire.rig import Array

Descriptions = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]

_WIDTH = 1200
_FEATURES = 3000
_RATIO = 0.8
_SAME_RAD = 0.006
_LEAST = 30
_ROUNDS = 1500


@dataclass(frozen=True)
class Sights:
    """SIFT features of a whole picture (Lowe 2004): unit rays (n, 3) in the camera's axes and descriptions (n, 128)."""

    rays: Array
    descriptions: Descriptions


def find_sights(picture: Picture, rays_of: Callable[[Array], Array]) -> Sights:
    """The features of a picture (h, w, 3) BGR; `rays_of` turns its pixels (n, 2) into rays."""
    scale = min(1.0, _WIDTH / picture.shape[1])
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    keys, descriptions = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=0.02).detectAndCompute(small, None)
    if descriptions is None:
        return Sights(np.zeros((0, 3)), np.zeros((0, 128), np.float32))
    pixels = (np.array([k.pt for k in keys]) + 0.5) / scale
    return Sights(rays_of(pixels), np.asarray(descriptions, np.float32))


def turn_between(left: Sights, right: Sights, random: np.random.Generator) -> Array | None:
    """The rotation (3, 3) that takes one camera's rays to the other's; None where too few sights agree on one."""
    a, b = _mutual(left.descriptions, right.descriptions)
    if len(a) < _LEAST:
        return None
    p, q = left.rays[a], right.rays[b]
    best = np.zeros(len(p), bool)
    for _ in range(_ROUNDS):
        i, j = random.choice(len(p), 2, replace=False)
        # A turn keeps the angle between two rays.
        if abs(p[i] @ p[j] - q[i] @ q[j]) > 0.004 or p[i] @ p[j] > 0.9996:
            continue
        turn = _turn(p[[i, j]], q[[i, j]])
        near = ((p @ turn.T - q) ** 2).sum(axis=1) < _SAME_RAD**2
        if near.sum() > best.sum():
            best = near
    if best.sum() < _LEAST:
        return None
    for _ in range(3):
        turn = _turn(p[best], q[best])
        best = ((p @ turn.T - q) ** 2).sum(axis=1) < _SAME_RAD**2
    return turn


def _turn(p: Array, q: Array) -> Array:
    """The rotation that takes p (n, 3) nearest to q (n, 3) (Kabsch 1976)."""
    left, _, right = np.linalg.svd(q.T @ p)
    flip = np.diag([1.0, 1.0, np.linalg.det(left @ right)])
    return np.asarray(left @ flip @ right)


def _mutual(left: Descriptions, right: Descriptions) -> tuple[Index, Index]:
    if len(left) < 2 or len(right) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    distance = (left**2).sum(1)[:, None] + (right**2).sum(1)[None] - 2 * left @ right.T
    rows = np.arange(len(left))
    best = distance.argmin(axis=1)
    nearest = distance[rows, best]
    back = distance.argmin(axis=0)
    distance[rows, best] = np.inf
    good = (nearest < _RATIO**2 * distance.min(axis=1)) & (back[best] == rows)
    chosen = np.flatnonzero(good)
    return chosen, best[chosen]
