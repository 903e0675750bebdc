"""The hub's ledger: one row for every segment a node has offered, and which of its files are held, verified."""

import sqlite3
import threading
from pathlib import Path
from typing import Any, NamedTuple

from sqlite_utils import Database
from sqlite_utils.db import NotFoundError

from hub.errors import LedgerUnusable, NotOffered, OfferContradicts
from wire.ids import NodeId, SessionId
from wire.session import SegmentKey, SegmentOffer, SegmentReceipt
from wire.tracks import TracksHead

_PROMISES = ("video_bytes", "video_sha256", "tracks_bytes", "tracks_sha256")
PARTS = ("video", "tracks")


class Promise(NamedTuple):
    """What a node promised of one file of a segment."""

    bytes: int
    sha256: str


class Ledger:
    """A SQLite file (WAL, fully synchronous); every method is one durable step, from any thread.

    Raises `LedgerUnusable` when the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._db = Database(sqlite3.connect(path, check_same_thread=False))
            self._db.enable_wal()
            self._db.execute("pragma synchronous=full")
            self._db.table("segments").create(
                {
                    "session": str,
                    "node": str,
                    "sequence": int,
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
                    "video_held": int,
                    "tracks_held": int,
                    "offered_ns": int,
                    "confirmed_ns": int,
                },
                pk=("session", "node", "sequence"),
                if_not_exists=True,
            )
            if "clock_offset_ns" not in self._db.table("segments").columns_dict:
                # A ledger from before nodes told it.
                self._db.table("segments").add_column("clock_offset_ns", int)
            self._db.execute("create index if not exists lasts on segments (session, node, sequence) where last = 1")
        except sqlite3.Error as fault:
            raise LedgerUnusable(f"the hub's ledger {path} cannot be used: {fault}") from None

    def close(self) -> None:
        """Close the file; the ledger is of no use afterwards."""
        with self._lock:
            self._db.close()

    def offer(self, offer: SegmentOffer, now_ns: int) -> tuple[SegmentReceipt, bool]:
        """Enter an offer, or find it entered; the receipt, and whether a confirmed segment just became its node's last.

        A node that stops between two segments learns only afterwards which was the last, and offers that one again.
        Raises `OfferContradicts` when the same segment was offered with other bytes.
        """
        promised = {name: getattr(offer, name) for name in SegmentOffer.__struct_fields__ if name != "key"}
        with self._lock, self._db.atomic():
            try:
                row = self._row(offer.key)
            except NotOffered:
                fresh = {"video_held": 0, "tracks_held": 0, "offered_ns": now_ns, "confirmed_ns": None}
                self._db.table("segments").insert({**_columns(offer.key), **promised, **fresh})
                return _receipt(self._row(offer.key)), False
            if any(row[name] != promised[name] for name in _PROMISES):
                raise OfferContradicts(
                    f"segment {offer.key.path('')} was offered before with other bytes: a segment never changes"
                )
            became_last = offer.last and not row["last"]
            if became_last:
                self._db.table("segments").update(_pk(offer.key), {"last": 1})
            return _receipt(row), became_last and row["confirmed_ns"] is not None

    def receipt(self, key: SegmentKey) -> SegmentReceipt:
        """Which files of the segment are still wanted; raises `NotOffered`."""
        with self._lock:
            return _receipt(self._row(key))

    def promise(self, key: SegmentKey, part: str) -> Promise:
        """What was promised of the segment's `part`, video or tracks; raises `NotOffered`."""
        with self._lock:
            row = self._row(key)
        return Promise(row[f"{part}_bytes"], row[f"{part}_sha256"])

    def hold(self, key: SegmentKey, part: str, now_ns: int) -> SegmentOffer | None:
        """Note that the file of `part` stands verified in its place.

        Returns the offer when the segment is confirmed by this very step, else None. Raises `NotOffered`.
        """
        with self._lock, self._db.atomic():
            row = self._row(key)
            updates: dict[str, Any] = {f"{part}_held": 1}
            row.update(updates)
            confirmed = row["confirmed_ns"] is None and all(row[f"{name}_held"] for name in PARTS)
            if confirmed:
                updates["confirmed_ns"] = now_ns
            self._db.table("segments").update(_pk(key), updates)
        return _offer(row) if confirmed else None

    def confirmed(self, session: SessionId, node: NodeId) -> frozenset[int]:
        """Sequence numbers of a node's confirmed segments."""
        rows = self._select(
            "select sequence from segments where session = ? and node = ? and confirmed_ns is not null", [session, node]
        )
        return frozenset(row["sequence"] for row in rows)

    def end_ns(self, session: SessionId, node: NodeId) -> int:
        """End of a node's latest confirmed segment on the node's clock, 0 when it has none."""
        rows = self._select(
            "select end_ns from segments where session = ? and node = ? and confirmed_ns is not null "
            "order by sequence desc limit 1",
            [session, node],
        )
        return int(rows[0]["end_ns"]) if rows else 0

    def is_confirmed(self, key: SegmentKey) -> bool:
        """Whether both files of the segment are held."""
        return bool(
            self._select(
                "select 1 from segments where session = ? and node = ? and sequence = ? and confirmed_ns is not null",
                list(_pk(key)),
            )
        )

    def settled(self, key: SegmentKey) -> bool:
        """Whether the segment is confirmed, or was passed over: never offered although its node offered a later one.

        Nodes offer oldest first, so what was passed over will never come.
        """
        rows = self._select(
            "select confirmed_ns is not null as confirmed from segments "
            "where session = ? and node = ? and sequence = ?",
            list(_pk(key)),
        )
        if rows:
            return bool(rows[0]["confirmed"])
        newest = self._select(
            "select max(sequence) as sequence from segments where session = ? and node = ?", [key.session, key.node]
        )
        return (newest[0]["sequence"] or 0) > key.sequence

    def last(self, session: SessionId, node: NodeId) -> int | None:
        """The sequence number that the node called its last, None while it has not."""
        rows = self._select(
            "select max(sequence) as last from segments where session = ? and node = ? and last = 1", [session, node]
        )
        return None if rows[0]["last"] is None else int(rows[0]["last"])

    def nodes(self, session: SessionId) -> dict[NodeId, int | None]:
        """Each node that offered a segment of the session, with its last sequence number once that is known."""
        rows = self._select(
            "select node, max(case when last then sequence end) as last from segments where session = ? "
            "group by node order by node",
            [session],
        )
        return {NodeId(row["node"]): row["last"] for row in rows}

    def _row(self, key: SegmentKey) -> dict[str, Any]:
        try:
            return dict(self._db.table("segments").get(_pk(key)))
        except NotFoundError:
            raise NotOffered(f"nobody has offered segment {key.path('')}") from None

    def _select(self, sql: str, values: list[Any] | dict[str, Any]) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._db.query(sql, values))


def _pk(key: SegmentKey) -> tuple[str, str, int]:
    return key.session, key.node, key.sequence


def _columns(key: SegmentKey) -> dict[str, Any]:
    return {"session": key.session, "node": key.node, "sequence": key.sequence}


def _receipt(row: dict[str, Any]) -> SegmentReceipt:
    return SegmentReceipt(
        key=SegmentKey(row["session"], row["node"], row["sequence"]),
        video_wanted=not row["video_held"],
        tracks_wanted=not row["tracks_held"],
        tracks_version=TracksHead.VERSION,
    )


def _offer(row: dict[str, Any]) -> SegmentOffer:
    named = {name: row[name] for name in SegmentOffer.__struct_fields__ if name not in ("key", "last")}
    return SegmentOffer(key=SegmentKey(row["session"], row["node"], row["sequence"]), last=bool(row["last"]), **named)
