"""When the ball leaves the pitch, and through what."""

from dataclasses import dataclass

import numpy as np

from hub.events.scene import Scene

_CLEAR_M = 0.35
_CERTAIN_M = 1.0
_OUT_S = 0.24


@dataclass(frozen=True)
class Exit:
    """The ball crossed a line at `frame` (fractional) at (`x`, `y`) and came back at `back` or later; `end_line` says a
    goal line, `mouth` between the posts."""

    frame: float
    x: float
    y: float
    back: int
    end_line: bool
    mouth: bool


def exits(scene: Scene) -> list[Exit]:
    """Every time the ball was out for longer than an instant, in order."""
    pitch = scene.pitch
    beyond = np.maximum(np.abs(scene.ball[:, 0]) - pitch.half_length, np.abs(scene.ball[:, 1]) - pitch.half_width)
    known = ~np.isnan(beyond)
    # A ball that vanishes outside is still outside.
    last = np.maximum.accumulate(np.where(known, np.arange(len(beyond)), 0))
    held = beyond[last]
    out = held > 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], out, [False]]).astype(np.int8)))
    found: list[Exit] = []
    for first, back in zip(edges[::2], edges[1::2], strict=True):
        most = float(np.nanmax(held[first:back]))
        long = back - first >= scene.frame(_OUT_S)
        if most < _CLEAR_M or not (long or most > _CERTAIN_M):
            continue
        found.append(_crossing(scene, int(first), int(back), held))
    return found


def _crossing(scene: Scene, first: int, back: int, held: np.ndarray) -> Exit:
    pitch = scene.pitch
    after = scene.ball[first]
    before = scene.ball[first - 1] if first > 0 else after
    if np.isnan(before).any():
        before = after
    share = []
    for axis, half in ((0, pitch.half_length), (1, pitch.half_width)):
        step = abs(after[axis]) - abs(before[axis])
        over = abs(after[axis]) > half
        share.append((half - abs(before[axis])) / step if over and step > 1e-9 else np.inf if not over else 0.0)
    end_line = share[0] < share[1]
    part = float(np.clip(min(share), 0.0, 1.0))
    place = before + part * (after - before)
    mouth = end_line and abs(float(place[1])) < pitch.form.goal_width / 2
    return Exit(first - 1 + part, float(place[0]), float(place[1]), back, end_line, mouth)
