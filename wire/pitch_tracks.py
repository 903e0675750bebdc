"""Pitch tracks: every player, referee and the ball through the match, in pitch metres, one row per frame.

Stored columnar (centimetres), or as the CSV that analysts' tools read.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from wire.columns import deltas, pack, undeltas, unpack_columns, unpack_head
from wire.message import Message

_MAGIC = b"TLpt"
CSV_HEADER = ("frame", "id", "x_m", "y_m", "kind", "team", "state")
_CSV_ROWS = 50_000


class Role(StrEnum):
    """Who a track is on the pitch."""

    PLAYER = "player"
    REFEREE = "referee"
    BALL = "ball"


class TeamSide(StrEnum):
    """The team a player belongs to; nobody's for the referee and the ball."""

    HOME = "home"
    AWAY = "away"
    NONE = ""


class State(StrEnum):
    """Where a row's position comes from: a camera saw it then, or it was carried over a gap."""

    SEEN = "seen"
    BRIDGED = "bridged"


class Track(msgspec.Struct, frozen=True):
    """One track's identity; `id` is unique in the match and tied to no name."""

    id: int
    role: Role
    team: TeamSide = TeamSide.NONE


class PitchTracksHead(Message, frozen=True, kw_only=True):
    """The head of a pitch-tracks file."""

    KIND = "pitch-tracks"
    VERSION = 1

    start_ns: int
    frames_per_second: float
    tracks: tuple[Track, ...]
    rows: int


@dataclass(frozen=True)
class PitchTracks:
    """All tracks of a match: frame k was at rig time `start_ns` + k / `frames_per_second`.

    Row arrays of equal length, ordered by track, then frame: `frame`, `track` id, `xy` (n, 2) metres in the pitch
    frame, `seen` whether a camera measured it.
    """

    start_ns: int
    frames_per_second: float
    tracks: tuple[Track, ...]
    frame: npt.NDArray[np.int64]
    track: npt.NDArray[np.int64]
    xy: npt.NDArray[np.float64]
    seen: npt.NDArray[np.bool_]

    def of(self, track: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Frames, positions and seen flags of one track."""
        rows = slice(*np.searchsorted(self.track, (track, track + 1)).tolist())
        return self.frame[rows], self.xy[rows], self.seen[rows]


def encode_pitch_tracks(tracks: PitchTracks) -> bytes:
    """The columnar bytes; positions to a centimetre."""
    head = PitchTracksHead(
        start_ns=tracks.start_ns,
        frames_per_second=tracks.frames_per_second,
        tracks=tracks.tracks,
        rows=len(tracks.frame),
    )
    return pack(_MAGIC, head, _columns(tracks))


def _columns(tracks: PitchTracks) -> Iterator[npt.NDArray[Any]]:
    """One column after the other, for all together are larger than the tracks."""
    yield deltas(tracks.track)
    yield deltas(tracks.frame, tracks.track)
    for metres in tracks.xy.T:
        yield deltas(np.round(metres * 100).astype(np.int64), tracks.track)
    yield tracks.seen.astype(np.uint8)


def decode_pitch_tracks(raw: bytes) -> PitchTracks:
    """The inverse of `encode_pitch_tracks`; raises `MalformedMessage` or `NewerVersion`."""
    head, body = unpack_head(_MAGIC, raw, PitchTracksHead)
    n = head.rows
    track, frame, x, y, seen = unpack_columns(body, [*[(n, "u4")] * 4, (n, "u1")])
    group = undeltas(track)
    return PitchTracks(
        start_ns=head.start_ns,
        frames_per_second=head.frames_per_second,
        tracks=head.tracks,
        frame=undeltas(frame, group),
        track=group,
        xy=np.stack([undeltas(x, group), undeltas(y, group)], axis=1) / 100,
        seen=seen.astype(bool),
    )


def pitch_tracks_csv(tracks: PitchTracks) -> Iterator[str]:
    """CSV with the header `frame,id,x_m,y_m,kind,team,state`, ordered by frame, then id; in parts of whole lines."""
    who = {track.id: track for track in tracks.tracks}
    order = np.lexsort((tracks.track, tracks.frame))
    for first in range(0, max(len(order), 1), _CSV_ROWS):
        out = io.StringIO()
        write = csv.writer(out, lineterminator="\n").writerow
        if first == 0:
            write(CSV_HEADER)
        for row in order[first : first + _CSV_ROWS]:
            track = who[int(tracks.track[row])]
            x, y = tracks.xy[row]
            state = State.SEEN if tracks.seen[row] else State.BRIDGED
            write([int(tracks.frame[row]), track.id, f"{x:.2f}", f"{y:.2f}", track.role, track.team, state])
        yield out.getvalue()
