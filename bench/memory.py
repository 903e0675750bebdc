"""How much memory one node takes at its peak, against the bare codecs on the same frames."""

import asyncio
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from bench.lone_node import lone_node
from simulator.errors import ProcessFailed

WIDTH, HEIGHT, RATE, FRAMES = 3072, 1728, 10, 30
"""HEVC pictures as large as the recorded clip's; more than one segment, for the next one's encoder comes then."""
MOST_BYTES = 500_000_000
"""What a node may take: the promise of the demo."""


@dataclass(frozen=True)
class Peak:
    """Bytes resident at the peak of a node's process, and of one that only decodes and encodes."""

    node: int
    floor: int

    @property
    def good_enough(self) -> bool:
        """Whether the node keeps its promise."""
        return self.node < MOST_BYTES

    @property
    def line(self) -> str:
        """What was measured, in one line."""
        return (
            f"Peak memory of a node on {WIDTH} x {HEIGHT} HEVC: {self.node / 1e6:.0f} MB, "
            f"{self.node / self.floor:.2f} times that of its decoder and x264 alone ({self.floor / 1e6:.0f} MB)"
        )


def measured_peak() -> Peak:
    """The peaks on frames made for this purpose; raises `ProcessFailed` when the node does not record them all."""
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        video = Path(folder) / "frames.mp4"
        write_frames(video)
        floor = subprocess.run([sys.executable, "-m", "bench.floor", video], capture_output=True, text=True, check=True)
        return Peak(asyncio.run(_node_peak(video, Path(folder))), int(floor.stdout))


def write_frames(path: Path) -> None:
    """Dark figures that walk over noisy grass."""
    random = np.random.default_rng(1)
    grass = random.integers(90, 120, (HEIGHT, WIDTH, 3), np.uint8)
    place = random.uniform((0, 400), (WIDTH, HEIGHT), (22, 2))
    speed = random.uniform(-12, 12, (22, 2))
    with av.open(str(path), "w") as container:
        quick = {"preset": "ultrafast", "x265-params": "log-level=none"}
        stream = container.add_stream("libx265", rate=RATE, options=quick)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            picture = grass.copy()
            for x, y in (place + number * speed).astype(int).tolist():
                cv2.ellipse(picture, (x, y), (20, 60), 0, 0, 360, (40, 30, 60), -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


async def _node_peak(video: Path, folder: Path) -> int:
    async with lone_node(f"file:{video}", folder) as node:
        await node.record(start_ns=0)
        cost = await node.recorded()
    if cost.frames != FRAMES:
        raise ProcessFailed(f"the node recorded {cost.frames} of {FRAMES} frames")
    return cost.peak_memory_bytes
