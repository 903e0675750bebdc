"""What is carried on a stick from a node to the hub, and what is carried back.

Below the stick's folder lies each segment as on any shelf, `<session>/<node>/<sequence>.mp4` + `.tracks` + `.offer`;
the sealed offer comes last, so a segment with an offer is whole. Before its segments come a node's sealed marks of the
session, if there are any (`NodeMarks`). The hub leaves its sealed receipts beside the sessions.
"""

from wire.ids import NodeId, SessionId
from wire.message import Message
from wire.session import SegmentKey, SegmentOffer

VIDEO = ".mp4"
TRACKS = ".tracks"
OFFER = ".offer"
RECEIPTS = "touchline.receipts"
"""The name of the hub's receipts in the stick's folder."""
MARKS = "touchline.marks"
"""The name of a node's marks among its segments of a session."""


def marks_path(session: SessionId, node: NodeId) -> str:
    """`session/node/touchline.marks`: the place of a node's marks below the stick's folder."""
    return f"{session}/{node}/{MARKS}"


class StickReceipts(Message, frozen=True, kw_only=True):
    """The offers of a stick whose files the hub holds, verified: to those nodes, as good as a `SegmentReceipt`."""

    KIND = "stick-receipts"
    VERSION = 1

    confirmed: tuple[SegmentOffer, ...]


class ReceiptsTaken(Message, frozen=True, kw_only=True):
    """A node's answer to receipts: its segments that count as confirmed now, or did before, and how many receipts say
    nothing of what it promised, such as those of other nodes."""

    KIND = "receipts-taken"
    VERSION = 1

    confirmed: tuple[SegmentKey, ...]
    passed_over: int
