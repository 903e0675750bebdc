"""The shelf of segments on the hub's disk: files in their place, and what the ledger says of them."""

from pathlib import Path

from hub.ingest.ledger import Ledger
from hub.panorama.footage import StoredSegment
from wire.ids import NodeId, SessionId
from wire.session import SegmentKey

SUFFIXES = {"video": ".mp4", "tracks": ".tracks"}


class SegmentShelf:
    """The confirmed segments below `root`, readable from any thread; a file appears there only whole and verified."""

    def __init__(self, root: Path, ledger: Ledger) -> None:
        self._root = root
        self._ledger = ledger
        self._finished: dict[tuple[SessionId, NodeId], int] = {}

    def path(self, key: SegmentKey, part: str) -> Path:
        """The place of the segment's `part`, video or tracks, whether or not it is there."""
        return self._root / key.path(SUFFIXES[part])

    def held(self, session: SessionId, node: NodeId) -> frozenset[int]:
        """Sequence numbers of the node's confirmed segments."""
        return self._ledger.confirmed(session, node)

    def stored(self, session: SessionId, node: NodeId, sequence: int) -> StoredSegment | None:
        """The files of a confirmed segment, None when it is not held."""
        key = SegmentKey(session, node, sequence)
        if not self._ledger.is_confirmed(key):
            return None
        return StoredSegment(sequence, self.path(key, "video"), self.path(key, "tracks"))

    def settled(self, session: SessionId, node: NodeId, sequence: int) -> bool:
        """Whether the segment is confirmed, or will never come: its node has finished, or went on to later ones."""
        last = self.last(session, node)
        return (last is not None and sequence > last) or self._ledger.settled(SegmentKey(session, node, sequence))

    def last(self, session: SessionId, node: NodeId) -> int | None:
        """The sequence number of the node's final segment, -1 when it has none, None while that is not known."""
        told = self._ledger.last(session, node)
        return self._finished.get((session, node)) if told is None else told

    def finish(self, session: SessionId, node: NodeId) -> None:
        """Take what the node has handed over for all it will ever have; its own later word counts more."""
        self._finished[session, node] = max(self.held(session, node), default=-1)

    def end_ns(self, session: SessionId, node: NodeId) -> int:
        """End of the node's latest confirmed segment on the node's clock, 0 when none is held."""
        return self._ledger.end_ns(session, node)
