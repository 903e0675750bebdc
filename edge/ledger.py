"""The ledger: one row for every segment and session of this node, so that no cut of power can make it forget one."""

import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlite_utils import Database
from sqlite_utils.db import NotFoundError

from edge.errors import LedgerFault
from firmware.clock import WORST_UNCERTAINTY_NS
from wire.ids import NodeId, SessionId
from wire.marks import Mark
from wire.session import SegmentKey, SegmentOffer, SegmentState

NAME = "ledger.sqlite"
"""In the folder of a node's data."""
_ORDER = list(SegmentState)
_STATE = "select state from segments where session = ? and node = ? and sequence = ?"
_DELETABLE = """
from segments g left join (
    select session, max(sequence) as newest from segments where state != 'open' and session in (
        select session from sessions where finished = 0 union select session from segments where state = 'open'
    ) group by session
) r using (session) where g.state = 'confirmed' and (r.newest is null or g.sequence < r.newest)
"""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A recording of this node: its zero (rig time), its pictures, the detector, whether its end was asked for, and
    whether it has come to it."""

    session: SessionId
    node: NodeId
    start_ns: int
    width_px: int
    height_px: int
    frames_per_second: float
    detector: str
    stopped: bool = False
    finished: bool = False


class Stamping(NamedTuple):
    """What is known of the times that a segment's frames bear: how far they may be off at most, and what has to be
    added to them by the word of whom the node's clock follows; None when unknown."""

    uncertainty_ns: int
    offset_ns: int | None


UNKNOWN = Stamping(WORST_UNCERTAINTY_NS, None)


class SegmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A segment's state and, once it is closed, what the node promises of it."""

    key: SegmentKey
    state: SegmentState
    start_ns: int
    offer: SegmentOffer | None


class Ledger:
    """The node's SQLite file (WAL, fully synchronous); every method is one durable step, from any thread.

    Whoever only reads does not wait for a step that a slow disk holds up.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        try:
            self._db = Database(sqlite3.connect(path, check_same_thread=False))
            self._db.enable_wal()
            self._db.execute("pragma synchronous=full")
            self._create()
            self._read_db = Database(sqlite3.connect(path, check_same_thread=False))
        except sqlite3.Error as fault:
            raise LedgerFault(f"the ledger {path} cannot be opened: {fault}") from None

    @classmethod
    def of(cls, data: Path) -> "Ledger":
        """The ledger of a node that keeps its data in `data`; raises `LedgerFault` where none does."""
        if not (data / NAME).is_file():
            raise LedgerFault(f"there is no node's data in {data}")
        return cls(data / NAME)

    def _create(self) -> None:
        self._db.table("sessions").create(
            {
                "session": str,
                "node": str,
                "start_ns": int,
                "width_px": int,
                "height_px": int,
                "frames_per_second": float,
                "detector": str,
                "stopped": int,
                "finished": int,
            },
            pk="session",
            if_not_exists=True,
        )
        self._db.table("segments").create(
            {
                "session": str,
                "node": str,
                "sequence": int,
                "state": str,
                "start_ns": int,
                "end_ns": int,
                "frames": int,
                "video_bytes": int,
                "video_sha256": str,
                "tracks_bytes": int,
                "tracks_sha256": str,
                "clock_uncertainty_ns": int,
                "clock_offset_ns": int,
                "last": int,
            },
            pk=("session", "node", "sequence"),
            if_not_exists=True,
        )
        if "clock_offset_ns" not in self._db.table("segments").columns_dict:
            # A ledger from before it was kept.
            self._db.table("segments").add_column("clock_offset_ns", int)
        self._db.table("marks").create(
            {"session": str, "node": str, "time_ns": int, "note": str}, pk=("session", "time_ns"), if_not_exists=True
        )
        # A season's deleted rows must not be walked through for the few that are not.
        self._db.table("segments").create_index(["state"], if_not_exists=True)

    def close(self) -> None:
        """Close the file; the ledger is of no use afterwards."""
        with self._lock, self._reading:
            self._read_db.close()
            self._db.close()

    def begin_session(self, row: SessionRow) -> None:
        """Enter a new session; raises `LedgerFault` when its id was used before."""
        with self._lock:
            try:
                self._db.table("sessions").insert(msgspec.structs.asdict(row))
            except sqlite3.IntegrityError:
                raise LedgerFault(f"session {row.session} was recorded before: ids are never reused") from None

    def stop_session(self, session: SessionId) -> None:
        """Note that the session's end was asked for: whatever happens now, it is not gone on with."""
        with self._lock, self._db.atomic():
            self._db.execute("update sessions set stopped = 1 where session = ?", [session])

    def reach(self, session: SessionId) -> tuple[int, int]:
        """Up to which sequence number and which time (ns) a session is recorded; -1 and its zero before any segment.

        Of a segment that is still open it is known when it began.
        """
        [row] = self._select(
            "select coalesce(max(g.sequence), -1) as sequence, "
            "max(coalesce(g.end_ns, g.start_ns, s.start_ns)) as end_ns "
            "from sessions s left join segments g using (session) where s.session = ?",
            [session],
        )
        return int(row["sequence"]), int(row["end_ns"])

    def finish_session(self, session: SessionId) -> None:
        """Note that no more segments follow; the one with the highest number becomes the session's last, as soon as it
        is closed.

        Where that one was handed over as if others followed, it goes back to `closed`, to be offered again.
        """
        with self._lock, self._db.atomic():
            self._db.execute("update sessions set stopped = 1, finished = 1 where session = ?", [session])
            self._know_last(session)

    def _know_last(self, session: SessionId) -> None:
        """Mark the last segment of a session, if it is finished and that one closed."""
        self._db.execute(
            "update segments set last = 1, state = 'closed' where session = :session and last = 0 and state != 'open' "
            "and sequence = (select max(sequence) from segments where session = :session) "
            "and exists (select 1 from sessions where session = :session and finished = 1)",
            {"session": session},
        )

    def mark(self, mark: Mark) -> None:
        """Enter a mark, in place of one of the same session and time."""
        with self._lock:
            self._db.table("marks").upsert(msgspec.structs.asdict(mark))

    def marks(self, session: SessionId) -> list[Mark]:
        """A session's marks in the order of their time."""
        return [
            Mark(**row) for row in self._select("select * from marks where session = ? order by time_ns", [session])
        ]

    def open_segment(self, key: SegmentKey, start_ns: int, stamping: Stamping = UNKNOWN) -> None:
        """Enter the intention to write a segment whose first frame was captured at `start_ns`, and what is known of
        that time: once power was cut nobody knows it any more."""
        with self._lock:
            self._db.table("segments").insert(
                {
                    "session": key.session,
                    "node": key.node,
                    "sequence": key.sequence,
                    "state": SegmentState.OPEN,
                    "start_ns": start_ns,
                    "clock_uncertainty_ns": stamping.uncertainty_ns,
                    "clock_offset_ns": stamping.offset_ns,
                    "last": 0,
                }
            )

    def stamping(self, key: SegmentKey) -> Stamping:
        """What was known of a segment's times when it was opened or, later, closed."""
        [row] = self._select(
            "select clock_uncertainty_ns, clock_offset_ns from segments "
            "where session = ? and node = ? and sequence = ?",
            _pk(key),
        )
        # One that was opened by a program from before it was noted.
        return UNKNOWN if row["clock_uncertainty_ns"] is None else Stamping(*row.values())

    def close_segment(self, offer: SegmentOffer) -> None:
        """Note that both files of an open segment are complete and durable in their place; one that closes after its
        session is finished may turn out to be the last."""
        promised = {name: getattr(offer, name) for name in SegmentOffer.__struct_fields__ if name != "key"}
        with self._lock, self._db.atomic():
            self._change(offer.key, (SegmentState.OPEN,), {**promised, "state": SegmentState.CLOSED})
            self._know_last(offer.key.session)

    def forget_segment(self, key: SegmentKey) -> None:
        """Take out an open segment of which nothing can be saved; the one before it may turn out to be the last."""
        with self._lock, self._db.atomic():
            self._check(key, (SegmentState.OPEN,), "forgotten")
            self._db.table("segments").delete(_pk(key))
            self._know_last(key.session)

    def move(self, key: SegmentKey, to: SegmentState) -> None:
        """Let a closed segment move on, never back, and be deleted only when it is confirmed; raises `LedgerFault` for
        a step that is not allowed."""
        before = (SegmentState.CONFIRMED,) if to is SegmentState.DELETED else tuple(_ORDER[1 : _ORDER.index(to)])
        with self._lock, self._db.atomic():
            self._change(key, before, {"state": to})

    def confirm(self, offer: SegmentOffer) -> bool:
        """Note that the hub holds what `offer` promised; whether that made a segment confirmed.

        It does not where the node says something else of the segment by now: one that became its session's last has to
        be offered again as such.
        """
        with self._lock, self._db.atomic():
            try:
                row = _segment(self._db.table("segments").get(_pk(offer.key)))
            except NotFoundError:
                return False
            if not _gives_back(offer, row) or row.state not in (SegmentState.CLOSED, SegmentState.SENT):
                return False
            self._db.table("segments").update(_pk(offer.key), {"state": SegmentState.CONFIRMED})
            return True

    def is_confirmed(self, offer: SegmentOffer) -> bool:
        """Whether the hub has confirmed exactly what `offer` promises."""
        rows = self._select("select * from segments where session = ? and node = ? and sequence = ?", _pk(offer.key))
        held = (SegmentState.CONFIRMED, SegmentState.DELETED)
        return any(_gives_back(offer, row) and row.state in held for row in map(_segment, rows))

    def _change(self, key: SegmentKey, before: tuple[SegmentState, ...], updates: dict[str, Any]) -> None:
        self._check(key, before, updates["state"])
        self._db.table("segments").update(_pk(key), updates)

    def _check(self, key: SegmentKey, allowed: tuple[SegmentState, ...], to: str) -> None:
        # In the transaction of the step that asks: another process may be taking receipts from a stick.
        state = next((row["state"] for row in self._db.query(_STATE, _pk(key))), None)
        if state not in allowed:
            raise LedgerFault(f"segment {key.path('')} is {state or 'unknown'} and cannot become {to}")

    def segments(self, *states: SegmentState) -> list[SegmentRow]:
        """The segments in any of `states` (all of them when none is given), oldest first."""
        rows = self._select(
            "select * from segments where state in (select value from json_each(?)) order by start_ns, sequence",
            [json.dumps(states or _ORDER)],
        )
        return [_segment(row) for row in rows]

    def segments_of(self, session: SessionId) -> list[SegmentRow]:
        """The segments of one session, in their order."""
        rows = self._select("select * from segments where session = ? order by sequence", [session])
        return [_segment(row) for row in rows]

    def deletable(self) -> list[SegmentRow]:
        """Confirmed segments whose files may go: all but the newest closed one of a session that is running or has an
        open segment, which may have to be offered again as its last."""
        rows = self._select(f"select g.* {_DELETABLE} order by g.start_ns, g.sequence", [])
        return [_segment(row) for row in rows]

    def deletable_bytes(self) -> int:
        """How much room the segments of `deletable` take."""
        rows = self._select(f"select sum(g.video_bytes + g.tracks_bytes) as bytes {_DELETABLE}", [])
        return int(rows[0]["bytes"] or 0)

    def handed_over(self, session: SessionId) -> bool:
        """Whether a session is finished and this node holds none of its segments any more."""
        rows = self._select(
            "select 1 from sessions s where session = :session and finished = 1 and not exists "
            "(select 1 from segments g where g.session = :session and g.state != 'deleted')",
            {"session": session},
        )
        return bool(rows)

    def bytes_per_pixel(self, segments: int) -> float | None:
        """What a recorded pixel took on disk, over the `segments` last opened that are closed; None before any."""
        rows = self._select(
            "select sum(video_bytes + tracks_bytes) as bytes, sum(pixels) as pixels from (select g.video_bytes, "
            "g.tracks_bytes, g.frames * s.width_px * s.height_px as pixels from segments g join sessions s "
            "using (session) where g.state != 'open' order by g.rowid desc limit ?)",
            [segments],
        )
        return rows[0]["bytes"] / rows[0]["pixels"] if rows[0]["pixels"] else None

    def pixels_per_second(self) -> float | None:
        """What the camera of the newest session gave; None before any."""
        sessions = self.sessions()
        return sessions[-1].width_px * sessions[-1].height_px * sessions[-1].frames_per_second if sessions else None

    def state(self, key: SegmentKey) -> SegmentState | None:
        """Where a segment is on its way; None when the ledger has never heard of it."""
        rows = self._select(_STATE, _pk(key))
        return SegmentState(rows[0]["state"]) if rows else None

    def count(self, *states: SegmentState) -> int:
        """How many segments are in any of `states`."""
        rows = self._select(
            "select count(*) as n from segments where state in (select value from json_each(?))", [json.dumps(states)]
        )
        return int(rows[0]["n"])

    def counts(self) -> dict[SegmentState, int]:
        """How many segments are in each state that there are any in."""
        rows = self._select("select state, count(*) as n from segments group by state", [])
        return {SegmentState(row["state"]): int(row["n"]) for row in rows}

    def sessions(self) -> list[SessionRow]:
        """All sessions, oldest first."""
        rows = self._select("select * from sessions order by start_ns, session", [])
        return [
            SessionRow(**{**row, "stopped": bool(row["stopped"]), "finished": bool(row["finished"])}) for row in rows
        ]

    def _select(self, sql: str, values: Sequence[Any] | dict[str, Any]) -> list[dict[str, Any]]:
        with self._reading:
            return list(self._read_db.query(sql, values))


def _pk(key: SegmentKey) -> tuple[str, str, int]:
    return key.session, key.node, key.sequence


def given_back(offer: SegmentOffer) -> tuple[SegmentOffer, SegmentOffer]:
    """What a hub's receipt for this promise may say: one from before the clock's offset gives it back without."""
    return offer, msgspec.structs.replace(offer, clock_offset_ns=None)


def _gives_back(offer: SegmentOffer, row: SegmentRow) -> bool:
    return row.offer is not None and offer in given_back(row.offer)


def _segment(row: dict[str, Any]) -> SegmentRow:
    key = SegmentKey(row["session"], row["node"], row["sequence"])
    state = SegmentState(row["state"])
    offer = None
    if state is not SegmentState.OPEN:
        named = {name: row[name] for name in SegmentOffer.__struct_fields__ if name not in ("key", "last")}
        offer = SegmentOffer(key=key, last=bool(row["last"]), **named)
    return SegmentRow(key=key, state=state, start_ns=row["start_ns"], offer=offer)
