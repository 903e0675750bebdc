"""Figures in their clothes, placed in a camera's picture: colours in YUV, size and tilt from the projection."""

import math
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from simulator.pictures.body import (
    ELEVATIONS_DEG,
    LIGHT_ONE,
    PX_PER_M,
    STATURE_M,
    VIEWS,
    Garment,
    Posture,
    Template,
    nearest_elevation,
    template,
)
from simulator.pictures.outfits import Palette
from simulator.pictures.view import Camera

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

TO_YUV = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], np.float32
) / np.float32(255)
"""ITU-R BT.601, 8 bits, studio range; add (16, 128, 128)."""


def to_yuv(rgb: Floats) -> Floats:
    """sRGB 0 to 255 (..., 3) as Y-16, U-128, V-128."""
    return rgb @ TO_YUV.T


Key = tuple[Posture, int, int, int]
"""What `body.template` draws: posture, phase, view, elevation."""


class Woven(NamedTuple):
    """A template shrunk, before it is coloured: colours are linear in the light that each garment sends to each pixel.

    `at` (n,) flat indexes of the pixels touched in a picture of `size` (h, w); `light` (n, garments) what a garment of
    white would add there; `cover` (n,) alpha.
    """

    size: tuple[int, int]
    at: npt.NDArray[np.int64]
    light: Floats
    cover: Floats


@lru_cache(maxsize=1024)
def woven(key: Key, level: int) -> Woven:
    """The template of `key` at 1/2^`level` of its size."""
    shape = template(*key)
    rows, columns = np.nonzero(shape.garment)
    worn = shape.garment[rows, columns].astype(np.int64)
    height, width = (-(-side // 2**level) for side in shape.garment.shape)
    cell = (rows >> level) * width + (columns >> level)
    at, place = np.unique(cell, return_inverse=True)
    count = len(Garment)
    light = np.bincount(place * count + worn, shape.light[rows, columns], len(at) * count).reshape(-1, count)
    cover = np.bincount(place, minlength=len(at))
    share = 0.25**level
    return Woven(
        (height, width), at, (light * (share / LIGHT_ONE)).astype(np.float32), (cover * share).astype(np.float32)
    )


def dress(key: Key, level: int, palette: Palette, number: int) -> Floats:
    """The template in the palette's colours (h, w, 4): Y-16, U-128, V-128 times alpha, and alpha 0 to 1."""
    cloth = woven(key, level)
    colours = to_yuv(palette)
    worn = cloth.light @ colours
    back = template(*key).back
    if number and back is not None:
        ink = _ink(number, back, level, cloth.size).reshape(-1)[cloth.at]
        worn += (ink * cloth.light[:, Garment.SHIRT])[:, None] * (colours[Garment.NUMBER] - colours[Garment.SHIRT])
    out = np.zeros((cloth.size[0] * cloth.size[1], 4), np.float32)
    out[cloth.at, :3] = worn
    out[cloth.at, 3] = cloth.cover
    whole = out.reshape(*cloth.size, 4)
    return whole if level else cv2.GaussianBlur(whole, (3, 3), 0.6)


@lru_cache(maxsize=128)
def _digits(number: int) -> npt.NDArray[np.uint8]:
    """The number's strokes in a square of 64 pixels."""
    square = np.zeros((64, 64), np.uint8)
    text = str(number)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)
    scale = min(58 / width, 56 / height)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 5)
    at = ((64 - width) // 2, (64 + height) // 2)
    return np.asarray(cv2.putText(square, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, 255, 6, cv2.LINE_AA), np.uint8)


def _ink(number: int, back: Array, level: int, size: tuple[int, int]) -> Floats:
    """How much of each pixel of a template halved `level` times the number's strokes cover, 0 to 1."""
    digits = _digits(number)
    side = max(8, 64 >> level)
    small = cv2.resize(digits, (side, side), interpolation=cv2.INTER_AREA)
    to_pixels = back @ np.diag([1 / side, 1 / side, 1.0]) / 2.0**level
    to_pixels[:, 2] += to_pixels[:, :2] @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(small, to_pixels, size[::-1], flags=cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)


class Wardrobe:
    """Dressed figures kept ready, halved in size as often as asked for; the oldest go when `limit_bytes` is reached."""

    def __init__(self, limit_bytes: int = 48 << 20) -> None:
        self._limit = limit_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Floats] = OrderedDict()

    def figure(self, who: Hashable, palette: Palette, number: int, key: Key, level: int) -> Floats:
        """The figure `key` (posture, phase, view, elevation) of `who`, at 1/2^`level` of its size."""
        name = (who, key, level)
        found = self._kept.get(name)
        if found is not None:
            self._kept.move_to_end(name)
            return found
        made = dress(key, level, palette, number)
        self._kept[name] = made
        self._bytes += made.nbytes
        while self._bytes > self._limit:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.nbytes
        return made


class Placed:
    """Where figures of known place, height and heading appear in `camera`: one row per figure.

    `view` and `elevation` choose the template; `depth_m` is the distance; `affine` (n, 2, 3) maps pixels of the
    template, counted from its middle, to the picture; rows with `visible` False are behind the camera or far outside.
    """

    def __init__(self, camera: Camera, ground_m: Array, height_m: Array, heading: Array) -> None:
        count = len(ground_m)
        sight = ground_m[:, :2] - camera.centre[:2]
        away = np.maximum(np.linalg.norm(sight, axis=1), 1e-6)
        ahead = sight / away[:, None]
        right = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
        drop = camera.position_m[2] - ground_m[:, 2] - height_m / 2
        down = np.degrees(np.arctan2(drop, away))
        self.depth_m = np.hypot(away, drop)
        self._ahead = ahead / away[:, None]
        self.elevation = [nearest_elevation(float(d)) for d in down]
        facing = np.stack([np.cos(heading), np.sin(heading)], axis=1)
        turn = np.arctan2((facing * ahead).sum(axis=1), (facing * right).sum(axis=1))
        self.view = np.mod(np.rint(turn / (2 * math.pi) * VIEWS), VIEWS).astype(int)
        feet = np.column_stack([ground_m[:, :2], ground_m[:, 2]])
        head = feet + np.column_stack([np.zeros((count, 2)), height_m])
        middle = (feet + head) / 2
        aside = np.column_stack([right * 0.25, np.zeros(count)])
        pixels = camera.project(np.concatenate([feet, head, middle - aside, middle + aside])).reshape(4, count, 2)
        foreshortened = np.cos(np.radians([ELEVATIONS_DEG[e] for e in self.elevation]))
        upward = (pixels[1] - pixels[0]) / (STATURE_M * PX_PER_M * foreshortened)[:, None]
        rightward = (pixels[3] - pixels[2]) * (2 * height_m / STATURE_M / PX_PER_M)[:, None]
        self.feet, self.heads = pixels[0], pixels[1]
        self.affine = np.stack([rightward, -upward, (pixels[0] + pixels[1]) / 2], axis=2)
        slack = 3 * np.abs(pixels[1] - pixels[0]).max(axis=1)
        centre = self.affine[:, :, 2]
        with np.errstate(invalid="ignore"):
            self.visible = (
                ~np.isnan(pixels).any(axis=(0, 2))
                & (centre > -slack[:, None]).all(axis=1)
                & (centre < np.array([camera.width_px, camera.height_px]) + slack[:, None]).all(axis=1)
            )

    def reach(self, row: int, rays: Floats) -> Floats:
        """How far along `rays` (..., 3) this figure's upright plane is, in metres."""
        return (1 / np.maximum(rays[..., :2] @ self._ahead[row], 1e-6)).astype(np.float32)

    def level(self, row: int) -> int:
        """How often the template may be halved for this figure's size."""
        scale = math.sqrt(abs(float(np.linalg.det(self.affine[row, :, :2]))))
        return max(0, min(4, math.floor(-math.log2(max(scale, 1e-3)) + 0.35)))

    def onto(self, row: int, shape: Template, level: int) -> Array:
        """The affine map (2, 3) from pixels of `shape`, halved `level` times, to the picture (centres at .5)."""
        affine = self.affine[row]
        whole = affine.copy()
        whole[:, 2] = affine[:, 2] - affine[:, :2] @ np.array(shape.middle)
        whole[:, :2] *= 2.0**level
        return whole
