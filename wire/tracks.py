"""`.tracks`: what one node saw in one segment: the capture time of every frame and the tracklets' detections."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from wire.columns import deltas, pack, undeltas, unpack_columns, unpack_head
from wire.errors import MalformedMessage
from wire.ids import NodeId, SessionId
from wire.message import Message

_MAGIC = b"TLtk"
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


class TracksHead(Message, frozen=True, kw_only=True):
    """The head of a `.tracks` file; the counts give the lengths of its columns."""

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


def encode_tracks(tracks: SegmentTracks) -> bytes:
    """The `.tracks` bytes; boxes within an eighth of a pixel, scores to 1/255, times exactly."""
    order = np.lexsort((tracks.frame, tracks.tracklet))
    group = tracks.tracklet[order]
    low, high = tracks.box[order, :2] * QUARTER_PX, tracks.box[order, 2:] * QUARTER_PX
    # Centre, doubled, and size change less than edges do; rounded by themselves, a size that stays costs nothing.
    parts = np.round(np.concatenate([low + high, high - low], axis=1)).astype(np.int64).T
    times = tracks.frame_times_ns
    first = int(times[0]) if len(times) else 0
    head = TracksHead(
        session=tracks.session,
        node=tracks.node,
        sequence=tracks.sequence,
        width_px=tracks.width_px,
        height_px=tracks.height_px,
        frames=len(times),
        detections=len(group),
        tracklets=tracks.tracklets,
        first_frame_ns=first,
        detector=tracks.detector,
    )
    columns: list[npt.NDArray[Any]] = [
        deltas(times - first),
        deltas(group),
        deltas(tracks.frame[order], group),
        *(deltas(part, group) for part in parts),
        np.round(np.clip(tracks.score[order], 0, 1) * 255).astype(np.uint8),
    ]
    return pack(_MAGIC, head, columns)


def read_tracks_head(raw: bytes) -> TracksHead:
    """Only the head of `.tracks` bytes; raises `MalformedMessage`."""
    return unpack_head(_MAGIC, raw, TracksHead)[0]


def decode_tracks(raw: bytes) -> SegmentTracks:
    """The inverse of `encode_tracks`; raises `MalformedMessage` or `NewerVersion`."""
    head, body = unpack_head(_MAGIC, raw, TracksHead)
    m = head.detections
    shapes = [(head.frames, "u4"), *[(m, "u4")] * 6, (m, "u1")]
    times, group, frame, cx2, cy2, w, h, score = unpack_columns(body, shapes)
    tracklet = undeltas(group)
    if m and tracklet.min() < 0:
        raise MalformedMessage("a tracklet id is negative")
    sx, sy, dw, dh = (undeltas(part, tracklet) for part in (cx2, cy2, w, h))
    box = np.stack([sx - dw, sy - dh, sx + dw, sy + dh], axis=1) / (2 * QUARTER_PX)
    return SegmentTracks(
        session=head.session,
        node=head.node,
        sequence=head.sequence,
        width_px=head.width_px,
        height_px=head.height_px,
        detector=head.detector,
        tracklets=head.tracklets,
        frame_times_ns=undeltas(times) + head.first_frame_ns,
        frame=undeltas(frame, tracklet),
        tracklet=tracklet,
        box=box,
        score=score.astype(np.float64) / 255,
    )
