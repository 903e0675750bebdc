"""Where a team's players belong: the shape that shifts with the ball, and the layouts of kick-offs and corners.

Team frame: metres from the centre spot, x towards the goal that the team attacks, y to keep the frame right-handed.
"""

import numpy as np
import numpy.typing as npt

from wire.pitch import Pitch

Array = npt.NDArray[np.float64]

# One row per outfield player: depth in the block (-1 last line, +1 first), width (-1 right, +1 left).
SHAPES: dict[int, tuple[tuple[tuple[float, float], ...], ...]] = {
    11: (
        (
            (-1, -0.8),
            (-1, -0.27),
            (-1, 0.27),
            (-1, 0.8),
            (0, -0.85),
            (-0.12, -0.25),
            (-0.12, 0.25),
            (0, 0.85),
            (1, -0.25),
            (0.9, 0.3),
        ),
        (
            (-1, -0.8),
            (-1, -0.27),
            (-1, 0.27),
            (-1, 0.8),
            (-0.35, 0.0),
            (0.05, -0.42),
            (0.05, 0.42),
            (0.85, -0.8),
            (1, 0.0),
            (0.85, 0.8),
        ),
    ),
    9: (
        ((-1, -0.7), (-1, 0), (-1, 0.7), (0, -0.75), (-0.15, 0), (0, 0.75), (1, -0.3), (0.9, 0.35)),
        ((-1, -0.7), (-1, 0), (-1, 0.7), (-0.2, -0.3), (-0.2, 0.3), (0.7, -0.8), (1, 0), (0.7, 0.8)),
    ),
    7: (
        ((-1, -0.5), (-1, 0.5), (0, -0.75), (-0.1, 0), (0, 0.75), (1, 0)),
        ((-1, -0.6), (-1.1, 0), (-1, 0.6), (0, -0.4), (0, 0.4), (1, 0)),
    ),
}


def open_shape(pitch: Pitch, slots: Array, ball: Array, having: bool) -> Array:
    """Places (n, 2) of the outfield `slots` (n, 2) in open play, for the `ball` (2,), all in the team frame."""
    hx, hy = pitch.half_length, pitch.half_width
    depth = (0.47 if having else 0.36) * 2 * hx
    middle = 0.62 * ball[0] + (0.0 if having else -0.16 * hx)
    last = np.clip(middle - depth / 2, -hx + 0.13 * hx, 0.08 * hx)
    x = last + (slots[:, 0] + 1) / 2 * depth
    wide, drawn = (0.86, 0.16) if having else (0.62, 0.36)
    y = slots[:, 1] * hy * wide + ball[1] * drawn
    return np.stack([np.clip(x, -hx + 3, hx - 4), np.clip(y, -hy + 1.5, hy - 1.5)], axis=1)


def kick_off_shape(pitch: Pitch, slots: Array, kicking: bool) -> Array:
    """Places of the outfield `slots` before a kick-off, in the team frame: own half, opponents outside the circle."""
    hx, hy, ring = pitch.half_length, pitch.half_width, pitch.form.circle_radius + 0.8
    x = -2.0 - (1 - slots[:, 0]) / 2 * 0.58 * hx
    y = slots[:, 1] * hy * 0.8
    places = np.stack([x, y], axis=1)
    if not kicking:
        places = keep_off(places, np.zeros(2), ring, np.array([-1.0, 0.0]))
        places[:, 0] = np.minimum(places[:, 0], -1.2)
        near = np.hypot(places[:, 0], places[:, 1]) < ring
        places[near, 0] = -np.sqrt(np.maximum(ring**2 - places[near, 1] ** 2, 1.5))
    return places


def corner_shape(pitch: Pitch, count: int, attacking: bool, side: float, slots: Array) -> Array:
    """Places of `count` outfield players at a corner, in the frame of the team that attacks: `side` is the sign of the
    corner's y. Attackers hold two or three back; defenders stand goal-side."""
    hx, form = pitch.half_length, pitch.form
    goal, area, width = hx, form.penalty_area_depth, form.goal_width
    spots = np.array(
        [
            (goal - 0.55 * area, 0.9 * width * side),
            (goal - 0.62 * area, 0.1 * width * side),
            (goal - 0.42 * area, -0.55 * width * side),
            (goal - 0.75 * area, -0.9 * width * side),
            (goal - 0.3 * area, 0.35 * width * side),
            (goal - 1.15 * area, 0.8 * width * side),
            (goal - 1.25 * area, -1.0 * width * side),
            (0.2 * hx, -0.2 * hx),
            (0.1 * hx, 0.2 * hx),
            (0.02 * hx, 0.0),
        ]
    )
    inside = {10: 7, 8: 5, 6: 4}[count]
    forward = np.argsort(-slots[:, 0] + 0.01 * np.arange(count), kind="stable")
    if attacking:
        order = [*range(inside), *range(7, 7 + count - inside)]
        chosen = spots[order]
    else:
        chosen = spots[[*range(inside), *range(inside)]][:count] + np.array([1.3, 0.4 * side])
        chosen[inside:] = [
            (goal - 0.12 * area, 0.45 * width * side),
            (goal - 0.3 * area, 1.2 * width * side),
            (goal - 1.6 * area, 0.0),
        ][: count - inside]
        forward = forward[::-1]
    out = np.empty((count, 2))
    out[forward] = chosen
    return out


def keep_off(places: Array, spot: Array, radius: float, fallback: Array) -> Array:
    """The places pushed straight away from `spot` to at least `radius` metres (along `fallback` when right on it)."""
    away = places - spot
    gap = np.sqrt((away * away).sum(1))
    unit = np.where(gap[:, None] > 0.3, away / np.maximum(gap, 1e-6)[:, None], fallback)
    return np.where((gap < radius)[:, None], spot + unit * radius, places)
