"""Where tracklets cannot be trusted: two people cross in a picture, and afterwards each may bear the other's name."""

import numpy as np
import numpy.typing as npt

from hub.fuse.ground import Points

Flags = npt.NDArray[np.bool_]

_COVER = 0.2
_APART_FRAMES = 8
_TRUSTED_SHARE = 0.65


def cuts(points: Points) -> Flags:
    """Which points (m,) are the first of their tracklet after it parted from another one in the picture."""
    meetings: dict[tuple[int, int], list[float]] = {}
    order = np.lexsort((points.time, points.camera))
    moment = np.flatnonzero(
        (np.diff(points.time[order], prepend=-np.inf) != 0) | (np.diff(points.camera[order], prepend=-1) != 0)
    )
    half = points.size / 2
    low = points.pixel - half * (1.0, 2.0)
    high = points.pixel + half * (1.0, 0.0)
    area = points.size.prod(axis=1)
    for rows in np.split(order, moment[1:]):
        if len(rows) < 2:
            continue
        a, b = low[rows], high[rows]
        wide = np.minimum(b[:, None, 0], b[None, :, 0]) - np.maximum(a[:, None, 0], a[None, :, 0])
        tall = np.minimum(b[:, None, 1], b[None, :, 1]) - np.maximum(a[:, None, 1], a[None, :, 1])
        cover = np.maximum(wide, 0) * np.maximum(tall, 0) / np.minimum(area[rows][:, None], area[rows][None])
        for i, j in zip(*np.nonzero(np.triu(cover > _COVER, 1)), strict=True):
            pair = (int(points.tracklet[rows[i]]), int(points.tracklet[rows[j]]))
            meetings.setdefault((min(pair), max(pair)), []).append(float(points.time[rows[i]]))
    starts = np.searchsorted(points.tracklet, np.arange(int(points.tracklet.max()) + 2))
    out = np.zeros(len(points), np.bool_)
    for (first, second), times in meetings.items():
        last = np.array(times)
        last = last[np.append(np.diff(last) > _APART_FRAMES, True)]
        for parted in last:
            index = [
                int(starts[t] + np.searchsorted(points.time[starts[t] : starts[t + 1]], parted, side="right"))
                for t in (first, second)
            ]
            if index[0] >= starts[first + 1] or index[1] >= starts[second + 1]:
                continue
            both = max(points.time[index[0]], points.time[index[1]])
            for t in (first, second):
                k = int(starts[t] + np.searchsorted(points.time[starts[t] : starts[t + 1]], both))
                if k < starts[t + 1]:
                    out[k] = True
    return out


def trusted_colours(points: Points, run: npt.NDArray[np.int64]) -> Points:
    """The points without the colour of segments that a run shares with others of its tracklet: a segment's colour is
    that of the person who was in it longest."""
    width = int(points.segment.max()) + 1
    whole = np.unique(points.tracklet * width + points.segment, return_inverse=True)[1]
    part = np.unique(run * width + points.segment, return_inverse=True)[1]
    share = np.bincount(part)[part] / np.bincount(whole)[whole]
    lab = np.where((share >= _TRUSTED_SHARE)[:, None], points.lab, np.nan)
    return points.with_colours(lab)
