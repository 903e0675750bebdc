"""What a cut of power left behind: an open segment is cut back to its complete fragments and closed, or given up."""

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from edge.ledger import Ledger, SegmentRow, SessionRow
from edge.record.encoder import TICKS
from edge.record.shelf import TRACKS, VIDEO, Shelf
from edge.sight import SegmentSight
from firmware.log import Log
from wire.rigtime import SECOND, nanoseconds
from wire.session import SegmentState
from wire.tracks import SegmentTracks, decode_tracks


def salvage(shelf: Shelf, ledger: Ledger, log: Log, uncertainty_ns: int) -> None:
    """Bring ledger and shelf into step before anything is recorded; every session is finished afterwards."""
    sessions = {row.session: row for row in ledger.sessions()}
    for row in ledger.segments(SegmentState.OPEN):
        frames = _salvage_segment(shelf, ledger, row, sessions[row.key.session], uncertainty_ns)
        event = "segment-salvaged" if frames else "segment-lost"
        log.event(event, session=row.key.session, segment=row.key.sequence, frames=frames)
    for session in sessions.values():
        if not session.finished:
            ledger.finish_session(session.session)
    shelf.sweep()


def _salvage_segment(shelf: Shelf, ledger: Ledger, row: SegmentRow, session: SessionRow, uncertainty_ns: int) -> int:
    key = row.key
    video = shelf.open_path(key, VIDEO)
    placed = shelf.path(key, VIDEO)
    if placed.exists():
        # The cut came between the video's rename and the ledger's row: do again what followed.
        video.parent.mkdir(parents=True, exist_ok=True)
        placed.replace(video)
    times_ns = _cut_to_fragments(video, row.start_ns)
    if not len(times_ns):
        ledger.forget_segment(key)
        return 0
    tracks = _tracks(shelf.path(key, TRACKS))
    if tracks is None or len(tracks.frame_times_ns) != len(times_ns):
        sight = SegmentSight.empty()
        tracks = SegmentTracks(
            session=key.session,
            node=key.node,
            sequence=key.sequence,
            width_px=session.width_px,
            height_px=session.height_px,
            detector=session.detector,
            tracklets=sight.tracklets,
            frame_times_ns=times_ns,
            frame=sight.frame,
            tracklet=sight.tracklet,
            box=sight.box,
            score=sight.score,
        )
    frame_ns = nanoseconds(1 / session.frames_per_second)
    shelf.close(ledger, key, tracks, frame_ns=frame_ns, uncertainty_ns=uncertainty_ns, last=False)
    return len(times_ns)


def _tracks(path: Path) -> SegmentTracks | None:
    return decode_tracks(path.read_bytes()) if path.exists() else None


def complete_bytes(raw: bytes) -> int:
    """How many bytes of a fragmented MP4 are whole: its head and its fragments (`moof` and `mdat`); 0 without any.

    Box layout: ISO/IEC 14496-12, 4.2.
    """
    at = whole = 0
    kind = b""
    while at + 8 <= len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        before, kind = kind, raw[at + 4 : at + 8]
        if size == 1 and at + 16 <= len(raw):
            size = int.from_bytes(raw[at + 8 : at + 16], "big")
        at += size
        if size < 8 or at > len(raw):
            break
        if before == b"moof" and kind == b"mdat":
            whole = at
    return whole


def _cut_to_fragments(video: Path, start_ns: int) -> npt.NDArray[np.int64]:
    if not video.exists():
        return np.zeros(0, np.int64)
    whole = complete_bytes(video.read_bytes())
    if not whole:
        return np.zeros(0, np.int64)
    with video.open("r+b") as file:
        file.truncate(whole)
    try:
        with av.open(str(video)) as container:
            ticks = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    except av.FFmpegError:
        return np.zeros(0, np.int64)
    return start_ns + np.asarray(ticks, np.int64) * SECOND // TICKS
