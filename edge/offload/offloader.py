"""Carries closed segments to the hub, the oldest first, until the hub has confirmed every one of them."""

import asyncio
import random
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

    def wake(self) -> None:
        """Look into the ledger again: something was closed. Call it from the event loop's thread."""
        self._news.set()

    async def run(self) -> None:
        """Offload for ever; after a fault, wait from half a second up to 30 s, less up to half by chance."""
        faults = 0
        while True:
            self._news.clear()
            if await self.hand_over():
                faults = 0
                await self._news.wait()
            else:
                pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(faults, 16))
                faults += 1
                await self._sleep(pause * (1 - self._chance() / 2))

    async def hand_over(self) -> bool:
        """One pass over what waits; whether all of it is confirmed now.

        A segment that is refused for its own sake is passed over, so that it does not hold up the rest.
        """
        whole = True
        for row in await asyncio.to_thread(self._ledger.segments, *_WAITING):
            where = {"session": row.key.session, "segment": row.key.sequence}
            try:
                await self._segment(row)
                self._log.event("segment-confirmed", **where)
            except SegmentRefused as fault:
                self._log.event("segment-refused", **where, fault=fault)
                whole = False
            except HubUnreachable as fault:
                self._log.event("hub-unreachable", **where, fault=fault)
                return False
        if self._delete_confirmed:
            for row in await asyncio.to_thread(self._ledger.deletable):
                await asyncio.to_thread(self._shelf.delete, self._ledger, row.key)
                self._log.event("segment-deleted", session=row.key.session, segment=row.key.sequence)
        return whole

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

            await self._hub.upload(
                self._shelf.path(receipt.key, suffix),
                receipt.key,
                part,
                resume_url=self._begun.get(begun),
                on_created=remember,
                on_sent=lambda sent: self._cost.count(bytes_sent=sent),
            )
