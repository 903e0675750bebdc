"""How a node's disk, clock and board are, for whoever looks after it."""

import asyncio
from collections.abc import Callable

from edge.ledger import Ledger
from edge.storage import Storage, StorageState
from firmware.clock import ClockReading, RigClock
from firmware.health import Health, HealthReading
from wire.ids import NodeId
from wire.message import Message
from wire.readiness import Finding, Verdict
from wire.session import SegmentState

FRESH_S = 5.0
"""How old a condition may be: each one asks chrony and the board's firmware by a process of its own."""


class NodeCondition(Message, frozen=True, kw_only=True):
    """A node's condition at `at_ns` on its clock; `clock_verdict` is what its gate says of `clock`, `segments` counts
    those in each state."""

    KIND = "node-condition"
    VERSION = 1

    node: NodeId
    at_ns: int
    storage: StorageState
    clock: ClockReading
    clock_verdict: Verdict
    board: HealthReading
    segments: dict[SegmentState, int]


class Conditions:
    """Reads a node's condition, at most once in 5 s however many ask.

    `judge_clock` is the clock's gate; `now_s` is a clock that never steps.
    """

    def __init__(
        self,
        node: NodeId,
        storage: Storage,
        clock: RigClock,
        health: Health,
        ledger: Ledger,
        judge_clock: Callable[[ClockReading], Finding],
        now_s: Callable[[], float],
    ) -> None:
        self._node = node
        self._storage = storage
        self._clock = clock
        self._health = health
        self._ledger = ledger
        self._judge_clock = judge_clock
        self._now_s = now_s
        self._reading = asyncio.Lock()
        self._last: NodeCondition | None = None
        self._until_s = 0.0

    async def read(self) -> NodeCondition:
        """The condition now, or a moment ago."""
        async with self._reading:
            if self._last is None or self._now_s() >= self._until_s:
                self._last = await asyncio.to_thread(self._read)
                self._until_s = self._now_s() + FRESH_S
            return self._last

    def _read(self) -> NodeCondition:
        reading = self._clock.read()
        return NodeCondition(
            node=self._node,
            at_ns=self._clock.now_ns(),
            storage=self._storage.state(),
            clock=reading,
            clock_verdict=self._judge_clock(reading).verdict,
            board=self._health.read(),
            segments=self._ledger.counts(),
        )
