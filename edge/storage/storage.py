"""The storage manager: the one place that deletes video, and then only what a hub has confirmed, the oldest first."""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from edge.errors import LedgerFault
from edge.ledger import Ledger, SegmentRow
from edge.record.shelf import REFERENCE, Shelf
from edge.storage.ballast import trim_ballast
from firmware.log import Log
from wire.errors import BadId
from wire.ids import SessionId, node_id, session_id
from wire.session import SegmentKey, SegmentState

RESERVE_BYTES = 256 << 20
RESERVE_SHARE = 0.02
RESERVE_S = 10.0
"""Below 256 MiB nothing is recorded: what is left closes the open segment, keeps the ledger and lets the system live.
Of a smaller disk it is a fiftieth, but what comes in ten seconds at least: between two looks, and in the last segment.
"""
MARK_BYTES = 4 << 30
MARK_SHARE = 0.1
"""Below 4 GiB, or a tenth of a smaller disk, confirmed segments are deleted to make room."""
LOW_MINUTES = 30.0
"""Less than this is worth a warning: no half of a match is longer, stoppages apart."""
SLOW_S = 1.0
"""A segment that takes longer than this onto the shelf: half of the time there is until the next one."""

_FIRST_GUESS_BITS_PER_PIXEL = 0.16
"""Before anything was recorded: what picamera2's quality table gives to good quality (10 Mbit/s at 1080p30)."""
_FIRST_GUESS_PIXELS = 1920 * 1080 * 30.0
_A_MINUTE = 30
_TEND_EVERY_S = 3.0


class Level(StrEnum):
    """How the disk stands."""

    OK = "ok"
    LOW = "low"
    FULL = "full"
    """Nothing may be recorded any more."""
    UNKNOWN = "unknown"
    """It cannot be asked: nothing is begun, but a recording goes on for as long as it can be written."""


class StorageState(msgspec.Struct, frozen=True, kw_only=True):
    """The disk at one moment, and in one sentence for whoever runs the node.

    `minutes_left` counts this node's share of what is free above the reserve, and what it could delete
    (`deletable_bytes`), at `bytes_per_second`. `slowest_close_s` and `slowest_sync_s` are the worst of the last
    minute's segments, None before the first: how long one took onto the shelf, and how much of it the disk took to make
    it durable.
    """

    level: Level
    minutes_left: float
    free_bytes: int
    deletable_bytes: int
    bytes_per_second: float
    slowest_close_s: float | None
    slowest_sync_s: float | None
    sentence: str

    @property
    def slow(self) -> bool:
        """Whether the disk may soon be too slow to record on."""
        return self.slowest_close_s is not None and self.slowest_close_s > SLOW_S


class Storage:
    """Watches the disk under `shelf` and makes room on it.

    `delete_confirmed` deletes every segment as soon as the hub has confirmed it, instead of when room is needed;
    `nodes` record onto this disk, this one among them, and as much as it does.
    """

    def __init__(
        self,
        shelf: Shelf,
        ledger: Ledger,
        log: Log,
        *,
        delete_confirmed: bool = False,
        nodes: int = 1,
        statvfs: Callable[[Path], os.statvfs_result] = os.statvfs,
    ) -> None:
        self._shelf = shelf
        self._ledger = ledger
        self._log = log
        self._delete_confirmed = delete_confirmed
        self._nodes = nodes
        self._statvfs = statvfs
        # Until its camera is opened, a node is taken to record what it did last.
        self._pixels_per_second = ledger.pixels_per_second() or _FIRST_GUESS_PIXELS
        # Two who delete at once would each believe the other's room to be their own work.
        self._deleting = threading.Lock()

    def expect(self, pixels_per_second: float) -> None:
        """Estimate from now on for a camera that gives so many pixels a second."""
        self._pixels_per_second = pixels_per_second

    def state(self) -> StorageState:
        """How the disk stands now; never raises for a disk that cannot be asked."""
        rate = self._bytes_per_second()
        deletable = self._ledger.deletable_bytes()
        closings = list(self._shelf.shelved)
        try:
            free, whole = self._free()
        except OSError as fault:
            free, level, minutes = 0, Level.UNKNOWN, 0.0
            sentence = f"the disk cannot be asked for its free room ({fault.strerror}): check how it is connected"
        else:
            reserve = min(RESERVE_BYTES, max(RESERVE_SHARE * whole, RESERVE_S * rate * self._nodes))
            room = free - reserve
            # What is missing from the reserve is missing to each of them.
            minutes = max(0.0, (room / self._nodes if room > 0 else room) + deletable) / rate / 60
            level = Level.FULL if not minutes else Level.LOW if minutes < LOW_MINUTES else Level.OK
            sentence = _sentence(level, minutes, free)
        return StorageState(
            level=level,
            minutes_left=round(minutes, 1),
            free_bytes=free,
            deletable_bytes=deletable,
            bytes_per_second=round(rate, 1),
            slowest_close_s=max((c.whole_s for c in closings), default=None),
            slowest_sync_s=max((c.sync_s for c in closings), default=None),
            sentence=sentence,
        )

    def tend(self) -> StorageState:
        """Make the room that is needed, as far as there is anything to delete, and say how the disk stands then."""
        # A disk that cannot be asked has nothing deleted from it, and `state` says so.
        with contextlib.suppress(OSError):
            if self._delete_confirmed:
                self.delete_all_confirmed()
            else:
                self._delete_below_mark()
        return self.state()

    def delete_all_confirmed(self) -> int:
        """Delete every segment that the hub has confirmed; how many went."""
        with self._deleting:
            return self._delete(self._ledger.deletable())

    def make_room(self) -> bool:
        """Delete a minute of confirmed video, for a recording that finds the disk full; whether there was any."""
        with self._deleting:
            return self._delete(self._ledger.deletable()[:_A_MINUTE]) > 0

    def sweep(self) -> int:
        """Remove the files of segments that the ledger says are deleted: a cut came in between. Call it before anything
        is recorded; how many files went. A file that the ledger has never heard of stays."""
        root = self._shelf.root / "segments"
        gone = 0
        for folder, _, names in os.walk(root, topdown=False, onerror=self._not_swept):
            for path in sorted(Path(folder, name) for name in names):
                key = _key_of(path, root)
                if key and self._ledger.state(key) is SegmentState.DELETED:
                    try:
                        path.unlink()
                        gone += 1
                    except OSError as fault:
                        self._not_swept(fault)
            if Path(folder) != root:
                # What is not empty stays.
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        _, sessions, _ = next(os.walk(self._shelf.root / "sessions", onerror=self._not_swept), ("", [], []))
        self._forget_pictures(map(SessionId, sessions))
        return gone

    async def run(self, told: Callable[[StorageState], Awaitable[None]]) -> None:
        """Tend the disk for ever and tell how it stands; whatever fails is logged."""
        before: tuple[Level, bool] | None = None
        while True:
            try:
                # First: without any room the ledger cannot note what is deleted.
                if await asyncio.to_thread(trim_ballast, self._shelf.root):
                    self._log.event("ballast-given-up")
                state = await asyncio.to_thread(self.tend)
                if (state.level, state.slow) != before:
                    before = (state.level, state.slow)
                    self._log.event("storage", level=state.level, slow=state.slow, says=state.sentence)
                await told(state)
            except Exception as fault:
                self._log.event("storage-fault", fault=f"{type(fault).__name__}: {fault}")
            await asyncio.sleep(_TEND_EVERY_S)

    def _free(self) -> tuple[int, int]:
        """Bytes free to us, and bytes in all."""
        disk = self._statvfs(self._shelf.root)
        return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize

    def _bytes_per_second(self) -> float:
        per_pixel = self._ledger.bytes_per_pixel(_A_MINUTE) or _FIRST_GUESS_BITS_PER_PIXEL / 8
        return max(1.0, per_pixel * self._pixels_per_second)

    def _delete_below_mark(self) -> None:
        with self._deleting:
            self._delete(self._needed())

    def _needed(self) -> Iterator[SegmentRow]:
        """Confirmed segments, the oldest first, for as long as the disk is below the mark."""
        free, whole = self._free()
        mark = min(MARK_BYTES, MARK_SHARE * whole)
        if free >= mark:
            return
        for row in self._ledger.deletable():
            yield row
            free, _ = self._free()
            if free >= mark:
                return

    def _delete(self, rows: Iterable[SegmentRow]) -> int:
        """Delete what the ledger allows, one after the other; how many went."""
        gone = 0
        sessions = set()
        for row in rows:
            where = {"session": row.key.session, "segment": row.key.sequence}
            try:
                self._shelf.delete(self._ledger, row.key)
            except (LedgerFault, OSError, sqlite3.Error) as fault:
                # Either it was not to be, or its row says deleted, and the next start sweeps what is left.
                self._log.event("segment-not-deleted", **where, fault=fault)
                continue
            self._log.event("segment-deleted", **where)
            sessions.add(row.key.session)
            gone += 1
        self._forget_pictures(sessions)
        return gone

    def _forget_pictures(self, sessions: Iterable[SessionId]) -> None:
        """The reference picture of a session must not outlive its video: there are children on it."""
        for session in sessions:
            picture = self._shelf.about(session, REFERENCE)
            try:
                if picture.exists() and self._ledger.handed_over(session):
                    picture.unlink(missing_ok=True)
            except OSError as fault:
                self._not_swept(fault)

    def _not_swept(self, fault: OSError) -> None:
        # What is not there is swept.
        if not isinstance(fault, FileNotFoundError):
            self._log.event("file-not-swept", path=fault.filename, fault=fault.strerror)


def _sentence(level: Level, minutes: float, free: int) -> str:
    if level is Level.FULL:
        return (
            f"the disk is full ({free / 1e9:.1f} GB free) and nothing on it may be deleted: let the hub take the video "
            "that waits, or make room, before recording"
        )
    if level is Level.LOW:
        return f"the disk has room for {minutes:.0f} more minutes: let the hub take what waits"
    return f"the disk has room for {minutes:.0f} more minutes"


def _key_of(path: Path, root: Path) -> SegmentKey | None:
    """The segment that a file below `segments/` belongs to; None for anything else."""
    parts = path.relative_to(root).parts
    if len(parts) != 3 or not parts[2].split(".")[0].isdecimal():
        return None
    try:
        return SegmentKey(session_id(parts[0]), node_id(parts[1]), int(parts[2].split(".")[0]))
    except BadId:
        return None
