"""The ball in three dimensions: rolling or flying, told from one point of view by how things fall.

Seen from one mast, a ball in the air appears far behind where it is. But between two touches it either stays on the
grass or falls with g, and the fall sets the scale: for a stretch of rays, the best rolling path and the best flight are
linear least-squares problems. Dynamic programming cuts the match into the stretches that explain the rays best.

In the air the drag is taken as linear in the velocity, at the rate of a ball at 17 m/s; what that leaves, and spin, go
into a constant acceleration along the ground. The equations of motion then stay linear.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.fuse.ground import BALL_RADIUS_M, FRAMES_PER_SECOND, Points
from wire.rig import CameraModel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GRAVITY = 9.81
CELL = 3
"""Frames between two possible touches."""
_LONGEST = 34
_SIGMA_PX = 1.5
_SIGMA_M = 0.04
_ROLL_COST = 10.0
_FLIGHT_COST = 18.0
_SLOWING = 4.0
_SWERVE = 2.0
_DRAG_PER_S = 0.2
_FAST = 20.0
_TOUCH_HEIGHT = 0.3
_TOUCH_SPREAD = 0.5
# A ball first seen in mid-flight may be anywhere up to some metres.
_MID_HEIGHT = 1.5
_MID_SPREAD = 2.0
_BLIND_CELLS = 2
_HIGHEST = 25.0
_APART_FRAMES = 38


@dataclass(frozen=True)
class Stretch:
    """Between frames `first` and `last` (times, inclusive) the ball moved from p with velocity v under acceleration a
    and, when `flying`, drag: `motion` (3, 3) holds p, v, a by row. `open_start` and `open_end`: it was not seen right
    before or after, so nothing says that it was touched there."""

    first: float
    last: float
    motion: Array
    flying: bool
    open_start: bool = False
    open_end: bool = False

    def at(self, time: Array) -> Array:
        """Positions (n, 3) at `time` (frames)."""
        once, twice = _integrals((time - self.first)[:, None] / FRAMES_PER_SECOND, flying=self.flying)
        return np.asarray(self.motion[0] + self.motion[1] * once + self.motion[2] * twice)


def stretches(points: Points, cameras: Sequence[CameraModel]) -> list[Stretch]:
    """The ball's motion as a sequence of stretches; `points` are its sightings, ordered by time, by the cameras that
    they name as their `model`."""
    if not len(points):
        return []
    rows = _equations(points, cameras)
    out: list[Stretch] = []
    cuts = np.flatnonzero(np.diff(points.time) > _APART_FRAMES) + 1
    for part in np.split(np.arange(len(points)), cuts):
        out += _one_sequence(points.time[part], rows[part])
    return out


def _equations(points: Points, cameras: Sequence[CameraModel]) -> Array:
    """Per sighting two equations e . P = c, weighted by their uncertainty: (m, 2, 4) of e and c."""
    out = np.empty((len(points), 2, 4))
    for index, camera in enumerate(cameras):
        mine = np.flatnonzero(points.model == index)
        if not len(mine):
            continue
        ray = camera.rays(points.pixel[mine])
        aside = np.cross(ray, [0.0, 0.0, 1.0])
        aside /= np.linalg.norm(aside, axis=1, keepdims=True)
        upright = np.cross(aside, ray)
        reach = np.linalg.norm(points.xy[mine] - camera.centre[:2], axis=1)
        sigma = np.hypot(np.minimum(reach, 120.0) * _SIGMA_PX / camera.lens.focal_px, _SIGMA_M)
        for i, e in enumerate((aside, upright)):
            out[mine, i, :3] = e / sigma[:, None]
            out[mine, i, 3] = (e @ camera.centre) / sigma
    return out


def _integrals(t: Array, *, flying: bool) -> tuple[Array, Array]:
    """How far a unit velocity and a unit acceleration have carried the ball after `t` seconds."""
    if not flying:
        return t, t**2 / 2
    once = -np.expm1(-_DRAG_PER_S * t) / _DRAG_PER_S
    return once, (t - once) / _DRAG_PER_S


def _cells(time: Array, rows: Array, count: int, *, flying: bool) -> Array:
    """Normal matrices (count, d, d) of every cell, time zero at its beginning; the last unknown is the constant 1."""
    cell = np.minimum((time - time[0]) // CELL, count - 1).astype(np.int64)
    t = ((time - time[0]) - cell * CELL) / FRAMES_PER_SECOND
    once, twice = _integrals(t[:, None], flying=flying)
    ex, ey, ez, c = (rows[..., i] for i in range(4))
    columns = [ex, ex * once, ex * twice, ey, ey * once, ey * twice]
    if flying:
        columns += [ez, ez * once, -ez * GRAVITY * twice - c]
    else:
        columns += [ez * BALL_RADIUS_M - c]
    design = np.stack(columns, axis=-1).reshape(-1, len(columns))
    square = design[:, :, None] * design[:, None, :]
    out = np.zeros((count, len(columns), len(columns)))
    np.add.at(out, np.repeat(cell, 2), square)
    return out


def _shift(seconds: float, *, flying: bool) -> Array:
    """The matrix that turns a motion's unknowns at time zero into those `seconds` later."""
    once, twice = (float(f) for f in _integrals(np.array(seconds), flying=flying))
    kept = 1.0 - _DRAG_PER_S * once if flying else 1.0
    block = np.array([[1.0, once, twice], [0.0, kept, once], [0.0, 0.0, 1.0]])
    size = 9 if flying else 7
    out = np.eye(size)
    out[:3, :3] = out[3:6, 3:6] = block
    if flying:
        out[6, 7], out[6, 8] = once, -GRAVITY * twice
        out[7, 7], out[7, 8] = kept, -GRAVITY * once
    return out


def _prior(length_s: float, *, flying: bool) -> Array:
    """What is known without looking: balls slow down gently, are not faster than a shot, and are touched low. One
    matrix each for stretches that are closed, open at the end, open at the start, open at both (4, d, d)."""
    size = 9 if flying else 7
    base = np.zeros((size, size))
    for axis in (0, 3):
        base[axis, axis] = 1e-8
        base[axis + 1, axis + 1] = 1 / _FAST**2
        base[axis + 2, axis + 2] = 1 / (_SWERVE if flying else _SLOWING) ** 2
    out = np.repeat(base[None], 4, axis=0)
    if flying:
        for t, opens in ((0.0, (2, 3)), (length_s, (1, 3))):
            once, twice = (float(f) for f in _integrals(np.array(t), flying=True))
            for kind in range(4):
                height, spread = (_MID_HEIGHT, _MID_SPREAD) if kind in opens else (_TOUCH_HEIGHT, _TOUCH_SPREAD)
                row = np.zeros(size)
                row[6], row[7], row[8] = 1.0, once, -GRAVITY * twice - height
                out[kind] += np.outer(row, row) / spread**2
    return out


def _solve(normal: Array) -> tuple[Array, Array]:
    """The best unknowns (n, d - 1) of normal matrices (n, d, d) and what is left unexplained (n,)."""
    inner, right = normal[:, :-1, :-1], normal[:, :-1, -1]
    best = -np.linalg.solve(inner + 1e-9 * np.eye(inner.shape[1]), right[..., None])[..., 0]
    rest: Array = normal[:, -1, -1] + np.einsum("ni,ni->n", right, best)
    return np.asarray(best, np.float64), np.maximum(rest, 0.0)


def _one_sequence(time: Array, rows: Array) -> list[Stretch]:
    count = int((time[-1] - time[0]) // CELL) + 1
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    options: list[dict[str, Array]] = []
    opens = _open_edges(time, count)
    for flying in (False, True):
        cells = _cells(time, rows, count, flying=flying)
        total = np.zeros_like(cells)
        for length in range(1, min(_LONGEST, count) + 1):
            n = count - length + 1
            shift = _shift((length - 1) * CELL / FRAMES_PER_SECOND, flying=flying)
            total = total[:n] + shift.T @ cells[length - 1 :] @ shift
            kind = 2 * opens[0, :n] + opens[1, length:]
            unknown, rest = _solve(total + _prior(length * CELL / FRAMES_PER_SECOND, flying=flying)[kind])
            cost = rest + (_FLIGHT_COST if flying else _ROLL_COST)
            if flying:
                climb = np.maximum(unknown[:, 7], 0) ** 2 / (2 * GRAVITY) + unknown[:, 6]
                cost[climb > _HIGHEST] = np.inf
                if length < 3:
                    cost[:] = np.inf
            options.append({"cost": cost, "unknown": unknown})
    lengths = min(_LONGEST, count)
    table = np.full((2, lengths + 1, count), np.inf)
    for i, option in enumerate(options):
        table[i // lengths, i % lengths + 1, : len(option["cost"])] = option["cost"]
    back = np.zeros((count + 1, 2), np.int64)
    for end in range(1, count + 1):
        spans = np.arange(1, min(lengths, end) + 1)
        value = best[end - spans][None] + table[:, spans, end - spans]
        sort, which = divmod(int(np.argmin(value)), len(spans))
        best[end], back[end] = value[sort, which], (sort, spans[which])
    out = []
    end = count
    while end > 0:
        sort, long = int(back[end, 0]), int(back[end, 1])
        unknown = options[sort * lengths + long - 1]["unknown"][end - long]
        edges = bool(opens[0, end - long]), bool(opens[1, end])
        out.append(_stretch(time[0] + (end - long) * CELL, long * CELL, unknown, edges, flying=bool(sort)))
        end -= long
    return out[::-1]


def _open_edges(time: Array, count: int) -> Ints:
    """Per edge between cells (2, count + 1): 1 where the ball was unseen before, and after it."""
    seen = np.bincount(np.minimum((time - time[0]) // CELL, count - 1).astype(np.int64), minlength=count) > 0
    out = np.zeros((2, count + 1), np.int64)
    for edge in range(count + 1):
        out[0, edge] = not seen[max(edge - _BLIND_CELLS, 0) : edge].any()
        out[1, edge] = not seen[edge : edge + _BLIND_CELLS].any()
    return out


def _stretch(first: float, frames: int, unknown: Array, edges: tuple[bool, bool], *, flying: bool) -> Stretch:
    motion = np.zeros((3, 3))
    motion[:, 0], motion[:, 1] = unknown[:3], unknown[3:6]
    if flying:
        motion[0, 2], motion[1, 2], motion[2, 2] = unknown[6], unknown[7], -GRAVITY
    else:
        motion[0, 2] = BALL_RADIUS_M
    return Stretch(first, first + frames, motion, flying, *edges)
