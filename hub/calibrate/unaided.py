"""Poses guessed without a click: straight lines give the pitch's two directions, and their distances which is which.

On the plane of the pitch all lines but the circles run along or across it. A pair of lines that meet at infinity and a
third across them turn the camera upright (up to which way is along); what is left is where each line lies to the side
of the camera, in units of its height, and pairs of parallel lines taken for pairs of the pitch's give that height.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product

import cv2
import numpy as np

from hub.calibrate.crests import CrestMap
from hub.calibrate.lens_jacobian import FittedCamera
from hub.calibrate.paint import Markings
from hub.calibrate.strokes import Straights, Strokes, find_straights
from wire.ids import NodeId
from wire.pitch import Pitch
from wire.rig import Array, Lens

_ALONG_RAD = 0.012
"""How far a straight line may be from the direction of the pitch that it is taken for."""
_SAME_RAD = 0.006
"""And from the line of the pitch."""
_LONGEST = 14
_TURNS = 16
_PAIRS = 300
_BOX_M = 0.3
_PLACES = 600
_POSES = 200
_COARSE, _THIN = 16, 4
"""Guesses are compared on every 16th sample of the markings, and the best of them on every fourth."""
_TILT_DEG = (-4.0, 50.0)
_ROLL_DEG = 8.0
_HEIGHT_M = (2.0, 25.0)
_BEHIND_M = (0.7, 45.0)
"""How far outside the near touchline a camera may stand."""
_ASIDE = 0.4
"""And how far from the halfway line, as a share of the pitch's length: no rig stands at a corner."""


def rays_by(lens: Lens) -> Callable[[Array], Array]:
    """What turns pixels (n, 2) into unit rays (n, 3) of the camera's own axes."""

    def rays(pixels: Array) -> Array:
        ideal = lens.undistort((pixels - (lens.cx_px, lens.cy_px)) / lens.focal_px)
        out = np.concatenate([ideal, np.ones((len(ideal), 1))], axis=1)
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))

    return rays


@dataclass(frozen=True)
class Guess:
    """A pose, and how well the crests of the picture bear it out."""

    camera: FittedCamera
    score: float


def guess_poses(
    node: NodeId,
    lens: Lens,
    strokes: Strokes,
    crests: CrestMap,
    pitch: Pitch,
    painted: Markings,
    random: np.random.Generator,
    stand_m: Array | None = None,
) -> list[Guess]:
    """Poses of a camera with this lens that explain many straight lines, the best borne out by its `crests` first; or
    those at `stand_m` (3,), where that is known."""
    straights = find_straights(strokes, rays_by(lens), random)
    turns, places = [np.zeros((0, 3, 3))], [np.zeros((0, 3))]
    for turn in _turns(straights):
        found = _places(turn, straights, pitch) if stand_m is None else stand_m[None]
        places.append(found)
        turns.append(np.broadcast_to(turn, (len(found), 3, 3)))
    turn, place = np.concatenate(turns), np.concatenate(places)
    score = crests.supports(lens, turn, place, painted.every(_COARSE))
    best = np.argsort(-score)[:_POSES]
    score = crests.supports(lens, turn[best], place[best], painted.every(_THIN))
    distortion = np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3])
    principal = np.array([lens.cx_px, lens.cy_px])
    guesses = [
        Guess(FittedCamera(node, *crests.size, turn[k], place[k], lens.focal_px, principal, distortion), float(s))
        for k, s in zip(best, score, strict=True)
    ]
    return sorted(guesses, key=lambda guess: -guess.score)


def _turns(straights: Straights) -> list[Array]:
    """Rotations (3, 3), pitch frame to camera axes, by which much of the straights runs along or across the pitch."""
    tried = _uprights(straights)
    if not len(tried):
        return []
    below = (tried[:, 2] @ straights.middles.T) < -0.01
    runs = np.abs(tried[:, :2] @ straights.normals.T).min(axis=1) < _ALONG_RAD
    score = (runs & below) @ straights.weight
    out: list[Array] = []
    for best in np.argsort(-score):
        settled = _settled(tried[best], straights)
        # Either direction may be the touchline's; whichever way is ahead, right is to the right of it.
        for ahead in (settled[0], -settled[0], settled[1], -settled[1]):
            if ahead[2] < 0.06:
                continue
            turn = np.stack([np.cross(ahead, settled[2]), ahead, settled[2]], axis=1)
            if all(np.abs(turn - other).max() > 0.02 for other in out):
                out.append(turn)
        if len(out) >= _TURNS:
            break
    return out


def _uprights(straights: Straights) -> Array:
    """Triples (n, 3, 3) of two level directions and up, in camera axes: from pairs of long straights and a third."""
    n = straights.normals
    top = np.argsort(-straights.weight)[:_LONGEST]
    out = []
    for i, j in combinations(top, 2):
        first = np.cross(n[i], n[j])
        size = np.linalg.norm(first)
        if size < 0.03:
            continue
        first /= size
        second = np.cross(n[[k for k in top if k not in (i, j)]], first)
        size = np.linalg.norm(second, axis=1)
        second = second[size > 0.2] / size[size > 0.2, None]
        up = np.cross(first, second)
        up *= -np.sign(up[:, 1:2])
        tilt, roll = np.degrees(np.arcsin(-up[:, 2])), np.degrees(np.arctan2(up[:, 0], -up[:, 1]))
        likely = (tilt > _TILT_DEG[0]) & (tilt < _TILT_DEG[1]) & (np.abs(roll) < _ROLL_DEG)
        first = np.broadcast_to(first, second.shape)
        out.append(np.stack([first, second, up], axis=1)[likely])
    return np.concatenate(out) if out else np.zeros((0, 3, 3))


def _settled(upright: Array, straights: Straights) -> Array:
    """The triple (rows: two level directions, up) turned a little so that its straights run along them best."""
    first, _, up = upright
    rows = np.stack([first, np.cross(up, first), up])
    for _ in range(4):
        slopes, gaps = [1e-3 * np.eye(3)], [np.zeros(3)]
        for axis in rows[:2]:
            gap = straights.normals @ axis
            mine = np.abs(gap) < _ALONG_RAD
            weight = np.sqrt(straights.weight[mine])
            # A turn by w moves the axis by w x axis, and n . (w x axis) = w . (axis x n).
            slopes.append(np.cross(axis[None], straights.normals[mine]) * weight[:, None])
            gaps.append(-gap[mine] * weight)
        step = np.linalg.lstsq(np.concatenate(slopes), np.concatenate(gaps), rcond=None)[0]
        rows = rows @ cv2.Rodrigues(step.reshape(3, 1))[0].T
    return np.asarray(rows)


def _places(turn: Array, straights: Straights, pitch: Pitch) -> Array:
    """Places (n, 3) of the camera in the pitch frame that explain much of the straights."""
    level = straights.normals @ turn
    below = (straights.middles @ turn)[:, 2] < -0.01
    along, across = (below & (np.abs(level[:, k]) < _ALONG_RAD) for k in (0, 1))
    ahead = _Parallels(level[along, 2] / level[along, 1], straights.weight[along])
    aside = _Parallels(level[across, 2] / level[across, 0], straights.weight[across])
    lines = pitch.lines()
    ys = np.unique([round(line.y0, 3) for line in lines if line.y0 == line.y1])
    xs = np.unique([round(line.x0, 3) for line in lines if line.x0 == line.x1])
    near, far = -pitch.half_width - _BEHIND_M[1], -pitch.half_width - _BEHIND_M[0]
    # Rows of score, height, y, x: by pairs of lines along the pitch, then by pairs across it.
    rows = np.concatenate([_paired(ahead, aside, ys, xs), _paired(aside, ahead, xs, ys)[:, [0, 1, 3, 2]]])
    rows = rows[(rows[:, 2] > near) & (rows[:, 2] < far) & (np.abs(rows[:, 3]) < _ASIDE * pitch.length_m)]
    rows = rows[np.argsort(-rows[:, 0])]
    # One of those that are all but the same: the best of each small box.
    _, first = np.unique(np.round(rows[:, 1:] / _BOX_M).astype(np.int64), axis=0, return_index=True)
    return np.asarray(rows[np.sort(first)[:_PLACES]][:, [3, 2, 1]])


class _Parallels:
    """Straights of one direction: how far (n,) to one side of the camera they lie on the ground, in heights of the
    camera, and their weights (n,)."""

    def __init__(self, offsets: Array, weight: Array) -> None:
        self.offsets = offsets
        self._weight = weight

    def explained(self, values: Array, z: Array, place: Array) -> Array:
        """How much of them lies on the pitch's lines at `values`, for cameras at heights and places (n,)."""
        at = place[:, None] + z[:, None] * self.offsets[None]
        gap = np.abs(at[..., None] - values).min(axis=2) / z[:, None] / (1 + self.offsets[None] ** 2)
        return np.asarray((self._weight * np.exp(-((gap / _SAME_RAD) ** 2))).sum(axis=1))


def _paired(these: _Parallels, others: _Parallels, values: Array, other_values: Array) -> Array:
    """Score, height, place to the side of these and of the others (n, 4), by taking each pair of these for each pair of
    the pitch's lines at `values`, and one of the others for each at `other_values`."""
    pairs = [
        ((k - m) / (these.offsets[i] - these.offsets[j]), k, these.offsets[i])
        for i, j in combinations(range(len(these.offsets)), 2)
        for k, m in product(values, values)
        if abs(these.offsets[i] - these.offsets[j]) > 1e-3
    ]
    z, value, offset = np.array(pairs).reshape(-1, 3).T
    likely = (z > _HEIGHT_M[0]) & (z < _HEIGHT_M[1])
    z, place = z[likely], (value - z * offset)[likely]
    explained = these.explained(values, z, place)
    keep = np.argsort(-explained)[:_PAIRS]
    z, place, explained = z[keep], place[keep], explained[keep]
    rows = [np.zeros((0, 4))]
    for beside, line in product(other_values, others.offsets):
        there = beside - z * line
        rows.append(np.stack([explained + others.explained(other_values, z, there), z, place, there], axis=1))
    return np.concatenate(rows)
