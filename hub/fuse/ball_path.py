"""The ball's path on the pitch from its chosen sightings."""

import numpy as np
import numpy.typing as npt

from hub.fuse.ground import FRAMES_PER_SECOND, Points
from hub.fuse.smoothing import smooth

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BRIDGE_S = 2.0
STILL_S = 20.0
_STILL_M = 1.5
_KICK = 60.0


def trace(points: Points, frames: int) -> tuple[Ints, Array, Flags]:
    """Frames, positions and seen flags of the ball: smoothed where measured, straight across gaps of `BRIDGE_S`, held
    where it lay still, left out elsewhere."""
    if not len(points):
        return np.zeros(0, np.int64), np.zeros((0, 2)), np.zeros(0, np.bool_)
    points = points.take(np.argsort(points.time, kind="stable"))
    stretch = np.cumsum(np.diff(points.time, prepend=points.time[:1]) > 3.0)
    paths = smooth(stretch.astype(np.int64), points.time, points.xy, points.cov, acceleration=_KICK)
    xy = np.full((frames, 2), np.nan)
    seen = np.zeros(frames, np.bool_)
    end: tuple[int, Array] | None = None
    for s in range(len(paths.first)):
        frame, at = paths.of(s)
        inside = (frame >= 0) & (frame < frames)
        frame, at = frame[inside], at[inside]
        if not len(frame):
            continue
        if end is not None and frame[0] > end[0] + 1:
            gap_s = (frame[0] - end[0]) / FRAMES_PER_SECOND
            still = float(np.hypot(*(at[0] - end[1]))) < _STILL_M
            if gap_s <= BRIDGE_S or (still and gap_s <= STILL_S):
                part = ((np.arange(end[0] + 1, frame[0]) - end[0]) / (frame[0] - end[0]))[:, None]
                xy[end[0] + 1 : frame[0]] = end[1] * (1 - part) + at[0] * part
        xy[frame] = at
        end = (int(frame[-1]), at[-1])
    measured = np.round(points.time).astype(np.int64)
    for shift in (-1, 0, 1):
        k = measured + shift
        seen[k[(k >= 0) & (k < frames)]] = True
    rows = np.flatnonzero(~np.isnan(xy[:, 0]))
    return rows, xy[rows], seen[rows]
