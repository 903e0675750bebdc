"""Short strokes of paint found in a picture without knowing where to look, and the straight lines that they make up."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hub.calibrate.paint import White
from wire.rig import Array

Index = npt.NDArray[np.int64]

_LEVELS = (1.0, 0.5, 0.25)
"""Paint is some pixels wide near by and one far away: it is looked for at three sizes of the picture."""
_WIDTH = 1920
_SIGMA = 1.2
_CELL_PX = 16.0
_CONTRAST = 2.5
"""Least curvature of brightness across a stroke, levels per pixel squared: paint a dozen levels brighter than grass."""
_STRAIGHT_PX = 0.7
_LEAST_POINTS = 9


@dataclass(frozen=True)
class Strokes:
    """Straight pieces of bright ridges: middle (n, 2) in the picture's pixels, unit direction (n, 2), length (n,)."""

    middle: Array
    along: Array
    length_px: Array


@dataclass(frozen=True)
class Ridges:
    """Points (n, 2) on the crests of bright ridges, in the picture's pixels, and the unit direction across (n, 2)."""

    pixels: Array
    across: Array


def find_strokes(white: White) -> tuple[Strokes, Ridges]:
    """The strokes of a picture given as its `whiteness`, and the crest points of its finest size."""
    scale = min(1.0, _WIDTH / white.shape[1])
    found: list[tuple[Array, Array, Array]] = []
    crests: list[Ridges] = []
    for level in _LEVELS:
        shrunk = cv2.resize(white, None, fx=scale * level, fy=scale * level, interpolation=cv2.INTER_AREA)
        points, across = _crests(np.asarray(shrunk, np.float32))
        crests.append(Ridges(points / (scale * level), across))
        found.append(_gathered(points, across, scale * level))
    middle, along, length = (np.concatenate(column) for column in zip(*found, strict=True))
    return Strokes(middle, along, length), crests[0]


def _crests(white: White) -> tuple[Array, Array]:
    """Crest points (n, 2) and the directions across the ridge there, by the Hessian's eigenvectors (Steger 1998)."""
    smooth = cv2.GaussianBlur(white, (0, 0), _SIGMA)
    gx, gy = (cv2.Sobel(smooth, cv2.CV_32F, *d, ksize=3, scale=1 / 8) for d in ((1, 0), (0, 1)))
    xx, yy, xy = (
        cv2.Sobel(smooth, cv2.CV_32F, *d, ksize=3, scale=s)
        for d, s in (((2, 0), 1 / 4), ((0, 2), 1 / 4), ((1, 1), 1 / 4))
    )
    half, root = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    steep, flat = half - root, half + root
    bright = (steep < -_CONTRAST) & (np.abs(flat) < -0.5 * steep)
    bright[:2] = bright[-2:] = False
    bright[:, :2] = bright[:, -2:] = False
    v, u = np.nonzero(bright)
    a, b, c, low = xx[v, u], xy[v, u], yy[v, u], steep[v, u]
    # The eigenvector of (a b; b c) for the eigenvalue `low`, taken from the row that does not vanish.
    first = np.abs(a - low) < np.abs(c - low)
    nx, ny = np.where(first, low - c, b), np.where(first, b, low - a)
    norm = np.hypot(nx, ny) + 1e-12
    nx, ny = nx / norm, ny / norm
    shift = -(gx[v, u] * nx + gy[v, u] * ny) / low
    crest = np.abs(shift) < 0.6
    shift, nx, ny = shift[crest], nx[crest], ny[crest]
    at = np.stack([u[crest] + shift * nx + 0.5, v[crest] + shift * ny + 0.5], axis=1)
    return at.astype(np.float64), np.stack([nx, ny], axis=1).astype(np.float64)


def _gathered(points: Array, across: Array, scale: float) -> tuple[Array, Array, Array]:
    """Crest points of one cell and about one direction, fitted by a straight stroke; in pixels of the whole picture."""
    angle = np.mod(np.arctan2(across[:, 1], across[:, 0]), np.pi)
    cell = np.floor(points / _CELL_PX).astype(np.int64)
    place = cell[:, 1] * 100_000 + cell[:, 0]
    out = []
    # Two sets of bins, for a direction may lie on the border between two.
    for shift in (0.0, 0.5):
        bins = np.floor(np.mod(angle / np.pi * 6 + shift, 6)).astype(np.int64)
        keys, group, count = np.unique(place * 8 + bins, return_inverse=True, return_counts=True)
        mean = np.stack([np.bincount(group, points[:, k]) / count for k in (0, 1)], axis=1)
        gap = points - mean[group]
        xx, yy, xy = (np.bincount(group, gap[:, i] * gap[:, j]) / count for i, j in ((0, 0), (1, 1), (0, 1)))
        turn = 0.5 * np.arctan2(2 * xy, xx - yy)
        along = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        half, root = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
        thin = np.sqrt(np.maximum(half - root, 0)) < _STRAIGHT_PX
        length = np.sqrt(12 * (half + root))
        # The stroke must run as its points say, or it is a pile of short ones side by side.
        facing = np.bincount(group, np.abs((across * along[group]).sum(axis=1))) / count
        good = (count >= _LEAST_POINTS) & thin & (facing < 0.35) & (count > 0.6 * length)
        out.append((keys[good] // 8, mean[good], along[good], length[good]))
    place, mean, along, length = (np.concatenate(column) for column in zip(*out, strict=True))
    order = np.lexsort((-length, place))
    keep = np.ones(len(order), bool)
    for gap_in_order in (1, 2):
        if len(order) <= gap_in_order:
            break
        a, b = order[gap_in_order:], order[:-gap_in_order]
        same = (place[a] == place[b]) & (np.abs((along[a] * along[b]).sum(axis=1)) > 0.94)
        same &= np.abs((mean[a] - mean[b]) @ np.ones(2)) < 2 * _CELL_PX
        keep[gap_in_order:] &= ~same
    chosen = order[keep]
    return mean[chosen] / scale, along[chosen], length[chosen] / scale


@dataclass(frozen=True)
class Straights:
    """Straight lines in space seen as great circles: unit normals (n, 3) of their planes through the camera, how much
    stroke makes each up (n,) in radians, and the mean (n, 3) of those strokes' rays."""

    normals: Array
    weight: Array
    middles: Array


def find_straights(
    strokes: Strokes, rays_of: Callable[[Array], Array], random: np.random.Generator, most: int = 24, longest: int = 900
) -> Straights:
    """The longest straight lines among strokes (RANSAC, one line after the other).

    `rays_of` turns pixels (n, 2) into unit rays (n, 3) of the camera's own axes. Lines are begun by the `longest`
    strokes.
    """
    ends = [rays_of(strokes.middle + sign * strokes.along * strokes.length_px[:, None] / 2) for sign in (-1, 1)]
    middle = rays_of(strokes.middle)
    own = np.cross(ends[0], ends[1])
    size = np.linalg.norm(own, axis=1)
    own /= size[:, None]
    left = np.ones(len(middle), bool)
    normals: list[Array] = []
    weights: list[float] = []
    middles: list[Array] = []
    pairs = _agreeing(middle, own, size, random, longest)
    planes = np.cross(middle[pairs[:, 0]], middle[pairs[:, 1]])
    planes /= np.linalg.norm(planes, axis=1, keepdims=True)
    near = (np.abs(planes @ middle.T) < 0.0022) & (np.abs(planes @ own.T) > 0.996)
    votes = near * size
    while len(normals) < most and len(pairs):
        score = votes[:, left].sum(axis=1)
        best = int(score.argmax())
        if score[best] < 0.05:
            break
        normal = planes[best]
        for _ in range(3):
            mine = left & (np.abs(middle @ normal) < 0.0018) & (np.abs(own @ normal) > 0.996)
            spread = (middle[mine] * size[mine, None]).T @ middle[mine]
            normal = np.linalg.eigh(spread)[1][:, 0]
        mine = left & (np.abs(middle @ normal) < 0.0018) & (np.abs(own @ normal) > 0.995)
        if size[mine].sum() >= 0.05 and mine.sum() >= 3:
            normals.append(normal)
            weights.append(size[mine].sum())
            middles.append(middle[mine].mean(axis=0))
        left &= ~(near[best] | mine | ((np.abs(middle @ normal) < 0.003) & (np.abs(own @ normal) > 0.99)))
    return Straights(np.array(normals).reshape(-1, 3), np.array(weights), np.array(middles).reshape(-1, 3))


def _agreeing(middle: Array, own: Array, size: Array, random: np.random.Generator, longest: int) -> Index:
    """Pairs (n, 2) of strokes that may lie on one line: the plane through both middles is each one's own."""
    chosen = np.argsort(-size)[:longest]
    a, b = np.triu_indices(len(chosen), 1)
    a, b = chosen[a], chosen[b]
    apart = np.einsum("ij,ij->i", middle[a], middle[b])
    keep = (apart < np.cos(0.03)) & (apart > np.cos(0.6))
    keep &= (np.abs((own[a] * middle[b]).sum(axis=1)) < 0.05) & (np.abs((own[b] * middle[a]).sum(axis=1)) < 0.05)
    a, b = a[keep], b[keep]
    plane = np.cross(middle[a], middle[b])
    plane /= np.linalg.norm(plane, axis=1, keepdims=True)
    agree = (np.abs((plane * own[a]).sum(axis=1)) > 0.9985) & (np.abs((plane * own[b]).sum(axis=1)) > 0.9985)
    pairs = np.stack([a[agree], b[agree]], axis=1)
    if len(pairs) > 4000:
        pairs = pairs[random.choice(len(pairs), 4000, replace=False)]
    return pairs
