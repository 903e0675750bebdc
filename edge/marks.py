"""Bookmarks of a node's sessions, durable before anybody is told that they are set."""

from collections.abc import Callable

from edge.errors import BadMark, NoSuchSession, NotRecording
from edge.ledger import Ledger
from firmware.log import Log
from firmware.panel import Panel
from firmware.panel.signals import MARKED
from wire.ids import NodeId, SessionId
from wire.marks import Mark, MarkRequest


class Marks:
    """Sets and lists the marks of one node; whoever is at the mast hears each. `now_ns` tells the time of what happens
    now, as frames bear it."""

    def __init__(self, node: NodeId, ledger: Ledger, now_ns: Callable[[], int], panel: Panel, log: Log) -> None:
        self._node = node
        self._ledger = ledger
        self._now_ns = now_ns
        self._panel = panel
        self._log = log

    def set(self, request: MarkRequest, recording: SessionId | None) -> Mark:
        """Mark a moment of the session that the request names, or of the one being recorded.

        A moment that was marked before gets the new note. Raises `NotRecording`, `NoSuchSession`, or `BadMark` for a
        time outside the session.
        """
        session = request.session or recording
        if session is None:
            raise NotRecording(f"node {self._node} is not recording: name the session that the moment belongs to")
        row = next((row for row in self._ledger.sessions() if row.session == session), None)
        if row is None:
            raise NoSuchSession(f"this node has recorded no session {session}")
        _, end_ns = self._ledger.reach(session)
        # A session's zero may lie a moment ahead.
        time_ns = max(row.start_ns, self._now_ns()) if request.time_ns is None else request.time_ns
        if time_ns < row.start_ns or (row.finished and time_ns > end_ns):
            raise BadMark(f"session {session} was not recorded at that time")
        mark = Mark(session=session, node=self._node, time_ns=time_ns, note=request.note)
        self._ledger.mark(mark)
        self._panel.beep(MARKED)
        self._log.event("marked", session=session, time_ns=time_ns)
        return mark

    def of(self, session: SessionId) -> list[Mark]:
        """A session's marks in the order of their time; none of one that was not recorded here."""
        return self._ledger.marks(session)
