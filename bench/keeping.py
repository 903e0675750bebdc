"""What a recording does with a segment once it is coded and looked at: it keeps it, and hands it over to the hub."""

import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.hub_process import TOKEN, HubProcess
from edge.cost import Cost
from edge.encode import Packet
from edge.ledger import NAME, Ledger, SessionRow
from edge.offload import Hub, Offloader, take_receipts
from edge.record.shelf import VIDEO, Shelf
from edge.record.writer import SegmentWriter
from edge.sight import SegmentSight
from firmware.clock import SystemClock
from firmware.log import Log
from wire.ids import NodeId, SessionId
from wire.session import SegmentKey, SegmentState
from wire.tracks import SegmentTracks

_SESSION, _NODE = SessionId("kept"), NodeId("left")
_UNCONFIRMED = (SegmentState.OPEN, SegmentState.CLOSED, SegmentState.SENT)


@dataclass(frozen=True)
class Keeper:
    """A node's shelf, ledger and offloader, and the hub's process that takes the segments of `session`."""

    session: SessionRow
    shelf: Shelf
    ledger: Ledger
    hub: HubProcess
    _offloader: Offloader

    def keep(self, sequence: int, packets: list[Packet], times_ns: list[int], sight: SegmentSight) -> None:
        """Make a segment's video and rows durable, and enter them into the ledger."""
        session = self.session
        width, height, rate = session.width_px, session.height_px, session.frames_per_second
        key = self.key(sequence)
        self.ledger.open_segment(key, times_ns[0])
        writer = SegmentWriter(self.shelf.open_path(key, VIDEO), sequence, "h264", width, height, rate)
        for packet in packets:
            writer.write(packet)
        writer.finish()
        columns = (sight.frame, sight.tracklet, sight.box, sight.score)
        times = np.array(times_ns, np.int64)
        tracks = SegmentTracks(
            key.session, key.node, sequence, width, height, session.detector, sight.tracklets, times, *columns
        )
        video = self.shelf.place(key, VIDEO)
        frame_ns = round(1e9 / rate)
        self.shelf.close(self.ledger, key, video, tracks, frame_ns=frame_ns, uncertainty_ns=0, last=False)

    async def hand_over(self) -> None:
        """Hand what was kept to the hub, until its receipts are in the ledger; raises `HubUnreachable`."""
        await self._offloader.hand_over()

    def key(self, sequence: int) -> SegmentKey:
        """The segment of this number."""
        return SegmentKey(self.session.session, self.session.node, sequence)


@asynccontextmanager
async def keeping(width: int, height: int, rate: float) -> AsyncIterator[Keeper]:
    """A session of such pictures, put together as `edge.serve` does, and a hub in a process of its own; in the end all
    that was kept must be confirmed, else it raises `RuntimeError`."""
    with TemporaryDirectory(prefix="touchline-keeping-") as folder:
        process = HubProcess(Path(folder, "hub"), _NODE)
        await process.start()
        try:
            with _recording(Path(folder, "node"), width, height, rate) as (session, shelf, ledger, log):
                carried = partial(take_receipts, shelf.root, ledger, TOKEN, log)
                async with Hub(process.url, TOKEN) as hub:
                    offloader = Offloader(hub, ledger, shelf, Cost(), log, carried=carried)
                    yield Keeper(session, shelf, ledger, process, offloader)
                if left := ledger.count(*_UNCONFIRMED):
                    told = "\n".join(log.recent(5))
                    raise RuntimeError(f"segments that were kept and are not confirmed: {left}\n{told}")
        finally:
            # One that has ended by itself needs no end.
            with contextlib.suppress(ProcessLookupError):
                await process.end(signal.SIGTERM)


@contextmanager
def _recording(data: Path, width: int, height: int, rate: float) -> Iterator[tuple[SessionRow, Shelf, Ledger, Log]]:
    data.mkdir()
    session = SessionRow(
        session=_SESSION,
        node=_NODE,
        start_ns=0,
        width_px=width,
        height_px=height,
        frames_per_second=rate,
        detector="onnx",
    )
    with closing(Ledger(data / NAME)) as ledger, (data / "node.log").open("w") as stream:
        ledger.begin_session(session)
        yield session, Shelf(data), ledger, Log(stream, SystemClock())
