"""The smoothest path through uncertain measurements: many paths in one banded solve.

A path is one position per frame. Second differences are independent and normal (white acceleration), measurements lie
between two frames and have a variance of their own; the most probable path is then that of a Kalman filter with
Rauch-Tung-Striebel smoothing, found here as one symmetric banded system. Two rounds of reweighting (Cauchy) make it
bear outliers.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solveh_banded

from hub.fuse.ground import FRAMES_PER_SECOND

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PERSON_ACCELERATION = 9.0
"""Standard deviation of a person's acceleration per frame, m/s²: 1.3 m/s change of velocity in half a second."""
# Errors of neighbouring frames are alike (the same limb, the same shadow), so each tells less than its own variance.
ALIKE = 4.0
_BAND = 4
_CAUCHY = 4.0


@dataclass(frozen=True)
class Paths:
    """Smoothed paths one after the other: path g has the frames first[g] .. first[g] + length[g] - 1, and its positions
    (metres) begin at row offset[g] of `xy` (rows, 2)."""

    first: Ints
    length: Ints
    offset: Ints
    xy: Array

    def of(self, path: int) -> tuple[Ints, Array]:
        """Frames and positions of one path."""
        start, n = int(self.offset[path]), int(self.length[path])
        return np.arange(self.first[path], self.first[path] + n), self.xy[start : start + n]

    def at(self, path: Ints, frame: Ints) -> Array:
        """Positions (m, 2) of `path` at `frame`, held at the ends."""
        k = np.clip(frame - self.first[path], 0, self.length[path] - 1)
        xy: Array = self.xy[self.offset[path] + k]
        return xy

    def velocity(self, path: Ints, frame: Ints, reach: int = 3) -> Array:
        """Velocities (m, 2) in metres per second over ± `reach` frames, one-sided at the ends."""
        k = frame - self.first[path]
        last = self.length[path] - 1
        a = np.clip(k - reach, 0, last)
        b = np.clip(k + reach, 0, last)
        span = np.maximum(b - a, 1) / FRAMES_PER_SECOND
        velocity: Array = (self.xy[self.offset[path] + b] - self.xy[self.offset[path] + a]) / span[:, None]
        return velocity


def smooth(
    path: Ints, time: Array, xy: Array, cov: Array, *, acceleration: float = PERSON_ACCELERATION, rounds: int = 3
) -> Paths:
    """Smooths measurements into paths: `path` (m,) counts 0 .. paths - 1 with none empty, `time` (m,) in frames, `xy`
    (m, 2) metres, `cov` (m, 3) m². A path reaches from the frame at or before its first measurement to the one at or
    after its last."""
    paths = int(path.max()) + 1
    low = np.floor(time).astype(np.int64)
    first, last = np.full(paths, np.iinfo(np.int64).max), np.full(paths, np.iinfo(np.int64).min)
    np.minimum.at(first, path, low)
    np.maximum.at(last, path, np.ceil(time).astype(np.int64))
    length = last - first + 1
    offset = np.concatenate([[0], np.cumsum(length)[:-1]])
    total = int(length.sum())

    node = offset[path] + low - first[path]
    after = np.minimum(node + 1, offset[path] + length[path] - 1)
    part = np.where(after > node, time - low, 0.0)
    det = np.maximum(cov[:, 0] * cov[:, 2] - cov[:, 1] ** 2, 1e-12)
    info = np.column_stack([cov[:, 2], -cov[:, 1], cov[:, 0]]) / det[:, None] / ALIKE
    stiff = _stiffness(first, length, offset, total, acceleration)
    weight = np.ones(len(time))
    out = np.zeros((total, 2))
    for turn in range(rounds):
        out = _solve(stiff, (node, after, part), xy, info * weight[:, None], total)
        if turn + 1 < rounds:
            off = xy - (out[node] * (1 - part)[:, None] + out[after] * part[:, None])
            d2 = info[:, 0] * off[:, 0] ** 2 + 2 * info[:, 1] * off[:, 0] * off[:, 1] + info[:, 2] * off[:, 1] ** 2
            weight = 1 / (1 + d2 * ALIKE / _CAUCHY**2)
    return Paths(first, length, offset, out)


def _stiffness(first: Ints, length: Ints, offset: Ints, total: int, acceleration: float) -> Array:
    """The penalty on second differences in lower banded form (offset 0, 1, 2) over nodes."""
    spread = acceleration / FRAMES_PER_SECOND**2
    band = np.zeros((3, total))
    middle = np.ones(total, bool)
    middle[offset] = False
    middle[offset + length - 1] = False
    k = np.flatnonzero(middle)
    for i, a in ((-1, 1.0), (0, -2.0), (1, 1.0)):
        for j, b in ((-1, 1.0), (0, -2.0), (1, 1.0)):
            if i >= j:
                np.add.at(band[i - j], k + j, a * b / spread**2)
    # A lone measurement leaves its velocity open: a trace of friction keeps the system regular.
    friction = 1e-2
    inner = np.ones(total, bool)
    inner[offset + length - 1] = False
    k = np.flatnonzero(inner)
    band[0, k] += friction
    band[0, k + 1] += friction
    band[1, k] -= friction
    return band


def _solve(stiff: Array, place: tuple[Ints, Ints, Array], xy: Array, info: Array, total: int) -> Array:
    node, after, part = place
    lower = np.zeros((_BAND + 1, 2 * total))
    for gap in range(3):
        lower[2 * gap, 0::2] += stiff[gap]
        lower[2 * gap, 1::2] += stiff[gap]
    right = np.zeros(2 * total)
    wa, wb = 1 - part, part
    ixx, ixy, iyy = info.T
    zx = ixx * xy[:, 0] + ixy * xy[:, 1]
    zy = ixy * xy[:, 0] + iyy * xy[:, 1]

    def add(gap: int, at: Ints, value: Array) -> None:
        lower[gap] += np.bincount(at, value, 2 * total)

    for where, w in ((node, wa), (after, wb)):
        add(0, 2 * where, w * w * ixx)
        add(0, 2 * where + 1, w * w * iyy)
        add(1, 2 * where, w * w * ixy)
        right += np.bincount(2 * where, w * zx, 2 * total) + np.bincount(2 * where + 1, w * zy, 2 * total)
    both = after > node
    n, w = node[both], (wa * wb)[both]
    add(2, 2 * n, w * ixx[both])
    add(2, 2 * n + 1, w * iyy[both])
    add(3, 2 * n, w * ixy[both])
    add(1, 2 * n + 1, w * ixy[both])
    lower[0] += 1e-9
    return np.asarray(solveh_banded(lower, right, lower=True, check_finite=False)).reshape(total, 2)
