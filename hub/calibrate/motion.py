"""The shift between two cameras' recordings, from what moves where both look.

Both pictures are read at the same places of the pitch. Whatever moves over a place is seen there by both cameras at
the same moment, so the shift is where the two records of movement agree best. Neither people nor the ball need to be
recognised for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hub.picture import Plane
from wire.rig import Array, CameraModel
from wire.rigtime import SECOND

HEIGHT_M = 0.5
"""Of the plane that the places lie on: most of what moves is legs."""
_SPACING_M = 0.35
_MOST_PLACES = 8000
_MARGIN_PX = 4.0
_STIRRED = 10.0
"""Levels by which a place must differ from its usual brightness to count as moved over."""
REACH_S = 2.5
_STEP_S = 0.004
_LEAST_FRAMES = 20
_CLEAR = 1.25
"""How much the best agreement must exceed the median one to be believed."""


@dataclass(frozen=True)
class Shift:
    """What to add to the second recording's times so that they agree with the first's, and one standard error of it."""

    seconds: float
    uncertainty_s: float


class Places:
    """Places of the pitch that both cameras see, and how to read them in a camera's luma plane."""

    def __init__(self, first: CameraModel, second: CameraModel, half_length_m: float, half_width_m: float) -> None:
        x, y = np.meshgrid(
            np.arange(-half_length_m, half_length_m, _SPACING_M), np.arange(-half_width_m, half_width_m, _SPACING_M)
        )
        ground = np.stack([x.ravel(), y.ravel(), np.full(x.size, HEIGHT_M)], axis=1)
        pixels = [np.nan_to_num(camera.project(ground), nan=-1.0) for camera in (first, second)]
        both = first.sees(pixels[0], _MARGIN_PX) & second.sees(pixels[1], _MARGIN_PX)
        index = np.flatnonzero(both)
        index = index[:: max(1, -(-len(index) // _MOST_PLACES))]
        self._pixels = tuple(p[index] for p in pixels)

    def __len__(self) -> int:
        return len(self._pixels[0])

    def read(self, luma: Plane, camera: int) -> Array:
        """Mean brightness (n,) of the 3 x 3 pixels around each place, in the picture of camera 0 or 1."""
        u, v = (self._pixels[camera][:, k].astype(np.int64) for k in (0, 1))
        total = np.zeros(len(u))
        for du in (-1, 0, 1):
            for dv in (-1, 0, 1):
                total += luma[v + dv, u + du]
        return total / 9.0


Record = Sequence[tuple[int, Array]]
"""Frame by frame a recording's time (ns) and what `Places.read` gave."""


def find_shift(first: Record, second: Record) -> Shift | None:
    """The shift, of at most `REACH_S`, between two recordings of the same places; None where too little moves."""
    if min(len(first), len(second)) < _LEAST_FRAMES or not len(first[0][1]):
        return None
    origin = first[0][0]
    times = [np.array([time - origin for time, _ in record], np.float64) / SECOND for record in (first, second)]
    a, b = (_stirred(np.stack([seen for _, seen in record])) for record in (first, second))
    shifts = np.arange(-REACH_S, REACH_S + _STEP_S / 2, _STEP_S)
    agreement = _agreement(a, b, times[0], times[1], shifts)
    known = np.isfinite(agreement)
    if known.sum() < 50:
        return None
    best = int(np.nanargmax(agreement))
    if not agreement[best] > _CLEAR * max(float(np.median(agreement[known])), 1e-9):
        return None
    return _peak(shifts, agreement, best, float(np.median(np.diff(times[0]))))


def _stirred(frames: Array) -> Array:
    """How much each place (frames, n) differs from its usual brightness, noise taken off."""
    gap = np.abs(frames - np.median(frames, axis=0)) - _STIRRED
    return np.sqrt(np.clip(gap, 0.0, 60.0))


def _agreement(a: Array, b: Array, first: Array, second: Array, shifts: Array) -> Array:
    """Correlation of the two records at each shift, the second one interpolated between its frames; NaN where they
    overlap too little."""
    cross, own = a @ b.T, (a * a).sum(axis=1)
    here, ahead = (b * b).sum(axis=1), (b[:-1] * b[1:]).sum(axis=1)
    out = np.full(len(shifts), np.nan)
    rows = np.arange(len(first))
    for k, shift in enumerate(shifts):
        at = first - shift
        inside = (at >= second[0]) & (at < second[-1])
        if inside.sum() < _LEAST_FRAMES:
            continue
        j = np.searchsorted(second, at[inside], side="right") - 1
        part = (at[inside] - second[j]) / (second[j + 1] - second[j])
        i = rows[inside]
        dot = ((1 - part) * cross[i, j] + part * cross[i, j + 1]).sum()
        power = ((1 - part) ** 2 * here[j] + part**2 * here[j + 1] + 2 * part * (1 - part) * ahead[j]).sum()
        out[k] = dot / np.sqrt(own[i].sum() * power + 1e-9)
    return out


def _peak(shifts: Array, agreement: Array, best: int, frame_s: float) -> Shift:
    """The top of a parabola through the agreement within one and a half frames of its highest value."""
    near = np.abs(shifts - shifts[best]) <= 1.5 * frame_s
    near &= np.isfinite(agreement)
    x = shifts[near] - shifts[best]
    curve, residuals, *_ = np.polyfit(x, agreement[near], 2, full=True)
    if curve[0] >= 0:
        return Shift(float(shifts[best]), frame_s)
    rough = float(np.sqrt(residuals[0] / len(x))) if len(residuals) else 0.0
    # By how much the top moves sideways when the agreement is off by as much as it departs from the parabola.
    uncertainty = np.sqrt(rough / -curve[0]) / np.sqrt(len(x)) + _STEP_S / 4
    return Shift(float(shifts[best] - curve[1] / (2 * curve[0])), float(uncertainty))
