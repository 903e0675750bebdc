"""Bookmarks: moments that somebody at the field wants to find again."""

from typing import Annotated

import msgspec

from wire.errors import MalformedMessage
from wire.ids import NodeId, SessionId, node_id, session_id
from wire.message import Message

Note = Annotated[str, msgspec.Meta(max_length=200)]


class MarkRequest(Message, frozen=True, kw_only=True):
    """Asks a node to mark a moment: `time_ns` (rig time) or now, of `session` or of the one being recorded."""

    KIND = "mark-request"
    VERSION = 1

    time_ns: int | None = None
    session: SessionId | None = None
    note: Note = ""

    def __post_init__(self) -> None:
        if self.session is not None:
            session_id(self.session)


class Mark(Message, frozen=True, kw_only=True):
    """A marked moment of a session, `time_ns` on the clock of the node that was asked; session and time name it."""

    KIND = "mark"
    VERSION = 1

    session: SessionId
    node: NodeId
    time_ns: int
    note: Note = ""

    def __post_init__(self) -> None:
        session_id(self.session)
        node_id(self.node)


class NodeMarks(Message, frozen=True, kw_only=True):
    """The marks of a session that were set at one node, for whoever cannot ask it; any of another is malformed."""

    KIND = "node-marks"
    VERSION = 1

    session: SessionId
    node: NodeId
    marks: tuple[Mark, ...]

    def __post_init__(self) -> None:
        session_id(self.session)
        node_id(self.node)
        if any((mark.session, mark.node) != (self.session, self.node) for mark in self.marks):
            raise MalformedMessage(f"a mark is not of session {self.session} and node {self.node}")
