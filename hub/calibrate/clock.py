"""What is left of each node's clock offset, found from people whom two cameras see at once.

The two cameras' foot points of one person agree on the pitch only when their times do. A coarse search over all pairs
of tracklets is followed by Gauss-Newton on those that belong together, each pair with a small constant gap of its own,
so that an error of the calibration or a box that cuts off feet does not pass for time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from hub.rigs import RigHistory
from hub.spells import Seen, spells
from wire.ids import NodeId
from wire.rig import Array, CameraModel, Rig
from wire.rigtime import SECOND, nanoseconds
from wire.tracks import Kind, SegmentTracks

_REACH_S = 2.0
_COARSE_S = 0.04
_FOOT_PX = 3.0
"""How far off the bottom edge of a box is, at 1920 px width."""
_FOOT_M = 0.15
_PAIR_GAP_M = 0.3
_LONGEST_GAP_S = 0.5
_SMOOTH_S = 0.12
_FAR = 6.0
"""Standard deviations of a moving average beyond which nothing counts."""
_MOVING = 4.0
_CLEAR = 0.85
"""Share of the usual cost that the best offset must stay below to count as found."""
_MOST_POINTS = 4000
_LEAST_POINTS = 25
_TRUSTED_S = 0.08
"""An estimate less certain than this is not better than the clock that the node set by the hub's."""


@dataclass(frozen=True)
class ClockEstimate:
    """What to add to a node's capture times, one standard error of it, and from how many shared people it comes.

    The offset is 0 and `pairs` 0 where too little was seen to know better than the node's own clock.
    """

    offset_ns: int
    uncertainty_ns: int
    pairs: int


@dataclass(frozen=True)
class _Walk:
    """One tracklet's foot points on the pitch: times (n,) s, places (n, 2) m, their covariances (n, 2, 2)."""

    times_s: Array
    places_m: Array
    covariance: Array


def estimate_clock_offsets(rigs: RigHistory, start_ns: int, end_ns: int, seen: Seen) -> dict[NodeId, int]:
    """Nanoseconds to add to each node's capture times so that they agree with the middle (of two: the first) node's."""
    return {node: estimate.offset_ns for node, estimate in estimate_clocks(rigs, start_ns, end_ns, seen).items()}


def estimate_clocks(rigs: RigHistory, start_ns: int, end_ns: int, seen: Seen) -> dict[NodeId, ClockEstimate]:
    """Each node's offset, searched within 2 s, with its uncertainty; the reference node's is exactly 0.

    Looks at what was seen from `start_ns` to `end_ns`, spell by spell; a long match has the median of its spells.
    """
    count = len(rigs.rig.cameras)
    middle = count // 2 if count == 3 else 0
    nodes = [camera.node for camera in rigs.rig.cameras]
    found: dict[NodeId, list[ClockEstimate]] = {node: [] for k, node in enumerate(nodes) if k != middle}
    for spell in spells(start_ns, end_ns):
        window = (spell.first_ns, spell.last_ns)
        cameras = rigs.at((spell.first_ns + spell.last_ns) // 2).cameras
        reference, others = cameras[middle], [camera for k, camera in enumerate(cameras) if k != middle]
        for camera in others:
            walks = [
                _walks(one, other, seen(one.node, *window), start_ns)
                for one, other in ((reference, camera), (camera, reference))
            ]
            found[camera.node].append(_offset(*walks))
    return {nodes[middle]: ClockEstimate(0, 0, 0)} | {node: _median(of_spells) for node, of_spells in found.items()}


def _median(of_spells: Sequence[ClockEstimate]) -> ClockEstimate:
    """The spells' estimates as one: their median, each counted by its certainty."""
    known = sorted((e for e in of_spells if e.pairs), key=lambda e: e.offset_ns)
    if len(known) < 2:
        return known[0] if known else of_spells[0]
    weight = np.cumsum([1 / max(e.uncertainty_ns, 1) ** 2 for e in known])
    middle = known[int(np.searchsorted(weight, weight[-1] / 2))]
    return ClockEstimate(middle.offset_ns, round(float(weight[-1] ** -0.5)), sum(e.pairs for e in known))


def with_clock_offsets(rig: Rig, offsets: Mapping[NodeId, int]) -> Rig:
    """The rig with these clock offsets; a node that is not named keeps its own."""
    cameras = tuple(
        msgspec.structs.replace(camera, clock_offset_ns=offsets.get(camera.node, camera.clock_offset_ns))
        for camera in rig.cameras
    )
    return msgspec.structs.replace(rig, cameras=cameras)


def _walks(
    camera: CameraModel, neighbour: CameraModel, segments: Iterable[SegmentTracks], origin_ns: int
) -> list[_Walk]:
    """The camera's people while they are where the neighbour looks too."""
    # Only the feet are kept of a segment.
    parts = [_feet(camera, segment, origin_ns) for segment in segments]
    if not parts:
        return []
    who, time, feet = (np.concatenate(column) for column in zip(*parts, strict=True))
    places = camera.to_plane(feet)
    there = neighbour.project(np.hstack([np.nan_to_num(places), np.zeros((len(places), 1))]))
    good = ~np.isnan(places[:, 0]) & neighbour.sees(np.nan_to_num(there, nan=-1.0), 8.0)
    who, time, feet, places = who[good], time[good], feet[good], places[good]
    covariance = _foot_covariance(camera, feet, places)
    sure = np.flatnonzero(covariance[:, 0, 0] + covariance[:, 1, 1] < 4.0)
    order = sure[np.lexsort((time[sure], who[sure]))]
    order = order[(np.diff(who[order], prepend=-1) != 0) | (np.diff(time[order], prepend=-np.inf) > 0)]
    walks = []
    for mine in np.split(
        order, np.flatnonzero((np.diff(who[order]) != 0) | (np.diff(time[order]) > _LONGEST_GAP_S)) + 1
    ):
        if len(mine) >= 5:
            walk = _Walk(time[mine], _smoothed(time[mine], places[mine]), covariance[mine])
            if _moves(walk):
                walks.append(walk)
    return walks


def _feet(camera: CameraModel, segment: SegmentTracks, origin_ns: int) -> tuple[npt.NDArray[np.int64], Array, Array]:
    """A segment's people: who (n,), when (n,) s after the origin, and their feet (n, 2) in pixels."""
    people = [tracklet.id for tracklet in segment.tracklets if tracklet.kind == Kind.PERSON]
    # A box that reaches the picture's edge has no feet.
    whole = segment.box[:, 3] < camera.height_px - 4
    rows = np.flatnonzero(np.isin(segment.tracklet, people) & (segment.frame < len(segment.frame_times_ns)) & whole)
    time = (segment.frame_times_ns[segment.frame[rows]] - origin_ns) / SECOND
    box = segment.box[rows]
    return segment.tracklet[rows], time, np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]], axis=1)


def _smoothed(times_s: Array, places_m: Array) -> Array:
    """Places (n, 2) after a symmetric moving average in time, which shifts nobody's clock."""
    # Near an end only as far back as forth, or the average would lean inwards.
    room = np.minimum(times_s - times_s[0], times_s[-1] - times_s) + 1e-6
    total, weight = places_m.copy(), np.ones(len(times_s))
    for apart in range(1, len(times_s)):
        gap = times_s[apart:] - times_s[:-apart]
        if gap.min() > _FAR * _SMOOTH_S:
            break
        kernel = np.exp(-0.5 * (gap / _SMOOTH_S) ** 2)
        for mine, theirs in ((slice(apart, None), slice(-apart)), (slice(-apart), slice(apart, None))):
            share = kernel * (gap <= room[mine])
            total[mine] += share[:, None] * places_m[theirs]
            weight[mine] += share
    return np.asarray(total / weight[:, None])


def _moves(walk: _Walk) -> bool:
    """Whether the walk covers more ground than the noise of its foot points."""
    precision = np.linalg.inv(walk.covariance.mean(axis=0))
    return bool(np.trace(np.cov(walk.places_m.T) @ precision) > _MOVING)


def _foot_covariance(camera: CameraModel, feet: Array, places: Array) -> Array:
    """(n, 2, 2) m², from the pixel noise of a box's lower edge."""
    step = 1.0
    columns = [(camera.to_plane(feet + shift) - places) / step for shift in ((step, 0.0), (0.0, step))]
    by_pixel = np.nan_to_num(np.stack(columns, axis=2), nan=10.0)
    noise = _FOOT_PX * camera.width_px / 1920
    return np.asarray(noise**2 * by_pixel @ by_pixel.transpose(0, 2, 1) + _FOOT_M**2 * np.eye(2))


def _offset(reference: Sequence[_Walk], other: Sequence[_Walk]) -> ClockEstimate:
    unknown = ClockEstimate(0, nanoseconds(_REACH_S), 0)
    if not reference or not other:
        return unknown
    reference, other = _thinned(reference), _thinned(other)
    offsets = np.arange(-_REACH_S, _REACH_S + 1e-9, _COARSE_S)
    cost, near = _search(reference, other, offsets)
    best = int(np.argmin(cost))
    if not (np.isfinite(cost[best]) and cost[best] < _CLEAR * np.median(cost[np.isfinite(cost)])):
        return unknown
    pairs = [(reference[i], other[j]) for j, i in enumerate(near[best]) if i >= 0]
    refined = _refine(pairs, float(offsets[best]))
    if refined is None:
        return unknown
    offset, spread = refined
    if spread > _TRUSTED_S or abs(offset) > _REACH_S + _COARSE_S:
        return unknown
    return ClockEstimate(nanoseconds(offset), nanoseconds(spread), len(pairs))


def _thinned(walks: Sequence[_Walk]) -> list[_Walk]:
    """At most `_MOST_POINTS` points in all, keeping those walks that cover the most ground."""
    order = sorted(walks, key=lambda w: -float(np.ptp(w.places_m, axis=0).sum()))
    total = 0
    out: list[_Walk] = []
    for walk in order:
        total += len(walk.times_s)
        if out and total > _MOST_POINTS:
            break
        out.append(walk)
    return out


def _at(walk: _Walk, times_s: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The walk's places (..., 2) at any times, linearly between its points, and whether it lasted then."""
    flat = times_s.ravel()
    x, y = (np.interp(flat, walk.times_s, walk.places_m[:, k]) for k in (0, 1))
    lasted = (flat >= walk.times_s[0]) & (flat <= walk.times_s[-1])
    return np.stack([x, y], axis=1).reshape(*times_s.shape, 2), lasted.reshape(times_s.shape)


def _search(reference: Sequence[_Walk], other: Sequence[_Walk], offsets: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """Per offset the mean bounded distance of the other camera's points to the nearest reference walk (inf where too
    few can be compared), and for each other walk the index of the reference walk it then follows, or -1."""
    total, count = np.zeros(len(offsets)), np.zeros(len(offsets))
    near = np.full((len(offsets), len(other)), -1)
    for j, walk in enumerate(other):
        shifted = walk.times_s[None] + offsets[:, None]
        best = np.full(shifted.shape, np.inf)
        mean_best = np.full(len(offsets), np.inf)
        for i, candidate in enumerate(reference):
            if candidate.times_s[0] > shifted.max() or candidate.times_s[-1] < shifted.min():
                continue
            places, lasted = _at(candidate, shifted)
            gap = places - walk.places_m
            both = walk.covariance + candidate.covariance.mean(axis=0)
            squares = np.einsum("tni,nij,tnj->tn", gap, np.linalg.inv(both), gap)
            bounded = np.where(lasted, squares / (squares + 9.0), np.inf)
            best = np.minimum(best, bounded)
            long_enough = lasted.sum(axis=1) >= 5
            mean = np.where(lasted, bounded, 0.0).sum(axis=1) / np.maximum(lasted.sum(axis=1), 1)
            better = long_enough & (mean < mean_best) & (mean < 0.6)
            near[better, j], mean_best[better] = i, mean[better]
        compared = np.isfinite(best)
        total += np.where(compared, best, 0.0).sum(axis=1)
        count += compared.sum(axis=1)
    enough = count >= max(_LEAST_POINTS, 0.35 * count.max())
    return np.where(enough, total / np.maximum(count, 1), np.inf), near


def _refine(pairs: Sequence[tuple[_Walk, _Walk]], offset: float) -> tuple[float, float] | None:
    """Gauss-Newton on the offset with one constant gap per pair; the offset and its standard error, from how the pairs
    disagree among themselves. None when nobody moved."""
    pulls, weights = np.zeros(0), np.zeros(0)
    for _ in range(12):
        parts = [part for pair in pairs if (part := _pull(*pair, offset)) is not None]
        if not parts:
            return None
        pulls, weights = np.array([p[0] for p in parts]), np.array([p[1] for p in parts])
        if weights.sum() <= 0:
            return None
        step = float(np.clip(-pulls.sum() / weights.sum(), -_COARSE_S, _COARSE_S))
        offset += step
        if abs(step) < 1e-5:
            break
    # Errors along one walk hang together, those of different people hardly do (cluster-robust, n / (n - 1)).
    n = len(pulls)
    scatter = float(np.sqrt((pulls**2).sum() * n / max(n - 1, 1))) / float(weights.sum())
    alone = 1.5 / float(np.sqrt(weights.sum()))
    return offset, max(scatter, alone)


def _pull(reference: _Walk, other: _Walk, offset: float) -> tuple[float, float] | None:
    """Gradient and curvature of a pair's cost by the offset, its constant gap eliminated."""
    step = 0.02
    here, lasted = _at(reference, other.times_s + offset)
    ahead, _ = _at(reference, other.times_s + offset + step)
    behind, _ = _at(reference, other.times_s + offset - step)
    if lasted.sum() < 5:
        return None
    gap = (here - other.places_m)[lasted]
    speed = ((ahead - behind) / (2 * step))[lasted]
    precision = np.linalg.inv(other.covariance[lasted] + reference.covariance.mean(axis=0))
    squares = np.einsum("ni,nij,nj->n", gap, precision, gap)
    precision = precision / (1 + squares / 9.0)[:, None, None]
    held = precision.sum(axis=0) + np.eye(2) / _PAIR_GAP_M**2
    gap_sum = np.einsum("nij,nj->i", precision, gap)
    speed_sum = np.einsum("nij,nj->i", precision, speed)
    solved = np.linalg.solve(held, speed_sum)
    pull = float(np.einsum("ni,nij,nj->", speed, precision, gap) - solved @ gap_sum)
    weight = float(np.einsum("ni,nij,nj->", speed, precision, speed) - solved @ speed_sum)
    return pull, weight
