"""How like the true panorama a picture is: luma PSNR and SSIM, and how foreign panoramas are brought into its view."""

from typing import Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from simulator.scenes import TruePanorama
from simulator.scenes.cylinder import Cylinder
from wire.panorama import PanoramaView

Luma = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]
Projection = Literal["sphere", "cylinder"]
_LEAST = 60
"""Matches without which a panorama is not recognised."""
_CELL_PX, _A_CELL = 128, 60


class Likeness(NamedTuple):
    """PSNR in dB and mean SSIM over the pixels that both show, the PSNR over those of the blend, and the share of what
    the true panorama shows that is shown at all."""

    psnr: float
    ssim: float
    seam_psnr: float
    covered: float


def luma(picture: Picture) -> Luma:
    """Brightness (h, w), 0 to 255, of a BGR picture."""
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)


def likeness(shown: Luma, there: Mask, true: Luma, valid: Mask, seams: list[tuple[int, int]]) -> Likeness:
    """`shown` where it is `there`, against `true` where that is `valid`; `seams` are the columns of the blend.

    How bright the whole picture is is nobody's fault: one factor over all of it is taken out first, for everybody.
    """
    shared = there & valid
    both = cv2.erode(shared.astype(np.uint8), np.ones((9, 9))) > 0
    factor = float((shown[both] * true[both]).sum() / max((shown[both] ** 2).sum(), 1.0))
    even = shown * np.float32(factor)
    blend = np.zeros_like(both)
    for low, high in seams:
        blend[:, low:high] = both[:, low:high]
    covered = float(shared.sum() / max(valid.sum(), 1))
    return Likeness(_psnr(even, true, both), _ssim(even, true, both), _psnr(even, true, blend), covered)


def _psnr(a: Luma, b: Luma, where: Mask) -> float:
    return float(10 * np.log10(255.0**2 / max(float(((a - b)[where] ** 2).mean()), 1e-9)))


def _ssim(a: Luma, b: Luma, where: Mask) -> float:
    """Structural similarity (Wang et al. 2004) in windows of 11 pixels, sigma 1.5."""

    def smooth(x: Luma) -> Luma:
        return cv2.GaussianBlur(x, (11, 11), 1.5)

    mean_a, mean_b = smooth(a), smooth(b)
    var_a, var_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
    both = smooth(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    out = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(out[where].mean())


def aligned(foreign: Picture, true: TruePanorama, projection: Projection) -> tuple[Luma, Mask] | None:
    """A panorama in another `projection`, of unknown direction and scale, as the view of the true one has it, and where
    it shows something; None when it cannot be recognised.

    The map is the best rotation, scale and shift, and on top a smooth polynomial, fitted to what is recognised in both:
    seams stay as they are, but smooth distortion is forgiven. That is more than fair to a peer.
    """
    here, there = _matches(true.picture, foreign)
    if len(here) < _LEAST:
        return None
    cylinder = Cylinder(true.view)
    _, sure = cv2.findHomography(here, there, cv2.USAC_MAGSAC, 0.05 * foreign.shape[1], confidence=0.999, maxIters=5000)
    keep = np.ones(len(here), bool) if sure is None else sure[:, 0] > 0
    fit = np.array([0.0, 0.3, 0.0, true.view.focal_px, true.view.focal_px, *(np.array(foreign.shape[1::-1]) / 2)])
    bend = np.zeros((len(_powers(here[:1], true.view)[0]), 2))
    for reach in (0.05 * foreign.shape[1], 60.0, 20.0, 8.0, 4.0):
        rays, target = cylinder.rays(here[keep]), there[keep]

        def gaps(x: Array, rays: Array = rays, target: Array = target) -> Array:
            return (_projected(x, rays, projection) - target).ravel()

        fit = least_squares(gaps, fit, loss="soft_l1", f_scale=reach / 4, x_scale=np.maximum(np.abs(fit), 0.1)).x
        left = there - _projected(fit, cylinder.rays(here), projection)
        bend = _ridge(_powers(here[keep], true.view), left[keep])
        gap = np.linalg.norm(left - _powers(here, true.view) @ bend, axis=1)
        keep = gap < max(reach, 2.0 * float(np.median(gap[keep])))
        if keep.sum() < _LEAST:
            return None
    width, height = true.view.width_px, true.view.height_px
    u, v = np.meshgrid(np.arange(0, width + 16, 8.0), np.arange(0, height + 16, 8.0))
    nodes = np.stack([u.ravel(), v.ravel()], axis=1) + 0.5
    coarse = (_projected(fit, cylinder.rays(nodes), projection) + _powers(nodes, true.view) @ bend).reshape(*u.shape, 2)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32) / 8, np.arange(height, dtype=np.float32) / 8)
    maps = cv2.remap((coarse - 0.5).astype(np.float32), x, y, cv2.INTER_LINEAR)
    shown = cv2.remap(luma(foreign), maps[..., 0], maps[..., 1], cv2.INTER_CUBIC)
    content = cv2.erode((foreign.max(axis=2) > 0).astype(np.uint8), np.ones((7, 7)), borderValue=0)
    return shown, cv2.remap(content, maps[..., 0], maps[..., 1], cv2.INTER_NEAREST) > 0


def _projected(fit: Array, rays: Array, projection: Projection) -> Array:
    """Pixels (n, 2) of directions (n, 3): turned by a rotation vector, scaled and shifted on a sphere or cylinder."""
    turned = rays @ Rotation.from_rotvec(fit[:3]).as_matrix().T
    level = np.hypot(turned[:, 0], turned[:, 1])
    azimuth = np.arctan2(turned[:, 0], turned[:, 1])
    rise = np.arctan2(turned[:, 2], level) if projection == "sphere" else turned[:, 2] / np.maximum(level, 1e-6)
    return np.stack([fit[3] * azimuth + fit[5], fit[6] - fit[4] * rise], axis=1)


def _matches(a: Picture, b: Picture) -> tuple[Array, Array]:
    """Pixels (n, 2) of what is recognised in both."""
    (at_a, words_a), (at_b, words_b) = _features(a), _features(b)
    pairs = cv2.BFMatcher().knnMatch(words_a, words_b, k=2)
    good = [best for best, second in pairs if best.distance < 0.75 * second.distance]
    return at_a[[m.queryIdx for m in good]], at_b[[m.trainIdx for m in good]]


def _features(picture: Picture) -> tuple[Array, npt.NDArray[np.float32]]:
    """The strongest features of every part of the picture, found at half its size."""
    half = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    sift = cv2.SIFT_create(contrastThreshold=0.006)
    cells: dict[tuple[int, int], list[cv2.KeyPoint]] = {}
    for found in sift.detect(half, None):
        cells.setdefault((int(found.pt[0] // _CELL_PX), int(found.pt[1] // _CELL_PX)), []).append(found)
    kept = [k for cell in cells.values() for k in sorted(cell, key=lambda k: -k.response)[:_A_CELL]]
    kept, words = sift.compute(half, kept)
    return (np.array([k.pt for k in kept]) + 0.5) * 2, words


def _powers(at: Array, view: PanoramaView) -> Array:
    x, y = (at - (view.width_px / 2, view.height_px / 2)).T / (view.width_px / 2)
    return np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=1)


def _ridge(powers: Array, values: Array) -> Array:
    """Least squares in which coefficients that the matches say little about stay small."""
    normal = powers.T @ powers + 1e-3 * len(powers) * np.eye(powers.shape[1])
    return np.linalg.solve(normal, powers.T @ values)
