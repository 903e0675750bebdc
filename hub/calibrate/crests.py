"""How well the bright ridges of a picture bear out a pose."""

import cv2
import numpy as np

from hub.calibrate.lens_jacobian import FittedCamera, project
from hub.calibrate.paint import Markings
from hub.calibrate.strokes import Ridges
from wire.pitch import LINE_WIDTH
from wire.rig import Array

_WIDTH = 960
_BINS = 6
_NEAR_PX = 3.0
_CHANCE = 0.4
"""Share of a wrong pose's markings that may lie near some ridge or other."""
_STROKE_PX = 4.0
_MOST = 40.0
_FINEST_PX = 0.5
"""Paint that appears narrower leaves no ridge."""


class CrestMap:
    """How far each place of the picture is from a crest that runs about a given way."""

    def __init__(self, ridges: Ridges, width: int, height: int) -> None:
        self._scale = _WIDTH / width
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
        """How much better than chance the crests bear out the markings that the camera should see.

        Each stretch of four pixels of the picture 960 wide counts 1 less chance where a crest runs along it, and a
        marking no more than `_MOST` of them: one long line near the camera is no better a proof than three others.
        """
        seen = project(camera, painted.points_m)
        u, v = seen.pixels[:, 0], seen.pixels[:, 1]
        inside = seen.good & (u > 4) & (v > 4) & (u < camera.width_px - 4) & (v < camera.height_px - 4)
        if not inside.any():
            return 0.0
        tangents, slope = painted.tangents[inside], seen.by_point[inside]
        along = np.einsum("nij,nj->ni", slope, tangents)
        pace = np.hypot(along[:, 0], along[:, 1]) + 1e-9
        across = np.stack([-along[:, 1], along[:, 0]], axis=1) / pace[:, None]
        side = np.stack([-tangents[:, 1], tangents[:, 0], np.zeros(len(tangents))], axis=1)
        width = np.abs(np.einsum("nij,nj,ni->n", slope, side, across)) * LINE_WIDTH
        weight = pace * painted.step_m * self._scale / _STROKE_PX * (width > _FINEST_PX)
        hit = np.exp(-((self._near(seen.pixels[inside], across) / _NEAR_PX) ** 2))
        marking = painted.marking[inside]
        length = np.bincount(marking, weight)
        share = np.minimum(1.0, _MOST / np.maximum(length, 1e-9))
        return float((np.bincount(marking, weight * (hit - _CHANCE)) * share).sum())

    def _near(self, pixels: Array, across: Array) -> Array:
        """Distance (n,) from pixels (n, 2) to a crest across about `across`, in pixels of the picture 960 wide."""
        x, y = (np.clip((pixels[:, k] * self._scale).astype(np.int64), 0, self._maps.shape[2 - k] - 1) for k in (0, 1))
        way = np.minimum(_way(across).astype(np.int64), _BINS - 1)
        return np.asarray(self._maps[way, y, x], np.float64)


def _way(across: Array) -> Array:
    """Directions (n, 2) modulo half a turn, in `_BINS`."""
    return np.asarray(np.mod(np.arctan2(across[:, 1], across[:, 0]), np.pi) / np.pi * _BINS)
