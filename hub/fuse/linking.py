"""Joining pieces of path into people: first what two cameras saw of one person at once, then what came after what."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from hub.fuse.following import STEP
from hub.fuse.ground import FRAMES_PER_SECOND, Points
from hub.fuse.smoothing import Paths, smooth

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TWIN_M = 1.6
_REACH_M = 3.0
_OVERLAP_S = 0.45
# Share of steps in which one camera may see a person twice because a piece was mixed up.
_SLIPS = 0.08
_CALM_S = 0.8
_COLOUR_MOST = 30.0


@dataclass(frozen=True)
class Patience:
    """How far apart two pieces may be to be one person: `gap_s` in time; the mismatch of their extrapolations is judged
    against `still_m` + `spread_mps` × gap; a pair that costs more than `most` is left apart; `colour_sigma` in Lab."""

    gap_s: float
    still_m: float
    spread_mps: float
    most: float
    colour_sigma: float


SHORT = Patience(gap_s=4.0, still_m=0.6, spread_mps=0.9, most=16.0, colour_sigma=11.0)
LONG = Patience(gap_s=25.0, still_m=1.5, spread_mps=1.2, most=22.0, colour_sigma=9.0)


def renumber(person: Ints) -> Ints:
    """The same grouping, counted from 0 without holes."""
    return np.unique(person, return_inverse=True)[1].astype(np.int64)


def match_colours(points: Points, person: Ints, cameras: int) -> Array:
    """The points' colours as if one camera had seen them all: every camera is shifted by the median difference on the
    people that it shares with those before it, the best connected first."""
    lab = points.lab.copy()
    count = int(person.max()) + 1 if len(person) else 0
    means = np.full((cameras, count, 3), np.nan)
    for camera in range(cameras):
        rows = np.flatnonzero((points.camera == camera) & ~np.isnan(points.lab[:, 0]))
        n = np.bincount(person[rows], minlength=count)
        with np.errstate(invalid="ignore", divide="ignore"):
            for c in range(3):
                means[camera, :, c] = np.where(
                    n >= 10, np.bincount(person[rows], points.lab[rows, c], count) / n, np.nan
                )
    known = ~np.isnan(means[:, :, 0])
    done = [int(np.argmax(known.sum(axis=1)))]
    rest = [c for c in range(cameras) if c not in done]
    while rest:
        shared = [int((known[c] & known[done].any(axis=0)).sum()) for c in rest]
        camera = rest.pop(int(np.argmax(shared)))
        both = known[camera] & known[done].any(axis=0)
        if both.sum() >= 3:
            with np.errstate(invalid="ignore"):
                reference = np.nanmean(means[done][:, both], axis=0)
            shift = np.median(reference - means[camera][both], axis=0)
            means[camera] += shift
            lab[points.camera == camera] += shift
        done.append(camera)
    return lab


def merge_twins(points: Points, piece: Ints) -> Ints:
    """Joins pieces that are side by side in time and place and that no camera sees as two."""
    if not len(piece):
        return piece
    paths = smooth(piece, points.time, points.xy, points.cov)
    count = int(piece.max()) + 1
    step = np.floor(points.time / STEP).astype(np.int64)
    glimpses = [np.unique(seen) for seen in _by_piece(piece, step * 16 + points.camera)]
    spread = np.sqrt(sum(np.bincount(piece, points.cov[:, i]) for i in (0, 2)) / np.bincount(piece))
    colour = median_colours(points, piece)
    ranked = []
    for a, b in _meetings(paths, count):
        gap = _apart(paths, a, b)
        if gap > _TWIN_M + 0.7 * max(spread[a], spread[b]) or np.nanmax([0.0, *np.abs(colour[a] - colour[b])]) > 45:
            continue
        ranked.append((gap, a, b))
    members = {i: [i] for i in range(count)}
    group = list(range(count))
    for _, a, b in sorted(ranked):
        i, j = group[a], group[b]
        if i == j or _seen_as_two(glimpses[i], glimpses[j]):
            continue
        glimpses[i] = np.union1d(glimpses[i], glimpses[j])
        members[i] += members[j]
        for member in members[j]:
            group[member] = i
    return renumber(np.array(group)[piece])


def median_colours(points: Points, person: Ints) -> Array:
    """The median known colour (people, 3) of every group, NaN where none is known."""
    known = ~np.isnan(points.lab[:, 0])
    out = np.full((int(person.max()) + 1, 3), np.nan)
    order = np.flatnonzero(known)[np.argsort(person[known], kind="stable")]
    who, first = np.unique(person[order], return_index=True)
    for i, rows in zip(who, np.split(order, first[1:]), strict=True):
        out[i] = np.median(points.lab[rows], axis=0)
    return out


def _by_piece(piece: Ints, values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    order = np.argsort(piece, kind="stable")
    return np.split(values[order], np.cumsum(np.bincount(piece))[:-1])


def _meetings(paths: Paths, count: int) -> set[tuple[int, int]]:
    """Pairs of pieces that come within reach of one another at some step."""
    found: set[tuple[int, int]] = set()
    middle = [
        np.arange(-(-int(f) // STEP) * STEP, int(f + n), STEP) for f, n in zip(paths.first, paths.length, strict=True)
    ]
    who = np.repeat(np.arange(count), [len(m) for m in middle])
    when = np.concatenate(middle)
    order = np.argsort(when, kind="stable")
    who, when = who[order], when[order]
    at = paths.at(who, when)
    edges = np.flatnonzero(np.diff(when, prepend=when[:1] - 1, append=when[-1:] + 1))
    for first, last in pairwise(edges):
        off = at[first:last, None] - at[None, first:last]
        i, j = np.nonzero(np.triu((off**2).sum(axis=2) < _REACH_M**2, 1))
        found.update(
            (min(a, b), max(a, b)) for a, b in zip(who[first + i].tolist(), who[first + j].tolist(), strict=True)
        )
    return found


def _apart(paths: Paths, a: int, b: int) -> float:
    """The median distance of two pieces over the frames they share."""
    first = max(paths.first[a], paths.first[b])
    last = min(paths.first[a] + paths.length[a], paths.first[b] + paths.length[b])
    frames = np.arange(first, last)
    off = paths.at(np.full(len(frames), a), frames) - paths.at(np.full(len(frames), b), frames)
    return float(np.median(np.hypot(off[:, 0], off[:, 1])))


def _seen_as_two(a: Ints, b: Ints) -> bool:
    """Whether one camera measured both in the same step, more often than in passing from one to the other."""
    return len(np.intersect1d(a, b, assume_unique=True)) > 1 + _SLIPS * min(len(a), len(b))


@dataclass(frozen=True)
class Ends:
    """Where pieces begin and end: frames, positions and velocities (m/s), how uncertain they are (m), median colour,
    and the (camera, tracklet) that saw them first and last."""

    first: Ints
    last: Ints
    xy0: Array
    xy1: Array
    v0: Array
    v1: Array
    spread: Array
    lab: Array
    tracklet0: Ints
    tracklet1: Ints


def ends(points: Points, person: Ints) -> Ends:
    """The ends of every group of points; groups are counted without holes."""
    paths = smooth(person, points.time, points.xy, points.cov)
    count = int(person.max()) + 1
    who = np.arange(count)
    last = paths.first + paths.length - 1
    order = np.lexsort((points.time, person))
    edge = np.cumsum(np.bincount(person))
    head, tail = order[np.concatenate([[0], edge[:-1]])], order[edge - 1]
    spread = np.sqrt(points.cov[:, 0] + points.cov[:, 2])
    colour = median_colours(points, person)
    return Ends(
        first=paths.first,
        last=last,
        xy0=paths.at(who, paths.first),
        xy1=paths.at(who, last),
        v0=paths.velocity(who, paths.first, 8),
        v1=paths.velocity(who, last, 8),
        spread=np.bincount(person, spread) / np.bincount(person),
        lab=colour,
        tracklet0=points.tracklet[head],
        tracklet1=points.tracklet[tail],
    )


def link(points: Points, person: Ints, patience: Patience, team: Ints | None = None) -> Ints:
    """Joins groups that follow one another into longer ones: the cheapest one-to-one succession of all.

    With `team` (one label per group, -1 unknown), groups of two known different teams stay apart.
    """
    if not len(person):
        return person
    e = ends(points, person)
    a, b, cost = _candidates(e, patience, team)
    after = _assign(a, b, cost, len(e.first), patience.most)
    root = np.arange(len(e.first))
    for i in np.argsort(e.first):
        if after[i] >= 0:
            root[after[i]] = root[i]
    return renumber(root[person])


def _candidates(e: Ends, patience: Patience, team: Ints | None) -> tuple[Ints, Ints, Array]:
    """Pairs (a before b) worth a thought, with their costs."""
    by_start = np.argsort(e.first, kind="stable")
    starts = e.first[by_start]
    lo = np.searchsorted(starts, e.last - _OVERLAP_S * FRAMES_PER_SECOND)
    hi = np.searchsorted(starts, e.last + patience.gap_s * FRAMES_PER_SECOND, side="right")
    a = np.repeat(np.arange(len(lo)), hi - lo)
    b = by_start[np.concatenate([np.arange(i, j) for i, j in zip(lo, hi, strict=True)] or [np.zeros(0, np.int64)])]
    good = (e.first[b] > e.first[a]) & (e.last[b] > e.last[a]) & (a != b)
    if team is not None:
        good &= (team[a] == team[b]) | (team[a] < 0) | (team[b] < 0)
    a, b = a[good], b[good]
    gap = (e.first[b] - e.last[a]) / FRAMES_PER_SECOND
    # Nobody keeps a velocity for long: it fades within a second.
    fade = (_CALM_S * (1 - np.exp(-np.maximum(gap, 0) / _CALM_S)))[:, None]
    fade = np.where(gap[:, None] < 0, gap[:, None], fade)
    onward = e.xy1[a] + e.v1[a] * fade
    back = e.xy0[b] - e.v0[b] * fade
    off = 0.5 * (np.hypot(*(onward - e.xy0[b]).T) + np.hypot(*(back - e.xy1[a]).T))
    sigma = np.hypot(patience.still_m + patience.spread_mps * np.maximum(gap, 0), 0.5 * (e.spread[a] + e.spread[b]))
    hue = np.nansum(((e.lab[a] - e.lab[b]) / patience.colour_sigma) ** 2, axis=1)
    cost = (off / sigma) ** 2 + 2 * np.log(sigma) + np.minimum(hue, _COLOUR_MOST) + np.abs(gap) / patience.gap_s
    cost -= np.where(e.tracklet1[a] == e.tracklet0[b], 3.0, 0.0)
    near = np.hypot(*(e.xy1[a] - e.xy0[b]).T) < 2.5 + 8.0 * np.maximum(gap, 0) + e.spread[a] + e.spread[b]
    good = near & (cost < patience.most)
    return a[good], b[good], cost[good]


def _assign(a: Ints, b: Ints, cost: Array, count: int, most: float) -> Ints:
    """The successor of every group, -1 for none: the cheapest matching in which staying alone costs `most` a pair."""
    after = np.full(count, -1, np.int64)
    if not len(a):
        return after
    shift = 20.0 - min(0.0, float(cost.min()))
    alone = np.arange(count)
    # Left: groups as predecessors, then dummies of the successors; right likewise. A dummy pair costs as little as one
    # real pair could, so that only the real side decides.
    rows = np.concatenate([a, alone, count + alone, count + b])
    cols = np.concatenate([b, count + alone, alone, count + a])
    value = np.concatenate([cost + shift, np.full(2 * count, most / 2 + shift), np.full(len(a), shift)])
    left, right = min_weight_full_bipartite_matching(
        coo_array((value, (rows, cols)), shape=(2 * count, 2 * count)).tocsr()
    )
    real = (left < count) & (right < count)
    after[left[real]] = right[real]
    return after
