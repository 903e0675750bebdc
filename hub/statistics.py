"""What each player ran: distance, top speed and how long he was followed."""

import numpy as np
import numpy.typing as npt

from wire.match import PlayerStatistics
from wire.pitch_tracks import PitchTracks, Role

Array = npt.NDArray[np.float64]

_WINDOW_S = 0.6
_HELD_S = 0.5
_STILL_MPS = 0.3
FASTEST_MPS = 11.5
"""Nobody on a pitch is faster; what measures more is a slip of the tracker (sprinters reach 12.3 m/s)."""


def player_statistics(tracks: PitchTracks) -> list[PlayerStatistics]:
    """The statistics of every player's track, in the order of the tracks; the referee and the ball have none.

    Distance adds the smoothed path over unbroken stretches, without what a person standing still seems to wander. Top
    speed is the highest that was held for half a second.
    """
    out = []
    for track in tracks.tracks:
        if track.role is not Role.PLAYER:
            continue
        frame, xy, _ = tracks.of(track.id)
        order = np.argsort(frame)
        distance, top = 0.0, 0.0
        for rows in np.split(order, np.flatnonzero(np.diff(frame[order]) != 1) + 1):
            speed = _speeds(xy[rows], tracks.frames_per_second)
            moving = speed[(speed > _STILL_MPS) & (speed <= FASTEST_MPS)]
            distance += float(moving.sum()) / tracks.frames_per_second
            top = max(top, _held(speed, round(_HELD_S * tracks.frames_per_second)))
        out.append(
            PlayerStatistics(
                track=track.id,
                team=track.team,
                distance_m=distance,
                top_speed_mps=top,
                followed_s=len(frame) / tracks.frames_per_second,
            )
        )
    return out


def _speeds(xy: Array, fps: float) -> Array:
    """Speed of every step (n - 1,) in m/s, from a local line of `_WINDOW_S` (Savitzky-Golay of first order)."""
    reach = min(round(_WINDOW_S * fps / 2), (len(xy) - 1) // 2)
    if len(xy) < 2:
        return np.zeros(0)
    if reach < 1:
        return np.asarray(np.hypot(*np.diff(xy, axis=0).T) * fps)
    offset = np.arange(-reach, reach + 1)
    kernel = offset[::-1] / (offset**2).sum() * fps
    inner = np.stack([np.convolve(xy[:, i], kernel, mode="valid") for i in (0, 1)], axis=1)
    speed = np.hypot(inner[:, 0], inner[:, 1])
    # The ends take the nearest full window; n positions make n - 1 steps.
    return np.asarray(np.concatenate([np.full(reach, speed[0]), speed, np.full(reach, speed[-1])])[: len(xy) - 1])


def _held(speed: Array, frames: int) -> float:
    """The highest speed that was kept up for `frames`, ignoring what nobody can run."""
    if len(speed) < frames or frames < 1:
        return 0.0
    lowest = np.lib.stride_tricks.sliding_window_view(speed, frames).min(axis=1)
    highest = np.lib.stride_tricks.sliding_window_view(speed, frames).max(axis=1)
    plausible = lowest[highest <= FASTEST_MPS]
    return float(plausible.max()) if len(plausible) else 0.0
