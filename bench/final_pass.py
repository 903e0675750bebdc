"""The hub's pass over a whole match, alone in a process: `python -m bench.final_pass DATA [SPELL_S OVERLAP_S]`.

DATA is a hub's folder of one session whose panorama is made. Prints one JSON object: per stage of the pass its CPU
seconds and the most memory that was resident meanwhile, in MB. SPELL_S and OVERLAP_S are for a short match that shall
have as many spells as a long one.
"""

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from firmware.clock import SystemClock
from firmware.log import Log
from hub import spells
from hub.ingest.shelf import SUFFIXES
from hub.panorama.conveyor import CostBook
from hub.panorama.footage import StoredSegment
from hub.panorama.timeline import Arrivals
from hub.pipeline import Pipeline
from hub.sessions import Sessions
from wire.ids import NodeId, SessionId
from wire.session import SegmentKey

T = TypeVar("T")
PANORAMA_WIDTH = 640
"""Of the panorama, which is none of this pass's work but makes the clips."""
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


class FolderShelf:
    """The segments of one ended session below `root`, as a hub's shelf holds them, without a ledger."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def held(self, session: SessionId, node: NodeId) -> frozenset[int]:
        """Sequence numbers of the confirmed segments."""
        return frozenset(int(path.stem) for path in (self._root / session / node).glob("*.tracks"))

    def stored(self, session: SessionId, node: NodeId, sequence: int) -> StoredSegment | None:
        """The files of a segment, None when it is not held."""
        key = SegmentKey(session, node, sequence)
        video, tracks = (self._root / key.path(SUFFIXES[part]) for part in ("video", "tracks"))
        return StoredSegment(sequence, video, tracks) if tracks.exists() else None

    def settled(self, _session: SessionId, _node: NodeId, _sequence: int) -> bool:
        """The session has ended: whatever is not there will never come."""
        return True

    def last(self, session: SessionId, node: NodeId) -> int | None:
        """The sequence number of the node's final segment."""
        return max(self.held(session, node), default=-1)

    def end_ns(self, session: SessionId, node: NodeId) -> int:
        """Nobody asks once the panorama is made."""
        raise NotImplementedError


class PeakBook(CostBook):
    """Notes for each stage also the most memory that was resident meanwhile, MB."""

    def __init__(self) -> None:
        super().__init__()
        self.peak_mb: dict[str, float] = {}

    def measured(self, stage: str, work: Callable[[], T], items: int = 1, waited: Callable[[], float] = float) -> T:
        """Do `work` and note its cost."""
        # proc(5): 5 sets the high-water mark back to what is resident now.
        with contextlib.suppress(OSError):
            _RESET.write_text("5")
        try:
            return super().measured(stage, work, items, waited)
        finally:
            self.peak_mb[stage] = max(self.peak_mb.get(stage, 0.0), memory_mb("VmHWM"))


def memory_mb(name: str) -> float:
    """This process's `VmRSS` or `VmHWM` by the kernel's account."""
    row = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(row.split()[1]) * 1024 / 1e6


def main(data: Path) -> dict[str, dict[str, float]]:
    """Take the session below `data` to its package; per stage `cpu_s` and `peak_mb`."""
    books: list[PeakBook] = []

    def book() -> PeakBook:
        books.append(PeakBook())
        return books[-1]

    sessions = Sessions(data / "sessions")
    [session] = sessions.known()
    before = memory_mb("VmRSS")
    with (data / "hub.log").open("w") as out:
        log, shelf = Log(out, SystemClock()), FolderShelf(data / "segments")
        Pipeline(sessions, shelf, Arrivals(), False, PANORAMA_WIDTH, log, book).run(session)
    [costs] = books
    stages = {
        stage: {"cpu_s": cost.cpu_s, "peak_mb": costs.peak_mb[stage]}
        for stage, cost in costs.snapshot().items()
        if stage in costs.peak_mb
    }
    return {"before": {"cpu_s": 0.0, "peak_mb": before}, **stages}


if __name__ == "__main__":
    if len(sys.argv) > 2:
        spells.SPELL_S, spells.OVERLAP_S = int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(main(Path(sys.argv[1]))))
