"""Carries closed segments to the hub, the oldest first, until the hub has confirmed every one of them."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from edge.cost import Cost
from edge.errors import HubUnreachable, SegmentRefused
from edge.ledger import Ledger, SegmentRow
from edge.offload.hub import Hub
from edge.record.shelf import TRACKS, VIDEO, Shelf
from firmware.log import Log
from wire.session import SegmentKey, SegmentReceipt, SegmentState

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_WAITING = (SegmentState.CLOSED, SegmentState.SENT)


class Offloader:
    """The node's offload: `run` for as long as the node lives, `wake` it when a segment was closed.

    A hub that does not answer concerns every segment, so all of them wait for it; a segment that is refused for its own
    sake rests alone.

    `chance` gives 0..1 and `sleep` waits that many seconds; both are arguments so that a test can be quick and exact.
    """

    def __init__(
        self,
        hub: Hub,
        ledger: Ledger,
        shelf: Shelf,
        cost: Cost,
        log: Log,
        *,
        delete_confirmed: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._hub = hub
        self._ledger = ledger
        self._shelf = shelf
        self._cost = cost
        self._log = log
        self._delete_confirmed = delete_confirmed
        self._sleep = sleep
        self._chance = chance
        self._news = asyncio.Event()
        self._begun: dict[tuple[SegmentKey, str], str] = {}
        self._refusals: Counter[SegmentKey] = Counter()
        self._resting: dict[SegmentKey, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look into the ledger again: something was closed. Call it from the event loop's thread."""
        self._news.set()

    async def run(self) -> None:
        """Offload for ever, whatever happens: a fault of the offload must not end the node and its recording.

        After a fault wait from half a second up to 30 s, less up to half by chance; a refused segment rests as long.
        """
        faults = 0
        try:
            while True:
                self._news.clear()
                try:
                    refused = await self.hand_over()
                except HubUnreachable:
                    faults += 1
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

        Raises `HubUnreachable` at the first sign of it.
        """
        refused = set()
        for row in await asyncio.to_thread(self._ledger.segments, *_WAITING):
            if row.key in self._resting:
                continue
            where = {"session": row.key.session, "segment": row.key.sequence}
            try:
                await self._segment(row)
            except HubUnreachable as fault:
                self._log.event("hub-unreachable", **where, fault=fault)
                raise
            except SegmentRefused as fault:
                self._log.event("segment-refused", **where, fault=fault)
                refused.add(row.key)
            except Exception as fault:
                self._log.event("offload-fault", **where, fault=f"{type(fault).__name__}: {fault}")
                refused.add(row.key)
            else:
                self._refusals.pop(row.key, None)
                self._log.event("segment-confirmed", **where)
        if self._delete_confirmed:
            for row in await asyncio.to_thread(self._ledger.deletable):
                await asyncio.to_thread(self._shelf.delete, self._ledger, row.key)
                self._log.event("segment-deleted", session=row.key.session, segment=row.key.sequence)
        return refused

    async def _rest(self, key: SegmentKey) -> None:
        self._refusals[key] += 1
        await self._sleep(self._pause_s(self._refusals[key]))
        del self._resting[key]
        self.wake()

    def _pause_s(self, faults: int) -> float:
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(faults - 1, 16))
        return pause_s * (1 - self._chance() / 2)

    async def _segment(self, row: SegmentRow) -> None:
        if row.offer is None:
            raise SegmentRefused("an open segment cannot be offered")
        receipt = await self._hub.offer(row.offer)
        if not receipt.confirmed:
            await self._send(receipt)
            if row.state is SegmentState.CLOSED:
                await asyncio.to_thread(self._ledger.move, row.key, SegmentState.SENT)
            receipt = await self._hub.receipt(row.key)
            self._begun.pop((row.key, VIDEO), None)
            self._begun.pop((row.key, TRACKS), None)
            if not receipt.confirmed:
                raise SegmentRefused("the hub did not confirm what it was sent")
        await asyncio.to_thread(self._ledger.move, row.key, SegmentState.CONFIRMED)

    async def _send(self, receipt: SegmentReceipt) -> None:
        parts = ((receipt.video_wanted, "video", VIDEO), (receipt.tracks_wanted, "tracks", TRACKS))
        for wanted, part, suffix in parts:
            if not wanted:
                continue
            begun = (receipt.key, suffix)

            def remember(url: str, begun: tuple[SegmentKey, str] = begun) -> None:
                self._begun[begun] = url

            try:
                await self._hub.upload(
                    self._shelf.path(receipt.key, suffix),
                    receipt.key,
                    part,
                    resume_url=self._begun.get(begun),
                    on_created=remember,
                    on_sent=lambda sent: self._cost.count(bytes_sent=sent),
                )
            except SegmentRefused:
                # Nothing of a refused upload can be gone on with; one that was broken off is remembered.
                self._begun.pop(begun, None)
                raise
