"""Throw-ins and corners told by who takes them, for when the ball in hands or at a corner arc is not seen."""

import numpy as np
import numpy.typing as npt

from hub.events.exits import Exit
from hub.events.scene import Scene

Array = npt.NDArray[np.float64]

_FETCH_S = 1.0
_LONGEST_S = 40.0
_ALONG_M = 5.0
_AT_LINE_M = 0.5
_WAITS_S = 0.3
_CORNER_M = 2.2
_CORNER_WAITS_S = 0.6
_CLOSEST_M = 0.2


def thrower(scene: Scene, way_out: Exit, until: int) -> tuple[int, int] | None:
    """Who (player row) takes the throw after `way_out`, and in which frame: the first who steps to the line near there
    and back into the pitch; he throws when he is furthest out."""
    first, last = _window(scene, way_out, until)
    side, half = np.sign(way_out.y), scene.pitch.half_width
    x, beyond = scene.players[:, first:last, 0], scene.players[:, first:last, 1] * side - half
    with np.errstate(invalid="ignore"):
        at_line = (np.abs(x - way_out.x) < _ALONG_M) & (beyond > -_AT_LINE_M)
    best: tuple[int, int] | None = None
    for row in np.flatnonzero(at_line.any(axis=1)):
        for a, b in _stays(at_line[row], scene.frame(_WAITS_S)):
            # He who ran out with the ball has not come for the throw, and who stays has not thrown.
            if a == 0 or b == last - first:
                continue
            frame = first + a + int(np.nanargmax(beyond[row, a:b]))
            if best is None or frame < best[1]:
                best = int(row), frame
            break
    return best


def corner_taker(scene: Scene, way_out: Exit, until: int) -> tuple[int, int, Array] | None:
    """Who of the attackers takes a corner after `way_out`, in which frame, and at which corner (2,)."""
    first, last = _window(scene, way_out, until)
    if last - first < 2:
        return None
    side = float(np.sign(way_out.x))
    attackers = scene.team == (0 if side * scene.attacks[first] > 0 else 1)
    for far in (1.0, -1.0) if way_out.y > 0 else (-1.0, 1.0):
        corner = np.array([side * scene.pitch.half_length, far * scene.pitch.half_width])
        gap = np.hypot(*np.moveaxis(scene.players[:, first:last] - corner, -1, 0))
        gap[~attackers] = np.inf
        gap = np.where(np.isnan(gap), np.inf, gap)
        for row in np.flatnonzero((gap < _CORNER_M).any(axis=1)):
            for a, b in _stays(gap[row] < _CORNER_M, scene.frame(_CORNER_WAITS_S)):
                if b == last - first:
                    continue
                near = gap[row, a:b]
                return int(row), first + a + int(np.flatnonzero(near < near.min() + _CLOSEST_M)[-1]), corner
    return None


def _window(scene: Scene, way_out: Exit, until: int) -> tuple[int, int]:
    first = int(way_out.frame) + scene.frame(_FETCH_S)
    return first, max(min(until, first + scene.frame(_LONGEST_S), scene.frames), first)


def _stays(flags: npt.NDArray[np.bool_], shortest: int) -> list[tuple[int, int]]:
    """Stretches (first, one after the last) of at least `shortest` frames in which `flags` hold."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True) if b - a >= shortest]
