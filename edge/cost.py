"""What a node's work costs: CPU time per stage, bytes, memory."""

import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

from wire.ids import NodeId
from wire.message import Message


class NodeCost(Message, frozen=True, kw_only=True):
    """A node's cost since its process began.

    `cpu_s` has the CPU seconds of each stage's own thread (`capture`, `encode`, `look`, `place`, `close`, and `serve`,
    which is offload and API), `wall_s` how long each was at work, waiting for its neighbours left out; `process_cpu_s`
    is the whole process, threads inside libraries included. `peak_memory_bytes` is the largest resident size, `passes`
    how often a detector's network was asked.
    """

    KIND = "node-cost"
    VERSION = 1

    node: NodeId
    cpu_s: dict[str, float]
    wall_s: dict[str, float]
    process_cpu_s: float
    peak_memory_bytes: int
    frames: int
    segments: int
    detections: int
    video_bytes: int
    tracks_bytes: int
    bytes_sent: int
    passes: int = 0


class StageMeter:
    """Adds up one thread's CPU time; made and read in the thread it measures."""

    def __init__(self, cost: "Cost", stage: str) -> None:
        self._cost = cost
        self._stage = stage
        self._last = time.thread_time()
        self._began = time.perf_counter()

    def begin(self) -> None:
        """A piece of work begins: what passed since the last reading was waiting."""
        self._began = time.perf_counter()

    def read(self) -> None:
        """Book the CPU time since the last reading, and the wall time since the work began."""
        cpu, wall = time.thread_time(), time.perf_counter()
        self._cost.spend(self._stage, cpu - self._last, wall - self._began)
        self._last, self._began = cpu, wall


class Cost:
    """The running totals of one node, fed by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cpu_s: defaultdict[str, float] = defaultdict(float)
        self._wall_s: defaultdict[str, float] = defaultdict(float)
        self._counts: Counter[str] = Counter()

    def meter(self, stage: str) -> StageMeter:
        """A meter for the calling thread, which does the work of `stage`."""
        return StageMeter(self, stage)

    def spend(self, stage: str, cpu_s: float, wall_s: float) -> None:
        """Book CPU and wall seconds of a stage."""
        with self._lock:
            self._cpu_s[stage] += cpu_s
            self._wall_s[stage] += wall_s

    def count(self, **amounts: int) -> None:
        """Book frames, segments, detections or bytes, by the names of `NodeCost`."""
        with self._lock:
            self._counts.update(amounts)

    def report(self, node: NodeId) -> NodeCost:
        """The totals so far."""
        with self._lock:
            return NodeCost(
                node=node,
                cpu_s={stage: round(cpu, 4) for stage, cpu in sorted(self._cpu_s.items())},
                wall_s={stage: round(wall, 4) for stage, wall in sorted(self._wall_s.items())},
                process_cpu_s=round(time.process_time(), 4),
                peak_memory_bytes=peak_memory_bytes(),
                frames=self._counts["frames"],
                segments=self._counts["segments"],
                detections=self._counts["detections"],
                video_bytes=self._counts["video_bytes"],
                tracks_bytes=self._counts["tracks_bytes"],
                bytes_sent=self._counts["bytes_sent"],
                passes=self._counts["passes"],
            )


def peak_memory_bytes(status: Path = Path("/proc/self/status")) -> int:
    """The process's largest resident size so far.

    From `VmHWM`: `getrusage` would carry over the peak of the process that started this one.
    """
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
