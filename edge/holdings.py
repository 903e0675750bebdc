"""What a node holds of its sessions, and what a hub's word lets it give up."""

from edge.errors import NoSuchSession
from edge.ledger import Ledger, SegmentRow, SessionRow
from edge.storage import Storage
from firmware.log import Log
from wire.ids import SessionId
from wire.message import Message
from wire.proof import unseal
from wire.stick import ReceiptsTaken, StickReceipts


class DeletedSegments(Message, frozen=True, kw_only=True):
    """How many confirmed segments were deleted to make room."""

    KIND = "deleted-segments"
    VERSION = 1

    segments: int


class Holdings:
    """Tells of sessions and segments, and takes receipts that were sealed with the rig's `token`."""

    def __init__(self, ledger: Ledger, storage: Storage, token: str, log: Log) -> None:
        self._ledger = ledger
        self._storage = storage
        self._token = token
        self._log = log

    def sessions(self) -> list[SessionRow]:
        """Every session this node has recorded, oldest first."""
        return self._ledger.sessions()

    def segments(self, session: SessionId) -> list[SegmentRow]:
        """The segments of one session, in their order; raises `NoSuchSession`."""
        if all(row.session != session for row in self._ledger.sessions()):
            raise NoSuchSession(f"this node has recorded no session {session}")
        return self._ledger.segments_of(session)

    def confirm(self, receipts: bytes) -> ReceiptsTaken:
        """Count as confirmed what the hub's sealed `StickReceipts` say that it holds, where both files' SHA-256 are
        what this node promised; raises `NotProven`, `MalformedMessage` or `NewerVersion`.

        The seal is asked of everybody: what a node tells of its own segments must not be enough to have them deleted.
        """
        offers = unseal(receipts, StickReceipts, self._token).confirmed
        confirmed = []
        for offer in offers:
            if self._ledger.confirm(offer):
                self._log.event(
                    "segment-confirmed", session=offer.key.session, segment=offer.key.sequence, by="receipt"
                )
            if self._ledger.is_confirmed(offer):
                confirmed.append(offer.key)
        return ReceiptsTaken(confirmed=tuple(confirmed), passed_over=len(offers) - len(confirmed))

    def delete_confirmed(self) -> DeletedSegments:
        """Delete every segment that the hub has confirmed."""
        return DeletedSegments(segments=self._storage.delete_all_confirmed())
