"""Following people over the ground: the cameras' tracklets become pieces of path, one person each.

Five times a second every piece is predicted and takes at most one tracklet of each camera (Hungarian, camera by
camera), judged by place, colour and whether the camera has called it the same before. A piece that nobody sees for a
second ends; `hub.fuse.linking` joins pieces into people.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from hub.fuse.encounters import cuts, trusted_colours
from hub.fuse.ground import FRAMES_PER_SECOND, Points
from hub.fuse.smoothing import Paths, smooth

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEP = 5
"""Frames per step."""
_COAST = 5
_LONGEST_GAP = 12
_FASTEST_MPS = 12.0
_AGITATION = 4.0
# What calibration leaves between two cameras, metres.
_BIAS_M = 0.3
_GATE = 18.0
_SAME_TRACKLET = 8.0
_OTHER_TRACKLET = 5.0
_COLOUR_SIGMA = 22.0
_COLOUR_MOST = 9.0
_FORBIDDEN = 1e6


@dataclass(frozen=True)
class Steps:
    """Every tracklet at every step in which it was measured: `step`, `camera`, `run` (an unbroken stretch of a
    tracklet), `xy`, `cov`, `lab`; ordered by step, camera."""

    step: Ints
    camera: Ints
    run: Ints
    xy: Array
    cov: Array
    lab: Array


def runs(points: Points) -> Ints:
    """The unbroken stretch (m,) that each point belongs to: tracklets are cut at gaps of half a second, at leaps
    that nobody can run, and where they part from one another in the picture."""
    if not len(points):
        return np.zeros(0, np.int64)
    dt = np.diff(points.time)
    leap = np.hypot(*np.diff(points.xy, axis=0).T)
    spread = np.sqrt(points.cov[:, 0] + points.cov[:, 2])
    far = leap > _FASTEST_MPS * np.maximum(dt, 1) / FRAMES_PER_SECOND + 4 * np.maximum(spread[1:], spread[:-1]) + 0.5
    cut = (np.diff(points.tracklet) != 0) | (dt > _LONGEST_GAP) | far | cuts(points)[1:]
    return np.concatenate([[0], np.cumsum(cut)]).astype(np.int64)


def steps(points: Points, run: Ints, paths: Paths) -> Steps:
    """Samples the smoothed runs at the middle of every step."""
    step = np.floor(points.time / STEP).astype(np.int64)
    key = run * (step.max() + 2) + step + 1
    _, head, back, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    n = len(head)
    mean = [np.bincount(back, points.cov[:, i], n) / count for i in range(3)]
    cov = np.column_stack(mean) / np.minimum(count, 2)[:, None]
    cov[:, [0, 2]] += _BIAS_M**2
    middle = step[head] * STEP + STEP // 2
    xy = paths.at(run[head], middle)
    lab = _colours(points, run)[run[head]]
    order = np.lexsort((run[head], points.camera[head], step[head]))
    return Steps(step[head][order], points.camera[head][order], run[head][order], xy[order], cov[order], lab[order])


def _colours(points: Points, run: Ints) -> Array:
    """The mean known colour (runs, 3) of every run."""
    known = ~np.isnan(points.lab[:, 0])
    count = int(run.max()) + 1
    number = np.bincount(run[known], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = [np.bincount(run[known], points.lab[known, i], count) / number for i in range(3)]
    return np.column_stack(mean)


class _Flock:
    """The live pieces as arrays: state x, y, vx, vy with covariance, colour, and who each camera says they are."""

    def __init__(self, cameras: int) -> None:
        self.state = np.zeros((0, 4))
        self.cov = np.zeros((0, 4, 4))
        self.lab = np.zeros((0, 3))
        self.piece = np.zeros(0, np.int64)
        self.seen = np.zeros(0, np.int64)
        self.runs = np.zeros((0, cameras), np.int64)
        self.pieces = 0
        dt = STEP / FRAMES_PER_SECOND
        self.move = np.eye(4)
        self.move[0, 2] = self.move[1, 3] = dt
        q = np.zeros((4, 4))
        for i in (0, 1):
            q[i, i], q[i + 2, i + 2] = dt**3 / 3, dt
            q[i, i + 2] = q[i + 2, i] = dt**2 / 2
        self.noise = q * _AGITATION

    def predict(self) -> None:
        self.state = self.state @ self.move.T
        self.cov = self.move @ self.cov @ self.move.T + self.noise

    def forget(self, step: int) -> None:
        keep = step - self.seen <= _COAST
        for name in ("state", "cov", "lab", "piece", "seen", "runs"):
            setattr(self, name, getattr(self, name)[keep])

    def costs(self, xy: Array, cov: Array, lab: Array, run: Ints, camera: int) -> Array:
        s = self.cov[:, None, :2, :2] + 0.0
        sxx, sxy, syy = (s[..., 0, 0] + cov[None, :, 0], s[..., 0, 1] + cov[None, :, 1], s[..., 1, 1] + cov[None, :, 2])
        det = sxx * syy - sxy**2
        off = xy[None] - self.state[:, None, :2]
        d2 = (syy * off[..., 0] ** 2 - 2 * sxy * off[..., 0] * off[..., 1] + sxx * off[..., 1] ** 2) / det
        hue = np.nansum(((lab[None] - self.lab[:, None]) / _COLOUR_SIGMA) ** 2, axis=2)
        cost = d2 + np.log(det + 1e-3) + np.minimum(hue, _COLOUR_MOST)
        same = self.runs[:, camera][:, None] == run[None]
        claimed = same.any(axis=0)
        cost += np.where(same, -_SAME_TRACKLET, np.where(claimed[None], _OTHER_TRACKLET, 0.0))
        cost[d2 > np.where(same, 2 * _GATE, _GATE)] = _FORBIDDEN
        return np.asarray(cost)

    def update(self, rows: Ints, xy: Array, cov: Array, lab: Array) -> None:
        r = np.empty((len(rows), 2, 2))
        r[:, 0, 0], r[:, 0, 1], r[:, 1, 0], r[:, 1, 1] = cov[:, 0], cov[:, 1], cov[:, 1], cov[:, 2]
        p = self.cov[rows]
        gain = p[:, :, :2] @ np.linalg.inv(p[:, :2, :2] + r)
        self.state[rows] += np.einsum("nij,nj->ni", gain, xy - self.state[rows, :2])
        self.cov[rows] = p - gain @ p[:, :2, :]
        old = self.lab[rows]
        mixed = np.where(np.isnan(old), lab, old + 0.1 * (lab - old))
        self.lab[rows] = np.where(np.isnan(mixed), old, mixed)

    def add(self, step: int, camera: int, *, xy: Array, cov: Array, lab: Array, run: Ints) -> Ints:
        n = len(xy)
        p = np.zeros((n, 4, 4))
        p[:, 0, 0], p[:, 0, 1], p[:, 1, 0], p[:, 1, 1] = cov[:, 0], cov[:, 1], cov[:, 1], cov[:, 2]
        p[:, 2, 2] = p[:, 3, 3] = 9.0
        made = np.arange(self.pieces, self.pieces + n)
        self.pieces += n
        called = np.full((n, self.runs.shape[1]), -1, np.int64)
        called[:, camera] = run
        self.state = np.concatenate([self.state, np.column_stack([xy, np.zeros((n, 2))])])
        self.cov = np.concatenate([self.cov, p])
        self.lab = np.concatenate([self.lab, lab])
        self.piece = np.concatenate([self.piece, made])
        self.seen = np.concatenate([self.seen, np.full(n, step)])
        self.runs = np.concatenate([self.runs, called])
        return made


def follow(sampled: Steps, cameras: int) -> Ints:
    """The piece (m,) that each entry of `sampled` belongs to."""
    piece = np.full(len(sampled.step), -1, np.int64)
    if not len(piece):
        return piece
    flock = _Flock(cameras)
    edges = np.searchsorted(sampled.step, np.arange(sampled.step[-1] + 2))
    for step in range(int(sampled.step[0]), int(sampled.step[-1]) + 1):
        flock.predict()
        flock.forget(step)
        rows = np.arange(edges[step], edges[step + 1]) if step >= 0 else np.flatnonzero(sampled.step == step)
        for camera in range(cameras):
            mine = rows[sampled.camera[rows] == camera]
            if len(mine):
                piece[mine] = _take(flock, sampled, mine, camera, step)
    return piece


def _take(flock: _Flock, sampled: Steps, rows: Ints, camera: int, step: int) -> Ints:
    """Gives each of one camera's entries to a live piece or starts one with it."""
    xy, cov, lab, run = sampled.xy[rows], sampled.cov[rows], sampled.lab[rows], sampled.run[rows]
    out = np.full(len(rows), -1, np.int64)
    if len(flock.piece):
        cost = flock.costs(xy, cov, lab, run, camera)
        i, j = linear_sum_assignment(np.minimum(cost, 60.0))
        good = cost[i, j] < 60.0
        i, j = i[good], j[good]
        flock.update(i, xy[j], cov[j], lab[j])
        flock.seen[i] = step
        # A tracklet has one owner.
        flock.runs[:, camera] = np.where(np.isin(flock.runs[:, camera], run[j]), -1, flock.runs[:, camera])
        flock.runs[i, camera] = run[j]
        out[j] = flock.piece[i]
    new = np.flatnonzero(out < 0)
    if len(new):
        out[new] = flock.add(step, camera, xy=xy[new], cov=cov[new], lab=lab[new], run=run[new])
    return out


def pieces(points: Points, cameras: int) -> tuple[Points, Ints]:
    """The piece of path (m,) that each point belongs to, numbered from 0 without holes, and the points without the
    colours that are not theirs for sure."""
    if not len(points):
        return points, np.zeros(0, np.int64)
    run = runs(points)
    points = trusted_colours(points, run)
    sampled = steps(points, run, smooth(run, points.time, points.xy, points.cov))
    found = follow(sampled, cameras)
    # Back from (run, step) to its points.
    width = int(sampled.step.max()) + 2
    key = sampled.run * width + sampled.step + 1
    order = np.argsort(key)
    own = run * width + np.floor(points.time / STEP).astype(np.int64) + 1
    piece = found[order][np.searchsorted(key[order], own)]
    return points, np.unique(piece, return_inverse=True)[1].astype(np.int64)
