"""What the pages show of the pitch tracks: positions by time, and where one player was."""

import zlib
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.media.store import MediaStore
from wire.pitch_tracks import PitchTracks, decode_pitch_tracks

RATE_HZ = 5
"""Positions a second that the tactical map gets; it interpolates between them."""
LONGEST_S = 300.0
CELL_M = 2.0


Seconds = npt.NDArray[np.float64]
"""Seconds spent in each cell, rows from the near to the far touchline, columns from left to right."""


@lru_cache(maxsize=4)
def load_tracks(media: MediaStore, path: str) -> PitchTracks:
    """The tracks of a match, kept in memory for the matches watched last. Its folder is named by content."""
    return decode_pitch_tracks(media.whole(path))


def positions(tracks: PitchTracks, start_s: float, end_s: float) -> dict[str, Any]:
    """Positions from `start_s` up to `end_s` as plain data, `RATE_HZ` a second, whole centimetres in the pitch frame.

    Each track: `id`, `role`, `team`, `at` (index of its first sample) and `xy`, a flat list x0, y0, x1, y1 … with None
    where it was not followed. Tracks without a position in this time are left out.
    """
    step = tracks.frames_per_second / RATE_HZ
    count = max(round((end_s - start_s) * RATE_HZ), 0)
    frames = np.round((start_s * RATE_HZ + np.arange(count)) * step).astype(np.int64)
    out = []
    for track in tracks.tracks:
        have, xy, _ = tracks.of(track.id)
        if not len(have) or not count:
            continue
        index = np.minimum(np.searchsorted(have, frames), len(have) - 1)
        present = have[index] == frames
        if not present.any():
            continue
        first, last = int(np.argmax(present)), count - int(np.argmax(present[::-1]))
        cm = np.round(xy[index[first:last]] * 100).astype(np.int64)
        flat: list[int | None] = [int(v) for v in cm.ravel()]
        for gap in np.flatnonzero(~present[first:last]):
            flat[2 * gap] = flat[2 * gap + 1] = None
        out.append({"id": track.id, "role": track.role.value, "team": track.team.value, "at": first, "xy": flat})
    return {"rate": RATE_HZ, "from": start_s, "samples": count, "tracks": out}


def heat(tracks: PitchTracks, track: int, length_m: float, width_m: float) -> Seconds:
    """Where one track was on a pitch of this size, in cells of about `CELL_M`; what lies outside counts at the edge."""
    _, xy, _ = tracks.of(track)
    columns, rows = max(round(length_m / CELL_M), 1), max(round(width_m / CELL_M), 1)
    column = np.clip(((xy[:, 0] / length_m + 0.5) * columns).astype(int), 0, columns - 1)
    row = np.clip(((xy[:, 1] / width_m + 0.5) * rows).astype(int), 0, rows - 1)
    frames = np.bincount(row * columns + column, minlength=rows * columns).reshape(rows, columns)
    seconds: Seconds = frames / tracks.frames_per_second
    return seconds


def packed(seconds: Seconds) -> bytes:
    """A heat map as it is kept: tenths of a second, at most 109 minutes a cell."""
    return zlib.compress(np.minimum(np.round(seconds * 10), 65535).astype("<u2").tobytes())


def unpacked(tenths: bytes, rows: int, columns: int) -> Seconds:
    """A kept heat map in seconds."""
    seconds: Seconds = np.frombuffer(zlib.decompress(tenths), "<u2").reshape(rows, columns) / 10.0
    return seconds


def thirds(seconds: Seconds) -> list[list[float]]:
    """Share of the time in nine fields of the pitch, sum 1: far, centre, near; each left, middle, right."""
    rows, columns = seconds.shape
    # A cell counts to each third by as much of it as lies there.
    share = _overlap(rows) @ seconds @ _overlap(columns).T
    total = float(share.sum())
    return [[0.0] * 3 for _ in range(3)] if total == 0 else (share[::-1] / total).tolist()


@cache
def _overlap(cells: int) -> Seconds:
    edges = np.arange(cells + 1) * 3 / cells
    low, high = np.arange(3)[:, None], np.arange(1, 4)[:, None]
    share: Seconds = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None) * cells / 3
    return share
