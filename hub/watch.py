"""Looks after nodes that will hand over nothing more and cannot say so themselves."""

import asyncio
from collections.abc import Awaitable, Callable

from firmware.log import Log
from hub.errors import HubError
from hub.ingest import SegmentShelf
from hub.marks import MarkBook
from hub.nodes import Node, NodeUnreachable, RigNodes
from hub.panorama.timeline import Arrivals
from hub.sessions import Sessions
from wire.ids import NodeId, SessionId

LOOK_S = 5.0
IDLE_LOOKS = 3
"""So many looks in a row must find a node idle: it may just be about to begin."""
SILENT_S = 600.0
"""After which a node that does not answer is given up, once another node of the session has finished."""


class Watch:
    """Tells the shelf that a node has finished a session: it is idle with nothing to hand over but never named its last
    segment, or it has been silent for `SILENT_S` since the others finished. What it hands over later is still taken.
    Asks for the marks that were set at nodes meanwhile."""

    def __init__(
        self,
        sessions: Sessions,
        marks: MarkBook,
        shelf: SegmentShelf,
        nodes: RigNodes,
        arrivals: Arrivals,
        log: Log,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sessions = sessions
        self._marks = marks
        self._shelf = shelf
        self._nodes = nodes
        self._arrivals = arrivals
        self._log = log
        self._sleep = sleep
        self._idle: dict[tuple[SessionId, NodeId], int] = {}
        self._silent: dict[tuple[SessionId, NodeId], int] = {}

    async def run(self) -> None:
        """Look every few seconds; ends only by being cancelled."""
        while True:
            await self._sleep(LOOK_S)
            for session in await asyncio.to_thread(self._sessions.unfinished):
                await self.look(session)

    async def look(self, session: SessionId) -> None:
        """Look once at the nodes of a session."""
        named = self._sessions.plan(session).nodes
        lasts = {node: await asyncio.to_thread(self._shelf.last, session, node) for node in named}
        for node in self._nodes.nodes:
            if node.id not in lasts:
                continue
            await self._ask_for_marks(session, node)
            if lasts[node.id] is None and await self._has_ended(session, node, lasts):
                self._shelf.finish(session, node.id)
                self._log.event("node-finished", session=session, node=node.id)
                self._arrivals.notify()

    async def _ask_for_marks(self, session: SessionId, node: Node) -> None:
        try:
            marks = await self._nodes.marks(node, session)
        except HubError:
            # It will be asked again, and has nothing to say if it is older than marks.
            return
        await asyncio.to_thread(self._marks.take, session, marks)

    async def _has_ended(self, session: SessionId, node: Node, lasts: dict[NodeId, int | None]) -> bool:
        key = (session, node.id)
        try:
            status = await self._nodes.status(node)
        except NodeUnreachable:
            self._idle.pop(key, None)
            self._silent[key] = self._silent.get(key, 0) + 1
            others_done = any(last is not None for last in lasts.values())
            return others_done and self._silent[key] * LOOK_S >= SILENT_S
        except HubError:
            return False
        self._silent.pop(key, None)
        busy = status.recording == session or status.segments_waiting > 0
        self._idle[key] = 0 if busy else self._idle.get(key, 0) + 1
        return self._idle[key] >= IDLE_LOOKS
