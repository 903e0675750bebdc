"""What the offload bears: a node's true offloader and a true hub, a bad line between them, and a hub that is killed.

`python -m bench.offload_campaign --seeds 1 2 3` prints what happened and what it cost, and fails when a segment did not
arrive whole, arrived twice, or left something behind.
"""

import argparse
import asyncio
import hashlib
import random
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.bad_line import BadLine, Fault
from bench.hub_process import TOKEN, HubProcess
from edge.cost import Cost
from edge.ledger import NAME, Ledger, SessionRow
from edge.offload import Hub, Offloader
from edge.record import Shelf
from edge.sight import SegmentSight
from firmware.clock import SystemClock
from firmware.log import Log
from wire.ids import NodeId, SessionId
from wire.rigtime import SECOND
from wire.session import SegmentKey, SegmentOffer, SegmentState
from wire.tracks import SegmentTracks

_SESSION, _NODE = SessionId("campaign"), NodeId("left")
_ZERO_NS = 1_790_000_000 * SECOND
_SILENCE_S = 1.5
"""Where a node waits 30 s: a campaign of hundreds of faults would last for hours."""
_PAUSES = 0.05
"""Of the pauses that a node makes, for the same reason."""
_DEADLINE_S = 600.0
_SIZES = (20_000, 3_000_000)
_BACKLOG = 8
"""Segments that wait while the match is on: more than travel at once, as behind a line that is too slow."""
_WAITING = (SegmentState.OPEN, SegmentState.CLOSED, SegmentState.SENT)


@dataclass
class Outcome:
    """What one campaign met, what it cost, and every promise that was broken."""

    seed: int
    segments: int
    faults: Counter[Fault] = field(default_factory=Counter)
    kills: int = 0
    restarts: int = 0
    pauses: int = 0
    refusals: int = 0
    bytes_needed: int = 0
    bytes_sent: int = 0
    broken: list[str] = field(default_factory=list)


class Recorder:
    """A node's shelf and ledger, filled as a recording fills them; segments are 20 kB to 3 MB of noise."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        root.mkdir(parents=True)
        self.shelf = Shelf(root)
        self.ledger = Ledger(root / NAME)
        self._chance = chance
        self.ledger.begin_session(
            SessionRow(
                session=_SESSION,
                node=_NODE,
                start_ns=_ZERO_NS,
                width_px=320,
                height_px=180,
                frames_per_second=25.0,
                detector="motion",
                finished=False,
            )
        )

    def close_segment(self, sequence: int) -> None:
        """Put one more segment onto the shelf."""
        key = SegmentKey(_SESSION, _NODE, sequence)
        times = _ZERO_NS + sequence * 2 * SECOND + np.arange(50, dtype=np.int64) * 40_000_000
        self.ledger.open_segment(key, int(times[0]))
        path = self.shelf.open_path(key, ".mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._chance.randbytes(self._chance.randint(*_SIZES)))
        sight = SegmentSight.empty()
        tracks = SegmentTracks(
            _SESSION,
            _NODE,
            sequence,
            320,
            180,
            "motion",
            (),
            times,
            sight.frame,
            sight.tracklet,
            sight.box,
            sight.score,
        )
        video = self.shelf.place(key, ".mp4")
        self.shelf.close(self.ledger, key, video, tracks, frame_ns=40_000_000, uncertainty_ns=1000, last=False)


class OffloadingNode:
    """The node's end of the offload, which may end and begin anew as a node's process does."""

    def __init__(self, recorder: Recorder, url: str, log: Log) -> None:
        self.pauses = 0
        self._recorder = recorder
        self._url = url
        self._log = log

    def start(self) -> None:
        """Begin to offload."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End it, whatever it is at."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Something was closed."""
        self._offloader.wake()

    async def _run(self) -> None:
        recorder = self._recorder
        async with Hub(self._url, TOKEN, silence_s=_SILENCE_S) as hub:
            self._offloader = Offloader(
                hub, recorder.ledger, recorder.shelf, Cost(), self._log, sleep=self._pause, chance=random.random
            )
            await self._offloader.run()

    async def _pause(self, seconds: float) -> None:
        self.pauses += 1
        await asyncio.sleep(seconds * _PAUSES)


async def campaign(seed: int, segments: int, kills: int, root: Path, mean_bytes: int = 1_000_000) -> Outcome:
    """Record `segments` and hand them over below `root`.

    Meanwhile a fault happens to the line about every `mean_bytes`, the hub is killed `kills` times, and the node begins
    anew as often.
    """
    chance = random.Random(seed)
    outcome = Outcome(seed, segments)
    recorder = Recorder(root / "node", chance)
    hub = HubProcess(root / "hub", _NODE)
    await hub.start()
    try:
        with (root / "node.log").open("w") as stream:
            async with BadLine(hub.port, chance, mean_bytes) as line:
                node = OffloadingNode(recorder, f"http://127.0.0.1:{line.port}", Log(stream, SystemClock()))
                try:
                    async with asyncio.timeout(_DEADLINE_S):
                        await _match(node, hub, recorder, outcome, kills, chance)
                except TimeoutError:
                    left = recorder.ledger.count(*_WAITING)
                    outcome.broken.append(f"not done after {_DEADLINE_S:.0f} s: {left} segments wait")
                await node.stop()
                outcome.pauses, outcome.faults, outcome.bytes_sent = node.pauses, line.faults, line.passed
        await hub.end(signal.SIGKILL)
        await hub.start()
        await hub.sweep()
    finally:
        await hub.end(signal.SIGTERM)
        offers = [row.offer for row in recorder.ledger.segments() if row.offer]
        recorder.ledger.close()
    outcome.refusals = (root / "node.log").read_text().count("event=segment-refused")
    outcome.bytes_needed = sum(offer.video_bytes + offer.tracks_bytes for offer in offers)
    outcome.broken += broken_promises(root, offers, segments)
    return outcome


async def _match(
    node: OffloadingNode,
    hub: HubProcess,
    recorder: Recorder,
    outcome: Outcome,
    kills: int,
    chance: random.Random,
) -> None:
    """From the first segment until the last one is confirmed."""
    killing = sorted(chance.sample(range(1, outcome.segments), kills))
    leaving = sorted(chance.sample(range(1, outcome.segments), kills))
    closed = 0
    node.start()
    while closed < outcome.segments or await asyncio.to_thread(recorder.ledger.count, *_WAITING):
        if closed < outcome.segments and await asyncio.to_thread(recorder.ledger.count, *_WAITING) < _BACKLOG:
            await asyncio.to_thread(recorder.close_segment, closed)
            closed += 1
            if closed == outcome.segments:
                await asyncio.to_thread(recorder.ledger.finish_session, _SESSION)
            node.wake()
        if killing and closed > killing[0]:
            killing.pop(0)
            await hub.end(signal.SIGKILL)
            outcome.kills += 1
            await asyncio.sleep(chance.uniform(0, 0.5))
            await hub.start()
        if leaving and closed > leaving[0]:
            leaving.pop(0)
            await node.stop()
            outcome.restarts += 1
            node.start()
        await asyncio.sleep(0.02)


def broken_promises(root: Path, offers: list[SegmentOffer], segments: int) -> list[str]:
    """What is not as it must be at the end, in sentences."""
    return [
        *_ledgers_differ(root, offers, segments),
        *_files_differ(root, offers),
        *(f"left behind: {path.relative_to(root)}" for path in _left_behind(root)),
    ]


def _ledgers_differ(root: Path, offers: list[SegmentOffer], segments: int) -> Iterator[str]:
    with sqlite3.connect(root / "node" / NAME) as node:
        states = [state for (state,) in node.execute("select state from segments")]
    if states != [SegmentState.CONFIRMED] * segments:
        yield f"the node's ledger says {Counter(states)}"
    with sqlite3.connect(root / "hub" / "ledger.db") as ledger:
        ledger.row_factory = sqlite3.Row
        rows = {(row["session"], row["node"], row["sequence"]): row for row in ledger.execute("select * from segments")}
    if set(rows) != {(offer.key.session, offer.key.node, offer.key.sequence) for offer in offers}:
        yield f"the hub's ledger has {len(rows)} segments, not those {len(offers)}"
        return
    for offer in offers:
        row = rows[offer.key.session, offer.key.node, offer.key.sequence]
        wrong = [name for name in SegmentOffer.__struct_fields__ if name != "key" and row[name] != getattr(offer, name)]
        if wrong or row["confirmed_ns"] is None:
            yield f"segment {offer.key.sequence}: not confirmed, or other {', '.join(wrong)} than the node's"
    confirmed = Counter(
        line.partition("event=confirmed ")[2]
        for line in (root / "hub.log").read_text().splitlines()
        if "event=confirmed " in line
    )
    yield from (f"confirmed {count} times: {line}" for line, count in confirmed.items() if count > 1)


def _files_differ(root: Path, offers: list[SegmentOffer]) -> Iterator[str]:
    promised = {offer.key.path(".mp4"): offer.video_sha256 for offer in offers}
    promised |= {offer.key.path(".tracks"): offer.tracks_sha256 for offer in offers}
    for side in ("node", "hub"):
        folder = root / side / "segments"
        found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        yield from (f"the {side} has a stray file {name}" for name in found.keys() - promised.keys())
        for name, sha256 in promised.items():
            if name not in found or hashlib.sha256(found[name].read_bytes()).hexdigest() != sha256:
                yield f"{name} of the {side} is missing or differs"


def _left_behind(root: Path) -> list[Path]:
    uploads = root / "hub" / "uploads"
    # A kill in the middle of an upload's creation leaves an empty file or a side file without its name; the store
    # sweeps them when they are old enough to be nobody's work.
    crumbs = {path for path in uploads.iterdir() if path.name.endswith(".json.new") or not path.stat().st_size}
    unfinished = [path for path in (root / "node" / "open").rglob("*") if path.is_file()]
    return [path for path in (*unfinished, *uploads.glob("*.data"), *root.rglob("*.new")) if path not in crumbs]


def main() -> int:
    """Run one campaign per seed and print the table; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="offload_campaign", description="Segments over a bad line to a killed hub.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--segments", type=int, default=60, help="of 20 kB to 3 MB (%(default)s)")
    parser.add_argument("--kills", type=int, default=4, help="of the hub, and new beginnings of the node (%(default)s)")
    given = parser.parse_args()
    outcomes = []
    for seed in given.seeds:
        with tempfile.TemporaryDirectory(prefix="touchline-offload-") as folder:
            outcomes.append(asyncio.run(campaign(seed, given.segments, given.kills, Path(folder))))
    print_table(outcomes)
    return 1 if any(outcome.broken for outcome in outcomes) else 0


def print_table(outcomes: list[Outcome]) -> None:
    """One column per campaign."""
    rows: list[tuple[str, list[object]]] = [("seed", [o.seed for o in outcomes])]
    rows += [(f"  {fault}", [o.faults[fault] for o in outcomes]) for fault in Fault]
    rows += [
        ("  hub killed", [o.kills for o in outcomes]),
        ("  node begun anew", [o.restarts for o in outcomes]),
        ("faults", [o.faults.total() + o.kills + o.restarts for o in outcomes]),
        ("segments", [o.segments for o in outcomes]),
        ("pauses of the node", [o.pauses for o in outcomes]),
        ("  of single segments", [o.refusals for o in outcomes]),
        ("MB needed", [f"{o.bytes_needed / 1e6:.1f}" for o in outcomes]),
        ("MB sent", [f"{o.bytes_sent / 1e6:.1f}" for o in outcomes]),
        ("broken promises", [len(o.broken) for o in outcomes]),
    ]
    for name, values in rows:
        print(f"{name:32s}" + "".join(f"{value!s:>10}" for value in values))
    for outcome in outcomes:
        for sentence in outcome.broken:
            print(f"seed {outcome.seed}: {sentence}")


if __name__ == "__main__":
    sys.exit(main())
