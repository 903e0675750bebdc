"""A low sun: which parts of the ground lie in the shadow of trees, a roof, a pole, and people."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from simulator.pictures.view import Floats
from simulator.scenes.fields import Array, Footprint, GroundMap
from wire.pitch import Pitch

_PIXEL_M = 0.06
_AROUND_M = 14.0
_SUN = np.array([1.10, 1.07, 1.0], np.float32)
_SHADE = np.array([0.46, 0.51, 0.60], np.float32)
_SHIFT = 4
"""Bits of a fraction of a pixel that shadows are drawn with."""


@dataclass(frozen=True)
class Sunlight:
    """`lit` is 1 in the sun and 0 in the shade."""

    lit: GroundMap

    def onto(self, picture: Floats, ground: Footprint) -> None:
        """Light the ground of `picture` (h, w, 3)."""
        picture *= self._light(self.lit.over(ground)[..., None])

    def at(self, xy: Array) -> Floats:
        """The light (n, 3) on things that stand at `xy` (n, 2)."""
        return self._light(self.lit.at(xy)[:, None])

    def _light(self, lit: Floats | Array) -> Floats:
        return (_SHADE + lit * (_SUN - _SHADE)).astype(np.float32)


def low_sun(pitch: Pitch, people: Array, random: np.random.Generator) -> Sunlight:
    """The sun of `random` over `pitch` and people (n, 4): x, y, height, half width."""
    x0, y0 = -pitch.half_length - _AROUND_M, -pitch.half_width - _AROUND_M
    shape = (round(-2 * y0 / _PIXEL_M), round(-2 * x0 / _PIXEL_M))
    dark = np.zeros(shape, np.uint8)
    # The sun stands behind the rig, to the left or to the right: shadows point away from it, a little aside.
    bearing = math.radians(random.uniform(20, 65)) * random.choice([-1, 1])
    low = math.radians(random.uniform(14, 24))
    fall = np.array([math.sin(bearing), math.cos(bearing)]) / math.tan(low)
    draw = _Drawing(dark, np.array([x0, y0]), fall, math.sin(low))
    hx, hy = pitch.half_length, pitch.half_width
    for x in np.arange(-hx - 70, hx + 70, 7.5):
        draw.tree(np.array([x + random.uniform(-3, 3), -hy - random.uniform(13, 20)]), random)
    roof = random.uniform(-hx, 0), random.uniform(5.5, 8.0)
    draw.wall(np.array([roof[0], -hy - 14.0]), np.array([roof[0] + random.uniform(30, 45), -hy - 14.0]), roof[1])
    for x in (-0.6 * hx, 0.55 * hx):
        draw.pole(np.array([x, -hy - 5.0]), 16.0, 0.14)
    for x, y, tall, half in people:
        draw.pole(np.array([x, y]), tall, half)
    return Sunlight(GroundMap(1 - dark.astype(np.float32) / 255, x0, y0, _PIXEL_M))


class _Drawing:
    """Casts shadows onto a map of the ground; a point z above the ground falls `fall` * z beside its foot."""

    def __init__(self, dark: np.ndarray, origin: Array, fall: Array, low: float) -> None:
        self._dark, self._origin, self._fall, self._low = dark, origin, fall, low
        self._along_deg = math.degrees(math.atan2(fall[1], fall[0]))

    def tree(self, foot: Array, random: np.random.Generator) -> None:
        """A crown of balls over a trunk."""
        tall = random.uniform(6.5, 11.0)
        self.pole(foot, 0.5 * tall, 0.25)
        for _ in range(60):
            high, ball = tall * random.uniform(0.3, 0.95), random.uniform(0.25, 0.9)
            self._ball(foot + random.normal(0, 1.2, 2), high, ball)

    def wall(self, left: Array, right: Array, high: float) -> None:
        """Something straight with a level upper edge."""
        self._fill(np.stack([left, right, right + high * self._fall, left + high * self._fall]))

    def pole(self, foot: Array, tall: float, half: float) -> None:
        """Something upright, half as wide as `half` says, with a round head."""
        aside = np.array([-self._fall[1], self._fall[0]]) / np.linalg.norm(self._fall) * half
        top = foot + self._fall * tall
        self._fill(np.stack([foot - 0.6 * aside, foot + 0.6 * aside, top + aside, top - aside]))
        self._ball(foot, tall, half)

    def _ball(self, foot: Array, high: float, radius: float) -> None:
        at = (foot + self._fall * high - self._origin) / _PIXEL_M
        axes = np.array([radius / self._low, radius]) / _PIXEL_M
        fine = [tuple(round(float(v) * (1 << _SHIFT)) for v in pair) for pair in (at, axes)]
        cv2.ellipse(self._dark, fine[0], fine[1], self._along_deg, 0, 360, 255, -1, cv2.LINE_AA, _SHIFT)

    def _fill(self, corners: Array) -> None:
        fine = np.rint((corners - self._origin) / _PIXEL_M * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(self._dark, [fine], 255, cv2.LINE_AA, _SHIFT)
