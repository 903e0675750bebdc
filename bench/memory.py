"""How much memory one node takes at its peak, against the bare codecs on the same frames."""

import asyncio
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import av
import cv2
import numpy as np

from edge.cli import TOKEN_VARIABLE
from edge.cost import NodeCost
from hub.nodes import Node, RigNodes
from simulator.demo.portal import answers
from simulator.demo.processes import Processes, command, free_ports
from simulator.errors import ProcessFailed
from wire.ids import session_id
from wire.message import decode
from wire.session import StartRecording

WIDTH, HEIGHT, RATE, FRAMES = 3072, 1728, 10, 30
"""HEVC pictures as large as the recorded clip's; more than one segment, for the next one's encoder comes then."""
MOST_BYTES = 500_000_000
"""What a node may take: the promise of the demo."""
HOST = "127.0.0.1"


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
    token = secrets.token_urlsafe(24)
    [port] = free_ports(HOST, 1)
    url = f"http://{HOST}:{port}"
    # Nobody listens on the discard port: what is recorded stays where it is.
    told = ["--node", "bench", "--camera", f"file:{video}", "--data", str(folder / "node"), "--hub", f"http://{HOST}:9"]
    # How hot this machine is has nothing to do with it.
    told += ["--health", "disabled"]
    headers = {"Authorization": f"Bearer {token}"}
    async with Processes(folder / "logs") as processes, aiohttp.ClientSession(headers=headers) as http:
        serve = [command("touchline-edge"), "serve", *told, "--host", HOST, "--port", str(port)]
        await processes.start("node", serve, {TOKEN_VARIABLE: token})
        await answers(http, f"{url}/api/v1/status", processes)
        rig = RigNodes(http, [Node("bench", url)], token)
        await rig.start(StartRecording(session=session_id("bench"), start_ns=0))
        while (await rig.status(rig.nodes[0])).recording:
            processes.check()
            await asyncio.sleep(0.1)
        async with http.get(f"{url}/api/v1/cost") as answer:
            cost = decode(await answer.read(), NodeCost)
    if cost.frames != FRAMES:
        raise ProcessFailed(f"the node recorded {cost.frames} of {FRAMES} frames")
    return cost.peak_memory_bytes
