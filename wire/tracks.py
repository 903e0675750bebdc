"""`.tracks`: what one node saw in one segment: the capture time of every frame and the tracklets' detections."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from wire.columns import Column, deltas, pack, undeltas, unpack_columns, unpack_head
from wire.errors import MalformedMessage
from wire.ids import NodeId, SessionId
from wire.message import Message

_MAGIC = b"TLtk"
_LOOKS = 5
"""Of each tracklet: its kind, whether its torso has a colour, and L, a, b."""
_MEASURED = 6
"""Of each detection: its frame, centre x, y, width, height, score."""
QUARTER_PX = 4
"""Boxes are stored in quarter pixels."""


class Kind(IntEnum):
    """What a tracklet is believed to be; a referee is a person until the hub looks at the shirts."""

    PERSON = 0
    BALL = 1


class Tracklet(msgspec.Struct, frozen=True, omit_defaults=True):
    """Detections linked in one camera: its id within the node's session, its kind, and the median colour of its torso
    over this segment as CIE L, a, b in OpenCV's 8-bit scaling (None for a ball, or when never seen clearly)."""

    id: int
    kind: Kind
    torso_lab: tuple[int, int, int] | None = None


class TracksHead(Message, frozen=True, kw_only=True, array_like=True):
    """The head of a `.tracks` file; the counts give the lengths of its columns.

    Its fields go without their names, which would be a fifteenth of a small camera's files.
    """

    KIND = "tracks"
    VERSION = 2

    session: SessionId
    node: NodeId
    sequence: int
    width_px: int
    height_px: int
    frames: int
    detections: int
    tracklets: int
    first_frame_ns: int
    detector: str


class OldTracksHead(Message, frozen=True, kw_only=True):
    """The head as version 1 had it, with the tracklets themselves: as JSON they were nearly half of the file."""

    KIND = "tracks"
    VERSION = 1

    session: SessionId
    node: NodeId
    sequence: int
    width_px: int
    height_px: int
    frames: int
    detections: int
    tracklets: tuple[Tracklet, ...]
    first_frame_ns: int
    detector: str


@dataclass(frozen=True)
class SegmentTracks:
    """One segment's frames and detections.

    `frame_times_ns` (n,): capture time of each recorded frame on the node's clock. The other arrays have one entry per
    detection, ordered by tracklet, then frame: `frame` index into the segment, `tracklet` id, `box` (m, 4) x0, y0, x1,
    y1 in pixels of the main stream, `score` 0..1. Every row was measured in that frame, none merely predicted.
    """

    session: SessionId
    node: NodeId
    sequence: int
    width_px: int
    height_px: int
    detector: str
    tracklets: tuple[Tracklet, ...]
    frame_times_ns: npt.NDArray[np.int64]
    frame: npt.NDArray[np.int64]
    tracklet: npt.NDArray[np.int64]
    box: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]


def encode_tracks(tracks: SegmentTracks, version: int = TracksHead.VERSION) -> bytes:
    """The `.tracks` bytes, for whoever reads up to `version`; boxes within an eighth of a pixel, scores to 1/255, times
    exactly."""
    order = np.lexsort((tracks.frame, tracks.tracklet))
    group = tracks.tracklet[order]
    low, high = tracks.box[order, :2] * QUARTER_PX, tracks.box[order, 2:] * QUARTER_PX
    # Centre, doubled, and size change less than edges do; rounded by themselves, a size that stays costs nothing.
    parts = np.round(np.concatenate([low + high, high - low], axis=1)).astype(np.int64).T
    score = np.round(np.clip(tracks.score[order], 0, 1) * 255).astype(np.uint8)
    measured = deltas(np.stack([tracks.frame[order], *parts, score]), group)
    times = tracks.frame_times_ns
    first = int(times[0]) if len(times) else 0
    known: dict[str, Any] = {
        "session": tracks.session,
        "node": tracks.node,
        "sequence": tracks.sequence,
        "width_px": tracks.width_px,
        "height_px": tracks.height_px,
        "frames": len(times),
        "detections": len(group),
        "first_frame_ns": first,
        "detector": tracks.detector,
    }
    keys: list[Column] = [deltas(times - first), deltas(group)]
    if version < TracksHead.VERSION:
        return pack(_MAGIC, OldTracksHead(**known, tracklets=tracks.tracklets), [*keys, *measured[:-1], score])
    head = TracksHead(**known, tracklets=len(tracks.tracklets))
    return pack(_MAGIC, head, [*_columns(tracks.tracklets), *keys, _firsts_apart(measured, group)])


def read_tracks_head(raw: bytes) -> TracksHead | OldTracksHead:
    """Only the head of `.tracks` bytes; raises `MalformedMessage` or `NewerVersion`."""
    return _unpack_head(raw)[0]


def decode_tracks(raw: bytes) -> SegmentTracks:
    """The inverse of `encode_tracks`, of every version; raises `MalformedMessage` or `NewerVersion`."""
    head, body = _unpack_head(raw)
    n, m = head.frames, head.detections
    if isinstance(head, OldTracksHead):
        tracklets = head.tracklets
        times, group, *steps, score = unpack_columns(body, [(n, "u4"), *[(m, "u4")] * 6, (m, "u1")])
        tracklet = _ids(group)
        frame, sx, sy, dw, dh = undeltas(np.stack(steps), tracklet)
    else:
        k = head.tracklets
        shapes = [(k, "u4"), (_LOOKS * k, "u1"), (n, "u4"), (m, "u4"), (_MEASURED * m, "u4")]
        ids, looks, times, group, rows = unpack_columns(body, shapes)
        tracklets, tracklet = _tracklets(ids, looks), _ids(group)
        frame, sx, sy, dw, dh, score = undeltas(_firsts_back(rows, tracklet), tracklet)
        if m and (score.min() < 0 or score.max() > 255):
            raise MalformedMessage("a score is out of its range")
    box = np.stack([sx - dw, sy - dh, sx + dw, sy + dh], axis=1) / (2 * QUARTER_PX)
    return SegmentTracks(
        session=head.session,
        node=head.node,
        sequence=head.sequence,
        width_px=head.width_px,
        height_px=head.height_px,
        detector=head.detector,
        tracklets=tracklets,
        frame_times_ns=undeltas(times) + head.first_frame_ns,
        frame=frame,
        tracklet=tracklet,
        box=box,
        score=score.astype(np.float64) / 255,
    )


def _unpack_head(raw: bytes) -> tuple[TracksHead | OldTracksHead, memoryview]:
    return unpack_head(_MAGIC, raw, TracksHead, OldTracksHead)


def _ids(group: Column) -> npt.NDArray[np.int64]:
    tracklet = undeltas(group)
    if len(tracklet) and tracklet.min() < 0:
        raise MalformedMessage("a tracklet id is negative")
    return tracklet


def _columns(tracklets: Sequence[Tracklet]) -> list[Column]:
    """Their ids, and their looks one after the other."""
    ids = np.array([tracklet.id for tracklet in tracklets], np.int64)
    looks = [(t.kind, t.torso_lab is not None, *(t.torso_lab or (0, 0, 0))) for t in tracklets]
    return [deltas(ids), np.array(looks, np.uint8).reshape(-1, _LOOKS).T.ravel()]


def _tracklets(ids: Column, looks: Column) -> tuple[Tracklet, ...]:
    """The inverse of `_columns`; raises `MalformedMessage`."""
    kinds, coloured, *lab = looks.reshape(_LOOKS, -1).tolist()
    torsos = [torso if there else None for there, torso in zip(coloured, zip(*lab, strict=True), strict=True)]
    try:
        return tuple(map(Tracklet, undeltas(ids).tolist(), map(Kind, kinds), torsos))
    except ValueError as fault:
        raise MalformedMessage(f"a tracklet is of no known kind: {fault}") from fault


def _firsts_apart(steps: Column, group: npt.NDArray[np.int64]) -> Column:
    """The measured columns (6, m) as one: first where each tracklet begins, which are places, then the small steps.

    Apart they compress better, by a third of a byte a detection.
    """
    begins = _begins(group)
    return np.concatenate([steps[begins], steps[~begins]])


def _firsts_back(rows: Column, group: npt.NDArray[np.int64]) -> Column:
    """The inverse of `_firsts_apart`."""
    begins = _begins(group)
    split = np.count_nonzero(begins)
    steps = np.empty(begins.shape, rows.dtype)
    steps[begins], steps[~begins] = rows[:split], rows[split:]
    return steps


def _begins(group: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Where in the measured columns (6, m) a tracklet begins."""
    return np.broadcast_to(np.diff(group, prepend=-1) != 0, (_MEASURED, len(group)))
