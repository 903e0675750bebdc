"""What a node does beside its encoder and its network's passes, and whether its eyes' memory stays flat:
`python -m bench.eyes`."""

import argparse
import asyncio
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import cv2
import numpy as np
from onnxruntime import InferenceSession

from bench.keeping import keeping
from edge.capture.file import FileCamera
from edge.capture.picamera.planes import tight
from edge.capture.pictures import Pictures
from edge.detect.picture import Plane, planes_of
from edge.encode.libav import LibavCoder
from edge.frame import Frame, detect_factor
from edge.memory import keep_flat
from edge.track.eyes import open_eyes
from simulator.match.engine import play
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch

T = TypeVar("T")

MOST_SHARE = 0.25
"""Of the encoder's CPU time, for everything but the passes: the promise."""
WARM_S = 14.0
"""Until then the background is still gathered, which costs less than to keep it."""
SEGMENT_FRAMES = 50
PASSES_PER_SECOND = 4.0
MEMORY_FRAMES = 20_000
MOST_GROWTH = 8_000_000
"""Bytes by which a process may grow from a quarter of the way on: what the allocator's pools sway by."""
SMALL = (320, 180)
LITTLE = (640, 360)
STRIDE = 128
"""To so many bytes picamera2 pads the rows of a picture."""


@dataclass(frozen=True)
class Source:
    """Pictures (I420 planes) of one camera, their size and rate."""

    name: str
    width: int
    height: int
    rate: float
    pictures: Iterator[Plane]


@dataclass(frozen=True)
class EyesCost:
    """CPU seconds over so many frames: of x264 superfast, of the network's passes, of copying pictures out of the
    camera's memory, of everything else the eyes do until a segment's rows are there, the picture for a pass and what
    becomes of its answer among it, of keeping video and rows (the MP4, `.tracks`, checksums, disk and ledger), and of
    the node's side of handing them over: offers, files and checksums to the hub, its receipts into the ledger."""

    frames: int
    encode_s: float
    passes_s: float
    take_s: float
    look_s: float
    keep_s: float
    hand_over_s: float

    @property
    def share(self) -> float:
        """What everything but the passes costs, of what the encoder costs."""
        return (self.take_s + self.look_s + self.keep_s + self.hand_over_s) / self.encode_s

    @property
    def good_enough(self) -> bool:
        """Whether the promise is kept."""
        return self.share <= MOST_SHARE

    @property
    def line(self) -> str:
        """What was measured, in one line."""
        seconds = (self.encode_s, self.passes_s, self.take_s, self.look_s, self.keep_s, self.hand_over_s)
        encode, passes, take, look, keep, hand_over = (1000 * s / self.frames for s in seconds)
        return (
            f"per frame x264 superfast {encode:.2f} ms, taking it from the camera {take:.2f} ms, the eyes without "
            f"their passes {look:.2f} ms, keeping it {keep:.2f} ms, handing it over {hand_over:.2f} ms "
            f"({self.share:.2f} of it), passes {passes:.2f} ms (CPU, {PASSES_PER_SECOND:g} a second)"
        )


def measured_cost(source: Source, seconds: float, shrunk: bool) -> EyesCost:
    """Eyes, encoder, disk and offload on the same pictures, segment by segment one after the other: on a node each has
    a core, and its caches, for itself. With `shrunk`, each picture comes with the small copy that a camera's ISP makes
    of it, outside of what is measured."""
    clock = _Clock()
    with patch.object(InferenceSession, "run", clock.inside("passes", InferenceSession.run)):
        return asyncio.run(_measured_cost(source, seconds, shrunk, clock))


async def _measured_cost(source: Source, seconds: float, shrunk: bool, clock: "_Clock") -> EyesCost:
    cv2.setNumThreads(1)
    sizes = (source.width, source.height), small_size(source.width, source.height)
    blanks = [Pictures(*size).blank for size in sizes]
    coder = LibavCoder("h264", source.width, source.height, source.rate)
    eyes = open_eyes("onnx", PASSES_PER_SECOND, source.width, source.height, source.rate)
    warm, measured = (math.ceil(s * source.rate / SEGMENT_FRAMES) for s in (WARM_S, seconds))
    counted = 0
    async with keeping(source.width, source.height, source.rate) as keeper:
        for segment in range(warm + measured):
            if segment == warm:
                clock.spent.clear()
                counted = 0
            frames = []
            for number, planes in enumerate(islice(source.pictures, SEGMENT_FRAMES), segment * SEGMENT_FRAMES):
                streams = [padded(planes), padded(small_copy(planes))] if shrunk else [padded(planes)]
                with clock.spending("take"):
                    copies = [tight(stream, blank()) for stream, blank in zip(streams, blanks, strict=False)]
                frames.append(Frame(copies[0], round(number / source.rate * 1e9), number, *copies[1:]))
            counted += len(frames)
            with clock.spending("encode"):
                packets = [packet for frame in frames for packet in coder.encode(frame, key=frame is frames[0])]
            with clock.spending("look"):
                for frame in frames:
                    eyes.look(frame)
                sight = eyes.close_segment(segment)
            with clock.spending("keep"):
                keeper.keep(segment, packets, [frame.time_ns for frame in frames], sight)
            # Its files are read and hashed by other threads of this process, and nothing else runs meanwhile.
            with clock.spending("hand_over", time.process_time):
                await keeper.hand_over()
    parts = ("encode", "passes", "take", "look", "keep", "hand_over")
    return EyesCost(counted, *(clock.spent[part] for part in parts))


def padded(i420: Plane) -> Plane:
    """The picture as it is in the camera's memory (height * 3 // 2, stride), for `tight`."""
    rows, width = i420.shape
    height, stride = rows * 2 // 3, -(-width // STRIDE) * STRIDE
    memory = np.zeros((rows, stride), np.uint8)
    memory[:height, :width] = i420[:height]
    memory[height:].reshape(height, stride // 2)[:, : width // 2] = i420[height:].reshape(height, width // 2)
    return memory


def simulated(width: int, height: int, seed: int, seconds: float) -> Source:
    """The middle camera of a mast over a match."""
    pitch = default_pitch(11)
    true_rig, truth = virtual_rig("mast", pitch, seed, width, height), play(pitch, WARM_S + seconds, seed)
    rate, lens = truth.frames_per_second, VirtualCamera(true_rig, 1, truth, seed)
    pictures = (lens.frame(number / rate).copy() for number in range(truth.frames))
    return Source(f"{width} x {height} simulated", width, height, rate, pictures)


def recorded(path: Path) -> Source:
    """A recorded clip, over and over again."""

    def pictures() -> Iterator[Plane]:
        while True:
            with FileCamera(path, 0) as camera:
                yield from (frame.planes for frame in camera)

    with FileCamera(path, 0) as camera:
        name = f"{camera.width} x {camera.height} {path.name}"
        return Source(name, camera.width, camera.height, camera.frames_per_second, pictures())


def small_copy(i420: Plane) -> Plane:
    """What an ISP's second output shows beside this picture."""
    width, height = small_size(i420.shape[1], i420.shape[0] * 2 // 3)
    small = np.empty((height * 3 // 2, width), np.uint8)
    for plane, part in zip(planes_of(i420), planes_of(small), strict=True):
        cv2.resize(plane, part.shape[::-1], dst=part, interpolation=cv2.INTER_AREA)
    return small


def small_size(width: int, height: int) -> tuple[int, int]:
    """Of what an ISP's second output shows beside a picture of this size."""
    factor = detect_factor(width)
    return width // factor // 2 * 2, height // factor // 2 * 2


class _Clock:
    """CPU seconds by name; what is spent inside another name counts for the inner one only."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._inner = 0.0

    @contextmanager
    def spending(self, name: str, cpu_s: Callable[[], float] = time.thread_time) -> Iterator[None]:
        """Book the block's time, this thread's by default."""
        outer, self._inner = self._inner, 0.0
        began = cpu_s()
        yield
        took = cpu_s() - began
        self.spent[name] += took - self._inner
        self._inner = outer + took

    def inside(self, name: str, work: Callable[..., T]) -> Callable[..., T]:
        """The same work, booked."""

        def booked(*given: object) -> T:
            with self.spending(name):
                return work(*given)

        return booked


def walkers(frames: int) -> Iterator[Frame]:
    """Small pictures in which a dozen people and a ball never come to rest, and come and go."""
    width, height = SMALL
    random = np.random.default_rng(1)
    grass = random.integers(90, 110, (height * 3 // 2, width), np.uint8)
    grass[height:] = 120
    speed = random.uniform(-2.5, 2.5, 12)
    foot = np.linspace(60, height - 4, 12).astype(int)
    for number in range(frames):
        planes = grass.copy()
        for x, y in zip(((speed * number + 25 * np.arange(12)) % (width + 60) - 30).astype(int), foot, strict=True):
            tall = max(8, y // 5)
            planes[max(0, y - tall) : y, max(0, x) : max(0, x + tall // 3)] = 40
        x, y = int(5 * number % width), 80 + int(30 * np.sin(number / 9))
        planes[y : y + 3, x : x + 3] = 235
        yield Frame(planes, number * 40_000_000, number)


def match_day(frames: int, drawn: int = 100) -> Iterator[Frame]:
    """The first seconds of a small camera's match, to and fro: people whom the network finds."""
    pictures = list(islice(simulated(*LITTLE, 1, drawn / 25.0).pictures, drawn))
    for number in range(frames):
        turn = number % (2 * drawn - 2)
        yield Frame(pictures[min(turn, 2 * drawn - 2 - turn)], number * 40_000_000, number)


def memory_curve(detector: str, pictures: Iterator[Frame], frames: int, points: int = 20) -> list[int]:
    """Resident bytes of this process at so many moments of a session of true eyes that see so many frames."""
    first = next(pictures)
    height, width = first.planes.shape
    eyes = open_eyes(detector, 1.0, width, height * 2 // 3, 25.0)
    curve = []
    for frame in chain([first], pictures):
        eyes.look(frame)
        if frame.index % SEGMENT_FRAMES == SEGMENT_FRAMES - 1:
            eyes.close_segment(frame.index // SEGMENT_FRAMES)
        if (frame.index + 1) % (frames // points) == 0:
            curve.append(resident_bytes())
    return curve


def flat(curve: Sequence[int]) -> bool:
    """Whether the process did not grow any more from a quarter of the way on."""
    settled = curve[len(curve) // 4 :]
    return max(settled) - settled[0] <= MOST_GROWTH


def resident_bytes(status: Path = Path("/proc/self/status")) -> int:
    """The process's resident size now."""
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both; 1 when one of the promises is not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.eyes", description=__doc__.partition(":")[0])
    parser.add_argument("--size", type=int, nargs=2, default=[1920, 1080], metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the comparison (%(default)g)")
    parser.add_argument("--seed", type=int, default=201)
    parser.add_argument("--footage", type=Path, nargs="+", help="instead of a simulated match: recorded clips")
    parser.add_argument("--frames", type=int, default=MEMORY_FRAMES, help="of the memory's curve (%(default)d)")
    given = parser.parse_args(arguments)
    # As every node does.
    keep_flat()
    kept = True
    for detector, pictures in (("motion", walkers), ("onnx", match_day)):
        curve = memory_curve(detector, pictures(given.frames), given.frames)
        print(
            f"Memory over {given.frames} frames of {detector}, MB: {' '.join(f'{s / 1e6:.0f}' for s in curve)}",
            flush=True,
        )
        if not flat(curve):
            print(f"That grows: from a quarter on it may sway by {MOST_GROWTH / 1e6:g} MB")
            kept = False
    for open_source in (
        [partial(recorded, path) for path in given.footage]
        if given.footage
        else [partial(simulated, *given.size, given.seed, given.seconds)]
    ):
        for shrunk, how in ((False, "shrunk by the node"), (True, "with the ISP's small copy")):
            source = open_source()
            cost = measured_cost(source, given.seconds, shrunk)
            print(f"{source.name}, {how}: {cost.line}", flush=True)
        # A node that records has the ISP's copy.
        if not cost.good_enough:
            print(f"That is too much: it may be {MOST_SHARE:g} of the encoder's")
            kept = False
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
