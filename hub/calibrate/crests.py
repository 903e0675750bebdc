"""How well the bright ridges of a picture bear out a pose."""

import cv2
import numpy as np

from hub.calibrate.lens_jacobian import FittedCamera
from hub.calibrate.paint import Markings
from hub.calibrate.strokes import Ridges
from wire.pitch import LINE_WIDTH
from wire.rig import Array, Lens

_WIDTH = 960
_BINS = 6
_NEAR_PX = 3.0
_CHANCE = 0.4
"""Share of a wrong pose's markings that may lie near some ridge or other."""
BORNE_OUT = 0.6
"""Least share of a camera's markings along which some bright ridge must run. With the true pose it is .73 or more where
lines are worn and .9 elsewhere, with wrong ones .1 to .6, in the scenes of `simulator/scenes`."""
_STROKE_PX = 4.0
_MOST = 40.0
_AHEAD_M = 0.3
_EDGE_PX = 4.0
_AT_ONCE = 128
_FINEST_PX = 0.5
"""Paint that appears narrower leaves no ridge."""


class CrestMap:
    """How far each place of the picture is from a crest that runs about a given way."""

    def __init__(self, ridges: Ridges, width: int, height: int) -> None:
        self._scale = _WIDTH / width
        self.size = (width, height)
        shape = (round(height * self._scale), _WIDTH)
        at = np.clip((ridges.pixels * self._scale).astype(np.int64), 0, (shape[1] - 1, shape[0] - 1))
        way = _way(ridges.across)
        maps = []
        for k in range(_BINS):
            mine = np.abs(np.mod(way - (k + 0.5) + _BINS / 2, _BINS) - _BINS / 2) < 0.8
            free = np.full(shape, 255, np.uint8)
            free[at[mine, 1], at[mine, 0]] = 0
            maps.append(cv2.distanceTransform(free, cv2.DIST_L2, 3))
        self._maps = np.stack(maps)

    def support(self, camera: FittedCamera, painted: Markings) -> float:
        """How much better than chance the crests bear out the markings that the camera should see."""
        lens = camera.camera_model().lens
        return float(self.supports(lens, camera.turn[None], camera.centre_m[None], painted)[0])

    def share(self, camera: FittedCamera, painted: Markings) -> float:
        """Which share of the markings that the camera should see has a crest along it, each counted as in `supports`;
        0 where it should see none."""
        lens = camera.camera_model().lens
        found, most = self._supports(lens, camera.turn[None], camera.centre_m[None], painted)
        return float(_CHANCE + found[0] / most[0]) if most[0] > 0 else 0.0

    def supports(self, lens: Lens, turns: Array, places_m: Array, painted: Markings) -> Array:
        """`support` (n,) of poses that share a lens: rotations (n, 3, 3) and places (n, 3) in the pitch frame.

        Each stretch of four pixels of the picture 960 wide counts 1 less chance where a crest runs along it, and a
        marking no more than `_MOST` of them: one long line near the camera is no better a proof than three others.
        """
        parts = [
            self._supports(lens, turns[k : k + _AT_ONCE], places_m[k : k + _AT_ONCE], painted)[0]
            for k in range(0, len(turns), _AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _supports(self, lens: Lens, turns: Array, places_m: Array, painted: Markings) -> tuple[Array, Array]:
        """Each pose's support (n,), and how many stretches (n,) it was counted over."""
        side = np.stack([-painted.tangents[:, 1], painted.tangents[:, 0], np.zeros(len(painted.points_m))], axis=1)
        ways = np.stack([np.zeros_like(side), painted.tangents * _AHEAD_M, side * LINE_WIDTH])
        points = (painted.points_m + ways).reshape(-1, 3)
        local = np.einsum("nij,npj->npi", turns, points - places_m[:, None])
        z = local[..., 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            ideal = (local[..., :2] / z[..., None]).reshape(-1, 2)
        good = (z.ravel() > 0.05) & (np.hypot(ideal[:, 0], ideal[:, 1]) < lens.max_radius())
        ideal[~good] = 0.0
        pixels = lens.distort(ideal) * lens.focal_px + (lens.cx_px, lens.cy_px)
        at, ahead, aside = pixels.reshape(len(turns), 3, -1, 2).transpose(1, 0, 2, 3)
        inside = good.reshape(len(turns), 3, -1).all(axis=1)
        inside &= (at > _EDGE_PX).all(axis=2) & (at < np.array(self.size) - _EDGE_PX).all(axis=2)
        along = (ahead - at) / _AHEAD_M
        pace = np.hypot(along[..., 0], along[..., 1]) + 1e-9
        across = np.stack([-along[..., 1], along[..., 0]], axis=2) / pace[..., None]
        width = np.abs(((aside - at) * across).sum(axis=2))
        weight = pace * painted.step_m * self._scale / _STROKE_PX * (width > _FINEST_PX) * inside
        hit = np.zeros(inside.shape)
        hit[inside] = np.exp(-((self._near(at[inside], across[inside]) / _NEAR_PX) ** 2))
        marking = painted.marking == np.arange(painted.marking.max() + 1)[:, None]
        length, found = weight @ marking.T, (weight * (hit - _CHANCE)) @ marking.T
        counted = np.minimum(1.0, _MOST / np.maximum(length, 1e-9))
        return (found * counted).sum(axis=1), (length * counted).sum(axis=1)

    def _near(self, pixels: Array, across: Array) -> Array:
        """Distance (n,) from pixels (n, 2) to a crest across about `across`, in pixels of the picture 960 wide."""
        x, y = (np.clip((pixels[:, k] * self._scale).astype(np.int64), 0, self._maps.shape[2 - k] - 1) for k in (0, 1))
        way = np.minimum(_way(across).astype(np.int64), _BINS - 1)
        return np.asarray(self._maps[way, y, x], np.float64)


def _way(across: Array) -> Array:
    """Directions (n, 2) modulo half a turn, in `_BINS`."""
    return np.asarray(np.mod(np.arctan2(across[:, 1], across[:, 0]), np.pi) / np.pi * _BINS)
