"""Carries closed segments to the hub, the oldest first, until the hub has confirmed every one of them."""

import asyncio
import contextlib
import hashlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge.cost import Cost
from edge.errors import HubUnreachable, SegmentRefused
from edge.ledger import Ledger, SegmentRow
from edge.offload.hub import Hub
from edge.record.shelf import TRACKS, VIDEO, Shelf
from firmware.log import Log
from wire.session import SegmentKey, SegmentOffer, SegmentReceipt, SegmentState

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_WAITING = (SegmentState.CLOSED, SegmentState.SENT)


class Offloader:
    """The node's offload: `run` for as long as the node lives, `wake` it when a segment was closed.

    Up to `connections` segments travel at once. A hub that does not answer concerns every segment, so all of them wait
    for it; a segment that is refused for its own sake rests alone.

    `carried` enters what the hub got by hand, before each pass. `chance` gives 0..1 and `sleep` waits that many
    seconds; both are arguments so that a test can be quick and exact.
    """

    def __init__(
        self,
        hub: Hub,
        ledger: Ledger,
        shelf: Shelf,
        cost: Cost,
        log: Log,
        *,
        connections: int = 3,
        carried: Callable[[], None] = lambda: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._hub = hub
        self._ledger = ledger
        self._shelf = shelf
        self._cost = cost
        self._log = log
        self._connections = connections
        self._carried = carried
        self._sleep = sleep
        self._chance = chance
        self._news = asyncio.Event()
        self._got_through = False
        self._begun: dict[tuple[SegmentKey, str], str] = {}
        self._refusals: Counter[SegmentKey] = Counter()
        self._resting: dict[SegmentKey, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look into the ledger again: something was closed. Call it from the event loop's thread."""
        self._news.set()

    async def run(self) -> None:
        """Offload for ever, whatever happens: a fault of the offload must not end the node and its recording.

        After a fault wait from half a second up to 30 s, less up to half by chance; a refused segment rests as long.
        Where something got through before the fault, the pauses begin anew: a bad line is no silent hub.
        """
        faults = 0
        try:
            while True:
                self._news.clear()
                self._got_through = False
                try:
                    refused = await self.hand_over()
                except HubUnreachable:
                    faults = 1 if self._got_through else faults + 1
                except Exception as fault:
                    self._log.event("offload-fault", fault=f"{type(fault).__name__}: {fault}")
                    faults += 1
                else:
                    faults = 0
                    for key in refused:
                        self._resting[key] = asyncio.create_task(self._rest(key))
                    await self._news.wait()
                if faults:
                    await self._sleep(self._pause_s(faults))
        finally:
            for task in self._resting.values():
                task.cancel()
            await asyncio.gather(*self._resting.values(), return_exceptions=True)
            self._resting.clear()

    async def hand_over(self) -> set[SegmentKey]:
        """One pass over what waits and does not rest; which segments were refused, all others are confirmed now.

        Raises `HubUnreachable` when the hub was: nothing more is begun after the first sign of it, and what travels
        then comes to its own end.
        """
        await asyncio.to_thread(self._carried)
        waiting = await asyncio.to_thread(self._ledger.segments, *_WAITING)
        rows = iter([row for row in waiting if row.key not in self._resting])
        offering, outcome = asyncio.Lock(), _Outcome()
        async with asyncio.TaskGroup() as connections:
            for _ in range(self._connections):
                connections.create_task(self._connection(rows, offering, outcome))
        if outcome.unreachable:
            raise outcome.unreachable
        return outcome.refused

    async def _connection(self, rows: Iterator[SegmentRow], offering: asyncio.Lock, outcome: "_Outcome") -> None:
        while True:
            receipt = None
            # The hub takes a gap for a segment that never comes: each offer must be there before the next one leaves.
            async with offering:
                row = None if outcome.unreachable else next(rows, None)
                if row is None:
                    return
                with self._noting(row.key, outcome):
                    receipt = await self._hub.offer(_offer(row))
                    self._shelf.tracks_version = receipt.tracks_version
            if receipt:
                with self._noting(row.key, outcome):
                    await self._fulfil(row, receipt)

    @contextlib.contextmanager
    def _noting(self, key: SegmentKey, outcome: "_Outcome") -> Iterator[None]:
        where = {"session": key.session, "segment": key.sequence}
        try:
            yield
        except HubUnreachable as fault:
            self._log.event("hub-unreachable", **where, fault=fault)
            outcome.unreachable = fault
        except SegmentRefused as fault:
            self._log.event("segment-refused", **where, fault=fault)
            outcome.refused.add(key)
        except Exception as fault:
            self._log.event("offload-fault", **where, fault=f"{type(fault).__name__}: {fault}")
            outcome.refused.add(key)

    async def _rest(self, key: SegmentKey) -> None:
        self._refusals[key] += 1
        await self._sleep(self._pause_s(self._refusals[key]))
        del self._resting[key]
        self.wake()

    def _pause_s(self, faults: int) -> float:
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(faults - 1, 16))
        return pause_s * (1 - self._chance() / 2)

    async def _fulfil(self, row: SegmentRow, receipt: SegmentReceipt) -> None:
        offer = _offer(row)
        if not receipt.confirmed:
            if receipt.video_wanted:
                await self._send(row.key, "video", VIDEO, offer.video_sha256)
            if receipt.tracks_wanted:
                await self._send(row.key, "tracks", TRACKS, offer.tracks_sha256)
            if row.state is SegmentState.CLOSED:
                await asyncio.to_thread(self._ledger.move, row.key, SegmentState.SENT)
            receipt = await self._hub.receipt(row.key)
            self._begun.pop((row.key, VIDEO), None)
            self._begun.pop((row.key, TRACKS), None)
            if not receipt.confirmed:
                raise SegmentRefused("the hub did not confirm what it was sent")
        self._refusals.pop(row.key, None)
        # One that became its session's last meanwhile waits on, to be offered again as such.
        if await asyncio.to_thread(self._ledger.confirm, offer):
            self._log.event("segment-confirmed", session=row.key.session, segment=row.key.sequence)

    def _count_sent(self, sent: int) -> None:
        self._cost.count(bytes_sent=sent)
        self._got_through = self._got_through or sent > 0

    async def _send(self, key: SegmentKey, part: str, suffix: str, promised: str) -> None:
        path, begun = self._shelf.path(key, suffix), (key, suffix)
        if self._refusals[key] and await asyncio.to_thread(_is_damaged, path, promised):
            raise SegmentRefused(f"{path.name} is damaged on this node's disk")
        try:
            await self._hub.upload(
                path,
                key,
                part,
                resume_url=self._begun.get(begun),
                on_created=lambda url: self._begun.__setitem__(begun, url),
                on_sent=self._count_sent,
            )
        except SegmentRefused:
            # Nothing of a refused upload can be gone on with; one that was broken off is remembered.
            self._begun.pop(begun, None)
            raise


@dataclass
class _Outcome:
    """What one pass has met so far."""

    refused: set[SegmentKey] = field(default_factory=set)
    unreachable: HubUnreachable | None = None


def _offer(row: SegmentRow) -> SegmentOffer:
    if row.offer is None:
        raise SegmentRefused("an open segment cannot be offered")
    return row.offer


def _is_damaged(path: Path, sha256: str) -> bool:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() != sha256
