"""Where people stand in the panorama: upright boxes around tracks."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from wire.panorama import PanoramaView
from wire.pitch_tracks import PitchTracks

TALL_M, WIDE_M = 1.9, 1.1
"""A grown person with arms away from the body; children fit in with room to spare."""
MARGIN = 0.2
"""Of the box's height, on every side: for where a track is off, a jump, a shadow of hair."""
_LEAST_PX = 4
_HOLD_S = 1.0
"""So long before a track begins and after it ends the person is taken to be where it does."""


class Box(NamedTuple):
    """Pixels of the panorama from the first to, not including, the last; all even, as halved colour planes want it."""

    left: int
    top: int
    right: int
    bottom: int


def boxes_at(view: PanoramaView, tracks: PitchTracks, ids: Collection[int], time_s: float) -> list[Box]:
    """The boxes around those of the tracks that are there at a time after the panorama's first frame."""
    frame = time_s * tracks.frames_per_second
    found = (_box(view, place) for place in (_place(tracks, track, frame) for track in ids) if place is not None)
    return [box for box in found if box is not None]


def _place(tracks: PitchTracks, track: int, frame: float) -> tuple[float, float] | None:
    """Where a track is at a frame, straight over its gaps; None before and after it."""
    frames, xy, _ = tracks.of(track)
    hold = _HOLD_S * tracks.frames_per_second
    if not len(frames) or not frames[0] - hold <= frame <= frames[-1] + hold:
        return None
    return float(np.interp(frame, frames, xy[:, 0])), float(np.interp(frame, frames, xy[:, 1]))


def _box(view: PanoramaView, place: tuple[float, float]) -> Box | None:
    x, y = place
    feet, head = view.project([[x, y, 0.0], [x, y, TALL_M]])
    tall = abs(float(feet[1] - head[1]))
    margin = max(MARGIN * tall, _LEAST_PX)
    half = tall * WIDE_M / TALL_M / 2 + margin
    u, edges = float(feet[0]), (float(feet[1]), float(head[1]))
    left, right = _even(u - half, view.width_px), _even(u + half + 2, view.width_px)
    top, bottom = _even(min(edges) - margin, view.height_px), _even(max(edges) + margin + 2, view.height_px)
    return Box(left, top, right, bottom) if left < right and top < bottom else None


def _even(px: float, most: int) -> int:
    return int(min(max(px, 0.0), float(most))) // 2 * 2
