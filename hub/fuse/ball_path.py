"""The ball's path on the pitch from its chosen sightings."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hub.fuse.flight import Stretch, stretches
from hub.fuse.ground import BALL_RADIUS_M, FRAMES_PER_SECOND, Points
from wire.pitch import Pitch
from wire.rig import CameraModel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BRIDGE_S = 2.0
STILL_S = 20.0
_STILL_M = 1.5
_UNSEEN_FLIGHT = 18
_BOARDS_M = 7.0


def trace(points: Points, cameras: Sequence[CameraModel], pitch: Pitch, span: range) -> tuple[Ints, Array, Flags]:
    """Frames of `span`, positions below the ball and seen flags: rolling or flying where measured, straight across gaps
    of `BRIDGE_S`, held where it lay still, left out elsewhere and where nobody plays."""
    if not len(points):
        return np.zeros(0, np.int64), np.zeros((0, 2)), np.zeros(0, np.bool_)
    points = points.take(np.argsort(points.time, kind="stable"))
    xy = np.full((len(span), 2), np.nan)
    for stretch in stretches(points, cameras):
        inside = points.time[(points.time >= stretch.first - 0.5) & (points.time <= stretch.last + 0.5)]
        if not len(inside):
            continue
        # A rolling ball is only known where it was measured; a flight is known throughout.
        low, high = np.floor(inside[0]), np.ceil(inside[-1])
        frame = np.arange(max(int(low), span.start), min(int(high), span.stop - 1) + 1)
        if not len(frame):
            continue
        if stretch.flying:
            frame = _to_the_ground(stretch, frame, span)
        place = stretch.at(frame.astype(np.float64))[:, :2]
        beyond = np.abs(place) - (pitch.half_length, pitch.half_width)
        if np.median(beyond.max(axis=1)) < _BOARDS_M:
            xy[frame - span.start] = place
    _bridge(xy)
    seen = np.zeros(len(span), np.bool_)
    measured = np.round(points.time).astype(np.int64) - span.start
    for shift in (-1, 0, 1):
        k = measured + shift
        seen[k[(k >= 0) & (k < len(span))]] = True
    rows = np.flatnonzero(~np.isnan(xy[:, 0]))
    return rows + span.start, xy[rows], seen[rows]


def _to_the_ground(stretch: Stretch, frame: Ints, span: range) -> Ints:
    """A flight's frames with those before it was first seen, from the kick on, and those after it was last seen."""
    first, last = int(frame[0]), int(frame[-1])
    if stretch.open_start:
        first = max(first - _UNSEEN_FLIGHT, span.start)
    if stretch.open_end:
        last = min(last + _UNSEEN_FLIGHT, span.stop - 1)
    wide = np.arange(first, last + 1)
    low = stretch.at(wide.astype(np.float64))[:, 2] < BALL_RADIUS_M
    before, after = wide[low & (wide < frame[0])], wide[low & (wide > frame[-1])]
    return np.arange(before[-1] if len(before) else frame[0], (after[0] if len(after) else frame[-1]) + 1)


def _bridge(xy: Array) -> None:
    """Fills short gaps in place, and long ones over which the ball lay still."""
    known = np.flatnonzero(~np.isnan(xy[:, 0]))
    for i in np.flatnonzero(np.diff(known) > 1):
        a, b = int(known[i]), int(known[i + 1])
        gap_s = (b - a) / FRAMES_PER_SECOND
        still = float(np.hypot(*(xy[b] - xy[a]))) < _STILL_M
        if gap_s <= BRIDGE_S or (still and gap_s <= STILL_S):
            part = (np.arange(a + 1, b) - a)[:, None] / (b - a)
            xy[a + 1 : b] = xy[a] * (1 - part) + xy[b] * part
