"""A node's side of the offload: what waits on its shelf."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.cost import Cost
from edge.ledger import Ledger
from edge.offload import Hub, Offloader
from edge.record.shelf import TRACKS, VIDEO, Shelf
from edge.sight import SegmentSight
from wire.session import SegmentKey, SegmentState
from wire.tracks import SegmentTracks


class Station:
    """A node's shelf and ledger with segments that wait, and its offloader."""

    def __init__(self, root, row, log, connections) -> None:
        self.shelf = Shelf(root)
        self.ledger = Ledger(root / "ledger.sqlite")
        self.cost = Cost()
        self.connections = connections
        self.pauses: list[float] = []
        self.before_pause = None
        self._log = log
        self._zero_ns = row.start_ns
        self.ledger.begin_session(row)

    def close_segment(self, sequence: int, *, size: int = 40_000, last: bool = False, offset_ns=None) -> SegmentKey:
        key = SegmentKey("s1", "left", sequence)
        times = self._zero_ns + sequence * 2_000_000_000 + np.arange(50, dtype=np.int64) * 40_000_000
        self.ledger.open_segment(key, int(times[0]))
        path = self.shelf.open_path(key, VIDEO)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(np.random.default_rng(sequence).bytes(size))
        sight = SegmentSight.empty()
        tracks = SegmentTracks(
            "s1", "left", sequence, 320, 180, "motion", (), times, sight.frame, sight.tracklet, sight.box, sight.score
        )
        video = self.shelf.place(key, VIDEO)
        clock = {"uncertainty_ns": 0, "offset_ns": offset_ns}
        self.shelf.close(self.ledger, key, video, tracks, frame_ns=40_000_000, last=last, **clock)
        return key

    def offloader(self, hub: Hub, **options) -> Offloader:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            if self.before_pause:
                await self.before_pause()
            await asyncio.sleep(0)

        given = {"connections": self.connections, "sleep": sleep, "chance": lambda: 0.5, **options}
        return Offloader(hub, self.ledger, self.shelf, self.cost, self._log, **given)

    def key(self, sequence: int) -> SegmentKey:
        return SegmentKey("s1", "left", sequence)

    def sizes(self) -> list[int]:
        return [row.offer.video_bytes + row.offer.tracks_bytes for row in self.ledger.segments()]

    def same_bytes(self, there: Callable[[SegmentKey, str], Path]) -> bool:
        """Whether what lies `there` of each segment is what lies on the shelf."""
        return all(
            there(row.key, suffix).read_bytes() == self.shelf.path(row.key, suffix).read_bytes()
            for row in self.ledger.segments()
            for suffix in (VIDEO, TRACKS)
        )

    async def until_confirmed(self, offloader: Offloader, eventually) -> None:
        task = asyncio.create_task(offloader.run())
        await eventually(lambda: set(self.states()) == {SegmentState.CONFIRMED} or task.done())
        assert not task.done(), task.exception()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def states(self) -> list[SegmentState]:
        return [row.state for row in self.ledger.segments()]


@pytest.fixture(params=[1, 3], ids=["one connection", "three connections"])
def station(tmp_path, session_row, log, request):
    (tmp_path / "node").mkdir()
    made = Station(tmp_path / "node", session_row(), log, request.param)
    yield made
    made.ledger.close()
