"""Making neighbours look alike: one gain per camera and channel, one vignette for the model of lens."""

from collections.abc import Sequence

import cv2
import numpy as np

from hub.calibrate.views import Picture
from wire.rig import Array, CameraModel, Photometry

_GRID_M = 1.0
_BLOCK_PX = 9
_LEAST = 40
"""Points two cameras must share before their exposures are compared."""


def match_exposures(cameras: Sequence[CameraModel], pictures: Sequence[Picture]) -> list[Photometry]:
    """Gains and vignette by robust log-linear least squares over the pitch that neighbours both see.

    Works on the stored (gamma-coded) values, as the panorama does. The gains' geometric mean is 1 in each channel. Two
    cameras without a common part of the pitch keep what they have.
    """
    n = len(cameras)
    rows, values, channels = [], [], []
    ground = _ground(cameras)
    smooth = [cv2.blur(picture, (_BLOCK_PX, _BLOCK_PX)).astype(np.uint8) for picture in pictures]
    for i in range(n - 1):
        a, b = cameras[i], cameras[i + 1]
        in_a, in_b = a.project(ground), b.project(ground)
        both = ~np.isnan(in_a[:, 0]) & ~np.isnan(in_b[:, 0])
        both &= a.sees(np.nan_to_num(in_a, nan=-1.0), _BLOCK_PX) & b.sees(np.nan_to_num(in_b, nan=-1.0), _BLOCK_PX)
        if both.sum() < _LEAST:
            continue
        seen_a, seen_b = _read(smooth[i], in_a[both]), _read(smooth[i + 1], in_b[both])
        usable = ((seen_a > 12) & (seen_a < 240) & (seen_b > 12) & (seen_b < 240)).all(axis=1)
        r_a, r_b = corner_radius(a, in_a[both])[usable] ** 2, corner_radius(b, in_b[both])[usable] ** 2
        for channel in range(3):
            row = np.zeros((int(usable.sum()), 3 * n + 2))
            row[:, 3 * i + channel], row[:, 3 * (i + 1) + channel] = 1.0, -1.0
            row[:, 3 * n], row[:, 3 * n + 1] = r_b - r_a, r_b**2 - r_a**2
            rows.append(row)
            values.append(np.log(seen_b[usable, channel]) - np.log(seen_a[usable, channel]))
            channels.append(np.full(len(row), channel))
    if not rows:
        return [Photometry() for _ in cameras]
    fit = _robust(np.concatenate(rows), np.concatenate(values), n)
    gains = np.exp(fit[: 3 * n].reshape(n, 3))
    falloff = (float(fit[3 * n]), float(fit[3 * n + 1]))
    # exp(a r^2 + b r^4) as the first terms of its series.
    vignette = (falloff[0], falloff[1] + falloff[0] ** 2 / 2)
    return [Photometry((float(g[0]), float(g[1]), float(g[2])), vignette) for g in gains]


def corner_radius(camera: CameraModel, pixels: Array) -> Array:
    """Distance (n,) of pixels (n, 2) from the picture's centre as a share of the corner's."""
    half = np.array([camera.width_px, camera.height_px]) / 2
    return np.asarray(np.linalg.norm(pixels - half, axis=1) / np.linalg.norm(half))


def _ground(cameras: Sequence[CameraModel]) -> Array:
    """A grid over everything around the cameras that may be grass."""
    middle = np.mean([camera.position_m for camera in cameras], axis=0)
    x = np.arange(-70.0, 70.0, _GRID_M)
    y = np.arange(middle[1], middle[1] + 90.0, _GRID_M)
    gx, gy = np.meshgrid(x, y)
    return np.stack([gx.ravel(), gy.ravel(), np.zeros(gx.size)], axis=1)


def _read(picture: Picture, pixels: Array) -> Array:
    """Values (n, 3) as R, G, B."""
    whole = np.floor(pixels).astype(np.int64)
    out: Array = picture[whole[:, 1], whole[:, 0], ::-1].astype(np.float64)
    return out


def _robust(rows: Array, values: Array, cameras: int) -> Array:
    """Least squares reweighted by a Cauchy loss of 3 %, the gains' mean and the vignette held weakly at nothing."""
    holds = np.zeros((5, rows.shape[1]))
    strength = np.sqrt(len(rows))
    for channel in range(3):
        holds[channel, channel : 3 * cameras : 3] = strength
    # A vignette is told from the overlap's two sides only; without a reason it stays below some 20 % at the corner.
    holds[3, 3 * cameras], holds[4, 3 * cameras + 1] = 0.03 * strength / 0.2, 0.03 * strength / 0.2
    fit = np.zeros(rows.shape[1])
    for _ in range(15):
        gap = values - rows @ fit
        weight = 1 / np.sqrt(1 + (gap / 0.03) ** 2)
        left = np.concatenate([rows * weight[:, None], holds])
        right = np.concatenate([values * weight, np.zeros(5)])
        fit = np.linalg.lstsq(left, right, rcond=None)[0]
    return fit
