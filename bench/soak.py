"""`python -m bench.soak`: a node records and looks for a long time, at the pace of a match, and hands its segments to a
hub; its memory is watched, and whether each segment is confirmed."""

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.lone_node import LoneNode, lone_node
from simulator.lens import Lens, listen
from simulator.match.engine import play
from simulator.match.truth import MatchTruth
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.rigs import TrueRig, virtual_rig
from wire.pitch import default_pitch
from wire.session import SegmentState

MOST_GROWTH_MB = 15.0
"""From the middle third of the time to the last one, medians: what changes while nothing leaks."""
LEAST_RECORDED = 0.99
"""Of the frames that the camera has for so many minutes: the rest is what start and end may cost, not a hole."""
MOST_BEHIND_S = 1.0
"""At the end: a hiccup is made up for, and a node that is too slow is later with every minute."""
LAST_CONFIRMED_S = 30.0
"""After the recording: the hub is on the same machine, and what waits longer was held up."""
_DRAWN = 75
"""Pictures that are drawn, and then shown to and fro."""
_SEED = 1
_CAMERA = 1


class PacedCamera(VirtualCamera):
    """Shows the first seconds of a match to and fro, each picture when it is due; `behind_s` is by how much the last
    one was too late for that."""

    def __init__(
        self,
        true_rig: TrueRig,
        index: int,
        truth: MatchTruth,
        seed: int,
        *,
        drawn: int = _DRAWN,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(true_rig, index, truth, seed)
        self.behind_s = 0.0
        self._rate = true_rig.frames_per_second
        self._drawn = [super(PacedCamera, self).frame(number / self._rate).copy() for number in range(drawn)]
        self._now_s, self._sleep = now_s, sleep
        self._zero_s: float | None = None

    def frame(self, time_s: float) -> npt.NDArray[np.uint8]:
        """The picture of this match time, as soon as that much time has passed since the first."""
        if self._zero_s is None:
            self._zero_s = self._now_s() - time_s
        self.behind_s = self._now_s() - self._zero_s - time_s
        if self.behind_s < 0:
            self._sleep(-self.behind_s)
        last = len(self._drawn) - 1
        turn = round(time_s * self._rate) % (2 * last)
        return self._drawn[min(turn, 2 * last - turn)]


@dataclass(frozen=True)
class HandOver:
    """How many segments a node has begun, how many of them are closed, and how many the hub has confirmed."""

    begun: int
    closed: int
    confirmed: int

    @classmethod
    async def of(cls, node: LoneNode) -> "HandOver":
        """As the node knows it: it counts as confirmed what the hub's receipt says."""
        states = Counter(row.state for row in await node.segments())
        begun = states.total()
        confirmed = states[SegmentState.CONFIRMED] + states[SegmentState.DELETED]
        return cls(begun, begun - states[SegmentState.OPEN], confirmed)


def main() -> int:
    """Soak a node and print its curve; 1 when its memory grows, it falls behind or misses frames, or a segment was not
    confirmed."""
    parser = argparse.ArgumentParser(
        prog="bench.soak", description="A node's memory and its hand-over to a hub, over a long recording."
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="touchline-soak-") as folder:
        return asyncio.run(_soak(Path(folder), given.minutes))


async def _soak(folder: Path, minutes: float) -> int:
    pitch = default_pitch(11)
    true_rig = virtual_rig("mast", pitch, _SEED)
    camera = PacedCamera(true_rig, _CAMERA, play(pitch, _DRAWN / true_rig.frames_per_second + 1, _SEED), _SEED)
    lens = Lens(true_rig, _CAMERA, camera, minutes * 60)
    with listen(folder / "lens.sock") as listener:
        threading.Thread(target=lambda: lens.serve(listener.accept()[0]), daemon=True).start()
        async with lone_node(f"virtual:{folder / 'lens.sock'}", folder, hub=True) as node:
            await node.record(start_ns=time.time_ns())
            return await _watch(node, camera, minutes, true_rig.frames_per_second)


async def _watch(
    node: LoneNode, camera: PacedCamera, minutes: float, rate: float, *, patience_s: float = LAST_CONFIRMED_S
) -> int:
    model = camera.camera
    print(f"A node that records and looks at {model.width_px} x {model.height_px} pixels for {minutes:g} minutes")
    print("  minute  resident MB  frames  behind s  closed  confirmed")
    began, line = time.monotonic(), 0
    while (status := await node.status()).recording:
        past = (time.monotonic() - began) / 60
        if past >= line * max(1.0, minutes / 20):
            line += 1
            handed = await HandOver.of(node)
            print(
                f"  {past:6.1f}  {_resident(node):11.0f}  {status.frames:6d}  {max(0.0, camera.behind_s):8.2f}"
                f"  {handed.closed:6d}  {handed.confirmed:9d}",
                flush=True,
            )
        await asyncio.sleep(0.5)
    cost = await node.cost()
    growth = node.running.growth_mb()
    handed = await _last_hand_over(node, patience_s)
    print(f"{cost.frames} frames; peak {cost.peak_memory_bytes / 1e6:.0f} MB; growth {growth:+.1f} MB")
    print(f"{handed.closed} segments closed, {handed.confirmed} confirmed by the hub")
    share = cost.frames / (minutes * 60 * rate)
    failings = list(_failings(status.fault, handed, growth_mb=growth, recorded=share, behind_s=camera.behind_s))
    for failing in failings:
        print(failing)
    return 1 if failings else 0


async def _last_hand_over(node: LoneNode, patience_s: float) -> HandOver:
    """Once every segment is confirmed, or has had its time for that."""
    until_s = time.monotonic() + patience_s
    while True:
        handed = await HandOver.of(node)
        if handed.confirmed == handed.begun or time.monotonic() >= until_s:
            return handed
        await asyncio.sleep(0.2)


def _failings(
    fault: str | None, handed: HandOver, *, growth_mb: float, recorded: float, behind_s: float
) -> Iterator[str]:
    """What was not good enough, in sentences; `recorded` is the share of the frames that there were."""
    if fault:
        yield f"The recording ended badly: {fault}"
    if growth_mb > MOST_GROWTH_MB:
        yield f"It grew by {growth_mb:.1f} MB, that is too much: no more than {MOST_GROWTH_MB:g} MB"
    if recorded < LEAST_RECORDED:
        yield f"It recorded {recorded:.1%} of the frames, that is too few: {LEAST_RECORDED:.0%} at least"
    if behind_s >= MOST_BEHIND_S:
        yield f"It ended {behind_s:.1f} s behind, that is too late: less than {MOST_BEHIND_S:g} s"
    if handed.confirmed < handed.begun:
        yield f"The hub has confirmed {handed.confirmed} of {handed.begun} segments, that is too few: all of them"


def _resident(node: LoneNode) -> float:
    return node.running.memory[-1][1]


if __name__ == "__main__":
    sys.exit(main())
