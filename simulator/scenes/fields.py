"""Values over the ground, each pixel given the mean over what it covers: noise that tiles, maps, and profiles."""

import cv2
import numpy as np
import numpy.typing as npt

from simulator.pictures.ground import noise_tile
from simulator.pictures.view import Floats, View

Array = npt.NDArray[np.float64]
_FINEST_M = 1e-4


class Footprint:
    """What the pixels of a view cover of the ground: `x`, `y` (h, w) metres, far away where there is no ground; the
    side `size` of a square of the same area, and the extent `across` along x."""

    def __init__(self, view: View) -> None:
        self.x, self.y = np.nan_to_num(view.x, nan=1e4), np.nan_to_num(view.y, nan=1e4)
        step = view.step
        area = np.abs(step[..., 0, 0] * step[..., 1, 1] - step[..., 0, 1] * step[..., 1, 0])
        self.size = np.maximum(np.sqrt(area), np.float32(_FINEST_M))
        self.across = np.maximum(np.hypot(step[..., 0, 0], step[..., 0, 1]), np.float32(_FINEST_M))


class Pyramid:
    """A texture (h, w) and its halvings, read at the level that suits each pixel."""

    def __init__(self, texture: Floats, border: int) -> None:
        self._border = border
        self._levels = [texture]
        while min(self._levels[-1].shape) > 4:
            self._levels.append(cv2.resize(self._levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))

    def read(self, u: Floats, v: Floats, level: Floats) -> Floats:
        """Values at `u`, `v`, in shares of the texture's sides, between whole levels linear."""
        out = np.zeros_like(u)
        level = np.clip(level, 0, len(self._levels) - 1)
        rows_low, rows_high = level.min(axis=1), level.max(axis=1)
        for k, texture in enumerate(self._levels):
            rows = np.flatnonzero((rows_low < k + 1) & (rows_high > k - 1))
            if not len(rows):
                continue
            band = slice(rows[0], rows[-1] + 1)
            height, width = texture.shape
            mu, mv = u[band] * np.float32(width), v[band] * np.float32(height)
            if self._border == cv2.BORDER_WRAP:
                mu, mv = np.mod(mu - 0.5, width), np.mod(mv - 0.5, height)
                wrapped = cv2.copyMakeBorder(texture, 0, 1, 0, 1, cv2.BORDER_WRAP)
                seen = cv2.remap(wrapped, mu, mv, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            else:
                seen = cv2.remap(texture, mu - 0.5, mv - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            out[band] += np.maximum(1 - np.abs(level[band] - k), 0) * seen
        return out


class Noise:
    """One tile of noise, mean 0 and standard deviation 1 at its finest, laid over the ground at any size."""

    def __init__(self, random: np.random.Generator, falloff: float = 0.9) -> None:
        tile = noise_tile(random, falloff)
        self._side = tile.shape[0]
        self._pyramid = Pyramid(tile, cv2.BORDER_WRAP)

    def over(self, ground: Footprint, tile_m: float, shift: float = 0.0) -> Floats:
        """The noise where the tile's side is `tile_m`, moved by a share of it."""
        scale, off = np.float32(1 / tile_m), np.float32(shift)
        level = np.log2(ground.size * np.float32(self._side / tile_m))
        return self._pyramid.read(ground.x * scale + off, ground.y * scale - off, level)


class GroundMap:
    """A map (h, w) of the ground from (`x0`, `y0`) on, `pixel_m` a pixel, rows along y; outside it its edge goes on."""

    def __init__(self, values: Floats, x0: float, y0: float, pixel_m: float) -> None:
        self.values, self.x0, self.y0, self.pixel_m = values, x0, y0, pixel_m
        self._pyramid = Pyramid(values, cv2.BORDER_REPLICATE)

    def over(self, ground: Footprint) -> Floats:
        """The map as the pixels see it."""
        height, width = self.values.shape
        u = (ground.x - np.float32(self.x0)) / np.float32(self.pixel_m * width)
        v = (ground.y - np.float32(self.y0)) / np.float32(self.pixel_m * height)
        level = np.log2(ground.size / np.float32(self.pixel_m))
        return self._pyramid.read(np.clip(u, -1, 2), np.clip(v, -1, 2), level)

    def at(self, xy: Array) -> Array:
        """The map at points (n, 2)."""
        column = np.clip((xy[:, 0] - self.x0) / self.pixel_m, 0, self.values.shape[1] - 1).astype(int)
        row = np.clip((xy[:, 1] - self.y0) / self.pixel_m, 0, self.values.shape[0] - 1).astype(int)
        return self.values[row, column].astype(np.float64)


class Bands:
    """A profile along x that is constant between `edges` (n + 1,): `values` (n,), 0 outside."""

    def __init__(self, edges: Array, values: Array) -> None:
        self._edges = edges
        self._sums = np.concatenate([[0.0], np.cumsum(values * np.diff(edges))])

    def over(self, ground: Footprint) -> Floats:
        """The mean over what each pixel covers."""
        half = ground.across / 2
        high = np.interp(ground.x + half, self._edges, self._sums)
        low = np.interp(ground.x - half, self._edges, self._sums)
        return ((high - low) / ground.across).astype(np.float32)
