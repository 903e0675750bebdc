"""Choosing the ball: of all that cameras took for one, the sequence of sightings that one ball could have made.

Ball tracklets are cut into short looks. A look earns by being measured often, surely, by two cameras, in motion; it
loses by lying where something always lies and by staying on somebody's leg. Dynamic programming over time picks the
best sequence that physics allows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.fuse.ground import FRAMES_PER_SECOND, Points
from hub.fuse.legs import clinging
from wire.pitch import Pitch

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LOOK = 8
"""Frames per look."""
FASTEST_MPS = 35.0
_MEMORY = 15
_RESTART = 4.0
_FORBIDDEN = 1e6
_LEG = 4.0
_LEG_SHARE = 0.6


@dataclass(frozen=True)
class Looks:
    """Short stretches of ball tracklets, ordered by window: first and last time (frames), positions (metres) and pixels
    there, velocity (m/s) and pixel velocity (px/frame), uncertainty (m), frames measured, mean score,
    camera, tracklet; `of_point` the look of each point."""

    window: Ints
    t0: Array
    t1: Array
    p0: Array
    p1: Array
    u0: Array
    u1: Array
    v: Array
    w: Array
    sigma: Array
    count: Ints
    score: Array
    camera: Ints
    tracklet: Ints
    of_point: Ints


def looks(points: Points) -> Looks:
    """Cuts the tracklets into looks and fits a line to each."""
    window = np.floor(points.time / LOOK).astype(np.int64)
    span = int(window.max() - window.min()) + 1
    key = (window - window.min()) + points.tracklet * span
    _, head, back, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    n = len(head)
    mean_t = np.bincount(back, points.time, n) / count
    dt = points.time - mean_t[back]
    spread = np.bincount(back, dt**2, n)
    both = np.concatenate([points.xy, points.pixel], axis=1)
    mean = np.column_stack([np.bincount(back, both[:, i], n) / count for i in range(4)])
    slope = np.column_stack([np.bincount(back, both[:, i] * dt, n) for i in range(4)])
    slope = np.where(spread[:, None] > 0.5, slope / np.maximum(spread, 0.5)[:, None], 0.0)
    tail = head + count - 1
    t0, t1 = points.time[head], points.time[tail]
    at0, at1 = mean + slope * (t0 - mean_t)[:, None], mean + slope * (t1 - mean_t)[:, None]
    sigma = np.sqrt(np.bincount(back, points.cov[:, 0] + points.cov[:, 2], n) / count)
    order = np.lexsort((points.tracklet[head], window[head]))
    rate: Array = np.asarray(slope, np.float64)
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    return Looks(
        window=window[head][order],
        t0=t0[order],
        t1=t1[order],
        p0=at0[order, :2],
        p1=at1[order, :2],
        u0=at0[order, 2:],
        u1=at1[order, 2:],
        v=rate[order, :2] * FRAMES_PER_SECOND,
        w=rate[order, 2:],
        sigma=sigma[order],
        count=count[order],
        score=(np.bincount(back, points.score, n) / count)[order],
        camera=points.camera[head][order],
        tracklet=points.tracklet[head][order],
        of_point=rank[back],
    )


def choose(points: Points, people: Points, pitch: Pitch) -> Flags:
    """Which of the ball candidates (m,) are the ball, given everybody whom the same cameras saw."""
    if not len(points):
        return np.zeros(0, np.bool_)
    look = looks(points)
    mates = _mates(look)
    earned = _earnings(look, mates, pitch)
    leg = np.bincount(look.of_point, clinging(points, people), len(earned)) / look.count
    earned -= _LEG * np.clip((leg - _LEG_SHARE) / (1 - _LEG_SHARE), 0, 1)
    path = _best_path(look, earned)
    chosen = np.zeros(len(look.window), np.bool_)
    chosen[path] = True
    on_path = chosen.copy()
    for a, b in mates:
        chosen[a] |= on_path[b]
        chosen[b] |= on_path[a]
    out: Flags = chosen[look.of_point]
    return out


def _by_window(look: Looks) -> list[Ints]:
    cuts = np.flatnonzero(np.diff(look.window)) + 1
    return np.split(np.arange(len(look.window)), cuts)


def _mates(look: Looks) -> list[tuple[int, int]]:
    """Pairs of looks of two cameras that agree on place and time."""
    out = []
    for rows in _by_window(look):
        if len(rows) < 2:
            continue
        middle = (look.p0[rows] + look.p1[rows]) / 2
        when = (look.t0[rows] + look.t1[rows]) / 2
        shift = (
            middle[:, None]
            - middle[None]
            - 0.5
            * (look.v[rows][:, None] + look.v[rows][None])
            * ((when[:, None] - when[None]) / FRAMES_PER_SECOND)[..., None]
        )
        near = np.hypot(shift[..., 0], shift[..., 1]) < 0.8 + look.sigma[rows][:, None] + look.sigma[rows][None]
        near &= look.camera[rows][:, None] != look.camera[rows][None]
        out += [(int(rows[i]), int(rows[j])) for i, j in zip(*np.nonzero(np.triu(near, 1)), strict=True)]
    return out


def _earnings(look: Looks, mates: list[tuple[int, int]], pitch: Pitch) -> Array:
    rank = np.argsort(np.argsort(look.score)) / max(len(look.score) - 1, 1)
    earned = np.minimum(look.count / LOOK, 1.0) * (0.5 + 0.8 * rank)
    if mates:
        paired = np.zeros(len(earned), np.bool_)
        paired[np.unique(np.array(mates))] = True
        earned += 0.4 * paired
    middle = (look.p0 + look.p1) / 2
    beyond = np.maximum(np.abs(middle[:, 0]) - pitch.half_length, np.abs(middle[:, 1]) - pitch.half_width)
    moving = np.hypot(*(look.p1 - look.p0).T) > 2 * look.sigma + 0.4
    earned += 0.4 * moving
    earned -= 0.6 * np.clip(beyond - 0.5, 0, 2) * ~moving
    earned -= 2.0 * _always_there(look) * ~moving
    return np.asarray(earned)


def _always_there(look: Looks) -> Array:
    """How much of the match (0 .. 1) something was taken for a ball at the same spot of the same picture."""
    spot = np.round((look.u0 + look.u1) / 2 / 8).astype(np.int64)
    windows = max(int(look.window.max() - look.window.min()) + 1, 1)
    share = np.zeros(len(look.window))
    for dx in (0, 1):
        for dy in (0, 1):
            cell = (spot + np.array([dx, dy])) // 2
            _, back, count = np.unique(
                np.column_stack([look.camera, cell]), axis=0, return_inverse=True, return_counts=True
            )
            share = np.maximum(share, count[back.ravel()] / windows)
    return np.minimum(share * 1.5, 1.0)


def _best_path(look: Looks, earned: Array) -> Ints:
    """The dearest sequence of looks: at most one per window, joined by what a ball can do in between."""
    n = len(earned)
    best, before = earned.copy(), np.full(n, -1, np.int64)
    groups = _by_window(look)
    numbers = [int(look.window[g[0]]) for g in groups]
    far_best, far_node = 0.0, -1
    oldest = 0
    recent: list[Ints] = []
    for g, rows in enumerate(groups):
        while oldest < g and numbers[oldest] < numbers[g] - _MEMORY:
            top = groups[oldest][int(np.argmax(best[groups[oldest]]))]
            if best[top] > far_best:
                far_best, far_node = float(best[top]), int(top)
            oldest += 1
        recent = groups[oldest:g]
        value, choice = np.full(len(rows), 0.0), np.full(len(rows), -1, np.int64)
        if far_node >= 0 and far_best - _RESTART > 0:
            value[:], choice[:] = far_best - _RESTART, far_node
        if recent:
            prior = np.concatenate(recent)
            gain = best[prior][:, None] - _joins(look, prior, rows)
            top = np.argmax(gain, axis=0)
            better = gain[top, np.arange(len(rows))] > value
            value = np.where(better, gain[top, np.arange(len(rows))], value)
            choice = np.where(better, prior[top], choice)
        best[rows] = earned[rows] + value
        before[rows] = choice
    at = int(np.argmax(best))
    path = []
    while at >= 0:
        path.append(at)
        at = int(before[at])
    return np.array(path[::-1], np.int64)


def _joins(look: Looks, a: Ints, b: Ints) -> Array:
    """What it costs (a, b) that look b follows look a."""
    dt = look.t0[b][None] - look.t1[a][:, None]
    seconds = np.maximum(dt, 0.5) / FRAMES_PER_SECOND
    off = look.p0[b][None] - look.p1[a][:, None]
    d = np.hypot(off[..., 0], off[..., 1])
    sigma = look.sigma[a][:, None] + look.sigma[b][None]
    glide = np.minimum(seconds, 0.6)[..., None]
    onward = np.hypot(*np.moveaxis(off - 0.5 * (look.v[a][:, None] + look.v[b][None]) * glide, -1, 0))
    scale = sigma + 0.6 + 5.0 * seconds
    cost = 1.2 * np.minimum((np.minimum(onward, d) / scale) ** 2, 6.0)
    cost[d > FASTEST_MPS * seconds + 3 * sigma + 0.8] = _FORBIDDEN
    # In the air a ball's shadow on the plane races; in one picture it still moves evenly.
    same = look.camera[a][:, None] == look.camera[b][None]
    across = look.u0[b][None] - look.u1[a][:, None] - 0.5 * (look.w[a][:, None] + look.w[b][None]) * dt[..., None]
    pixels = np.hypot(across[..., 0], across[..., 1])
    even = 1.2 * (pixels / (6.0 + 3.0 * np.maximum(dt, 0))) ** 2
    cost = np.where(same & (dt < 25), np.minimum(cost, even), cost)
    cost = cost + 0.25 * np.maximum(dt / LOOK - 0.5, 0.0)
    cost[look.tracklet[a][:, None] == look.tracklet[b][None]] *= 0.3
    cost[(dt < -2) | (cost > _RESTART * 3)] = _FORBIDDEN
    return np.asarray(cost)
