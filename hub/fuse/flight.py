"""The ball in three dimensions: rolling or flying, told from one point of view by how things fall.

Seen from one mast, a ball in the air appears far behind where it is. But between two touches it either stays on the
grass or falls with g, and the fall sets the scale: for a stretch of rays, the best rolling path and the best flight are
linear least-squares problems. Dynamic programming cuts the match into the stretches that explain the rays best.
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
_FAST = 20.0
_TOUCH_HEIGHT = 0.3
_TOUCH_SPREAD = 0.5
_HIGHEST = 25.0
_APART_FRAMES = 38


@dataclass(frozen=True)
class Stretch:
    """Between frames `first` and `last` (times, inclusive) the ball moved as x = p + v t + a t²/2, t in seconds since
    `first`: `motion` (3, 3) holds p, v, a by row; `flying` or on the grass."""

    first: float
    last: float
    motion: Array
    flying: bool

    def at(self, time: Array) -> Array:
        """Positions (n, 3) at `time` (frames)."""
        t = (time - self.first)[:, None] / FRAMES_PER_SECOND
        return np.asarray(self.motion[0] + self.motion[1] * t + 0.5 * self.motion[2] * t**2)


def stretches(points: Points, cameras: Sequence[CameraModel]) -> list[Stretch]:
    """The ball's motion as a sequence of stretches; `points` are its sightings, ordered by time."""
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
        mine = np.flatnonzero(points.camera == index)
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


def _cells(time: Array, rows: Array, count: int, *, flying: bool) -> Array:
    """Normal matrices (count, d, d) of every cell, time zero at its beginning; the last unknown is the constant 1."""
    cell = np.minimum((time - time[0]) // CELL, count - 1).astype(np.int64)
    t = ((time - time[0]) - cell * CELL) / FRAMES_PER_SECOND
    t = t[:, None]
    ex, ey, ez, c = (rows[..., i] for i in range(4))
    columns = [ex, ex * t, ex * t**2 / 2, ey, ey * t, ey * t**2 / 2]
    if flying:
        columns += [ez, ez * t, -ez * GRAVITY * t**2 / 2 - c]
    else:
        columns += [ez * BALL_RADIUS_M - c]
    design = np.stack(columns, axis=-1).reshape(-1, len(columns))
    square = design[:, :, None] * design[:, None, :]
    out = np.zeros((count, len(columns), len(columns)))
    np.add.at(out, np.repeat(cell, 2), square)
    return out


def _shift(seconds: float, *, flying: bool) -> Array:
    """The matrix that turns a motion's unknowns at time zero into those `seconds` later."""
    block = np.array([[1.0, seconds, seconds**2 / 2], [0.0, 1.0, seconds], [0.0, 0.0, 1.0]])
    size = 9 if flying else 7
    out = np.eye(size)
    out[:3, :3] = out[3:6, 3:6] = block
    if flying:
        out[6, 7], out[6, 8], out[7, 8] = seconds, -GRAVITY * seconds**2 / 2, -GRAVITY * seconds
    return out


def _prior(length_s: float, *, flying: bool) -> Array:
    """What is known without looking: balls slow down gently, are not faster than a shot, and are touched low."""
    size = 9 if flying else 7
    out = np.zeros((size, size))
    for axis in (0, 3):
        out[axis, axis] = 1e-8
        out[axis + 1, axis + 1] = 1 / _FAST**2
        out[axis + 2, axis + 2] = 1 / _SLOWING**2
    if flying:
        for t in (0.0, length_s):
            row = np.zeros(size)
            row[6], row[7], row[8] = 1.0, t, -GRAVITY * t**2 / 2 - _TOUCH_HEIGHT
            out += np.outer(row, row) / _TOUCH_SPREAD**2
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
    for flying in (False, True):
        cells = _cells(time, rows, count, flying=flying)
        total = np.zeros_like(cells)
        for length in range(1, min(_LONGEST, count) + 1):
            n = count - length + 1
            shift = _shift((length - 1) * CELL / FRAMES_PER_SECOND, flying=flying)
            total = total[:n] + shift.T @ cells[length - 1 :] @ shift
            unknown, rest = _solve(total + _prior(length * CELL / FRAMES_PER_SECOND, flying=flying))
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
        kind, which = divmod(int(np.argmin(value)), len(spans))
        best[end], back[end] = value[kind, which], (kind, spans[which])
    out = []
    end = count
    while end > 0:
        kind, long = int(back[end, 0]), int(back[end, 1])
        unknown = options[kind * lengths + long - 1]["unknown"][end - long]
        out.append(_stretch(time[0] + (end - long) * CELL, long * CELL, unknown, flying=bool(kind)))
        end -= long
    return out[::-1]


def _stretch(first: float, frames: int, unknown: Array, *, flying: bool) -> Stretch:
    motion = np.zeros((3, 3))
    motion[:, 0], motion[:, 1] = unknown[:3], unknown[3:6]
    if flying:
        motion[0, 2], motion[1, 2], motion[2, 2] = unknown[6], unknown[7], -GRAVITY
    else:
        motion[0, 2] = BALL_RADIUS_M
    return Stretch(first, first + frames, motion, flying)
