"""What a cut of power left behind: an open segment is cut back to its complete fragments and closed, or given up."""

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.ledger import Ledger, SegmentRow, SessionRow
from edge.record.fragments import cut_to_fragments
from edge.record.shelf import TRACKS, VIDEO, Shelf
from edge.record.writer import TICKS
from edge.sight import SegmentSight
from firmware.log import Log
from wire.errors import MalformedMessage
from wire.rigtime import SECOND, nanoseconds
from wire.session import SegmentState
from wire.tracks import SegmentTracks, decode_tracks

RESUME_NS = 30 * 60 * SECOND
"""A session that stood still for longer than a half-time break is not gone on with by itself."""


@dataclass(frozen=True)
class Salvaged:
    """The newest session whose end nobody asked for: `running` is to be gone on with; one that is `broken_off` has
    stood still for so many nanoseconds, too long for that, and is over."""

    running: SessionRow | None = None
    broken_off: tuple[SessionRow, int] | None = None


def salvage(shelf: Shelf, ledger: Ledger, log: Log, now_ns: int) -> Salvaged:
    """Bring ledger and shelf into step before anything is recorded, and find out whether a session is to be gone on
    with: all others are finished afterwards.

    That is the newest one whose end nobody asked for, unless it stood still for `RESUME_NS`. A clock that is behind the
    last frame, as after a power cut without a battery, speaks for going on.

    A segment that cannot be read or closed now stays open, with its files, until a later start can. Tracks that are
    damaged keep no video waiting: they are put aside, and those of a newer version are left to a program that can read
    them.
    """
    sessions = {row.session: row for row in ledger.sessions()}
    for row in ledger.segments(SegmentState.OPEN):
        where = {"session": row.key.session, "segment": row.key.sequence}
        with _left_for_later(log, "segment-left", **where):
            frames = _salvage_segment(shelf, ledger, log, row, sessions[row.key.session])
            log.event("segment-salvaged" if frames else "segment-lost", **where, frames=frames)
    newest = next((row for row in reversed(sessions.values()) if not (row.stopped or row.finished)), None)
    stood_ns = now_ns - ledger.reach(newest.session)[1] if newest else 0
    running = newest if stood_ns < RESUME_NS else None
    for session in sessions.values():
        if session != running and not session.finished:
            with _left_for_later(log, "session-left", session=session.session):
                ledger.finish_session(session.session)
    shelf.sweep({row.key for row in ledger.segments(SegmentState.OPEN)})
    return Salvaged(running, (newest, stood_ns) if newest and not running else None)


@contextlib.contextmanager
def _left_for_later(log: Log, event: str, **where: object) -> Iterator[None]:
    """Tell of whatever goes wrong and go on: one bad sector, or a full disk, must not keep the node from recording."""
    try:
        yield
    except Exception as fault:
        log.event(event, **where, fault=f"{type(fault).__name__}: {fault}; all is kept, the next start tries again")


def _salvage_segment(shelf: Shelf, ledger: Ledger, log: Log, row: SegmentRow, session: SessionRow) -> int:
    key = row.key
    video = shelf.open_path(key, VIDEO)
    placed = shelf.path(key, VIDEO)
    found = placed if placed.exists() else video
    # Everything is read before anything is moved: what cannot be read stays where it is.
    tracks, damage = _tracks(shelf.path(key, TRACKS))
    times_ns = row.start_ns + cut_to_fragments(found) * SECOND // TICKS
    if damage:
        kept = shelf.put_aside(key, TRACKS)
        log.event("tracks-damaged", session=key.session, segment=key.sequence, kept=kept, fault=damage)
    if found is placed:
        # The cut came between the video's rename and the ledger's row: do again what followed.
        video.parent.mkdir(parents=True, exist_ok=True)
        placed.replace(video)
    if not len(times_ns):
        ledger.forget_segment(key)
        return 0
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
    # What the clock says after the cut says nothing about frames from before.
    stamping = ledger.stamping(key)
    shelf.close(
        ledger,
        key,
        shelf.place(key, VIDEO),
        tracks,
        frame_ns=nanoseconds(1 / session.frames_per_second),
        uncertainty_ns=stamping.uncertainty_ns,
        offset_ns=stamping.offset_ns,
        last=False,
    )
    return len(times_ns)


def _tracks(path: Path) -> tuple[SegmentTracks | None, Exception | None]:
    """The tracks in a file, None where there is none; and what is the matter with one that is damaged."""
    if not path.exists():
        return None, None
    try:
        return decode_tracks(path.read_bytes()), None
    except MalformedMessage as fault:
        return None, fault
    except OSError as fault:
        if fault.errno != errno.EIO:
            raise
        return None, fault
