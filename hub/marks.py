"""Moments that people at the field marked at a node, as events of the match."""

import threading
from collections.abc import Iterable, Mapping

import msgspec

from hub.sessions import Sessions
from wire.durable import write_durably
from wire.events import Event, EventType
from wire.ids import NodeId, SessionId
from wire.marks import Mark
from wire.rigtime import SECOND

SAME_S = 1.0
"""Marks so near to each other are of one moment: two people pressed, or one thumb twice."""


class MarkBook:
    """What nodes told of a session's marks, kept in its folder: a node may be packed away before they are needed.

    They may be taken from any thread, but into one book: two would lose what the other took.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()

    def of(self, session: SessionId) -> list[Mark]:
        """All that are known, in the order of their time."""
        path = self._sessions.folder(session).marks
        return msgspec.json.decode(path.read_bytes(), type=list[Mark]) if path.exists() else []

    def take(self, session: SessionId, marks: Iterable[Mark]) -> None:
        """Keep these too; one of a node and time that is known already has a new note."""
        with self._lock:
            known = {(mark.node, mark.time_ns): mark for mark in self.of(session)}
            both = known | {(mark.node, mark.time_ns): mark for mark in marks if mark.session == session}
            if both != known:
                kept = sorted(both.values(), key=lambda mark: (mark.time_ns, mark.node))
                write_durably(self._sessions.folder(session).marks, msgspec.json.encode(kept))


def marked(marks: Iterable[Mark], offsets_ns: Mapping[NodeId, int], start_ns: int, duration_s: float) -> list[Event]:
    """One event for each moment that was marked while the match was recorded; `offsets_ns` is added to a node's times
    to give rig time."""
    times = sorted((mark.time_ns + offsets_ns.get(mark.node, 0) - start_ns) / SECOND for mark in marks)
    events: list[Event] = []
    for time_s in times:
        new = not events or time_s - events[-1].time_s > SAME_S
        if new and 0 <= time_s <= duration_s:
            events.append(Event(time_s=time_s, type=EventType.MARK))
    return events
