"""What stitching costs against `cv2.remap` alone, and ffmpeg's remap filter: `python -m bench.kernels`."""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cv2
import imageio_ffmpeg
import msgspec
import numpy as np
import numpy.typing as npt

from bench.conveyor import cpu_of
from hub.picture import Picture
from hub.stitch import StitchPlan, plan_panorama
from hub.stitch.kernels.cpu import CpuKernel
from hub.stitch.kernels.gpu import GpuKernel, GpuUnavailable, Stages
from hub.stitch.kernels.loops import VARIANTS, can_run
from hub.stitch.kernels.reference import ReferenceKernel
from simulator.pictures.rigs import RigKind, virtual_rig
from wire.pitch import Pitch
from wire.rig import Photometry

MOST_SHARE = 0.50
"""Of the time that `cv2.remap` takes with fixed-point maps: the promise for the compiled kernel."""
PEER = "cv2.remap, fixed-point maps"

MOST_OF_FILTER = 0.20
"""Of the CPU time that ffmpeg's remap filter takes for the same columns, which reads the nearest pixel."""
_FILTERED = (10, 40)
"""Panoramas of a short and of a long run of the filter: what a run takes to start is taken off."""

_ONE_THREAD = ("-v", "error", "-nostdin", "-threads", "1", "-filter_threads", "1", "-filter_complex_threads", "1")

Map = npt.NDArray[np.float32]


def main() -> int:
    """Print the ratios; the exit status is 1 when the compiled kernel takes more than its share."""
    parser = argparse.ArgumentParser(prog="bench.kernels", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--rig", choices=["mast", "sideline"], default="mast")
    parser.add_argument("--camera", type=int, nargs=2, default=[2304, 1296], metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--width", type=int, default=4640, help="of the panorama (default 4640)")
    given = parser.parse_args()
    plan = _plan(given.rig, given.camera[0], given.camera[1], given.width)
    frames = [_picture(*given.camera, seed) for seed in range(len(plan.rig.cameras))]
    into = Picture.empty(plan.view.width_px, plan.view.height_px)
    print(
        f"{len(frames)} x {given.camera[0]}x{given.camera[1]} ({given.rig}) to "
        f"{plan.view.width_px}x{plan.view.height_px}, one thread, {given.rounds} rounds in turn"
    )
    # One thread for everybody.
    cv2.setNumThreads(1)
    works: dict[str, Callable[[], None]] = {
        PEER: remapping(plan, frames, fixed=True),
        "cv2.remap, float maps": remapping(plan, frames, fixed=False),
        "reference": partial(ReferenceKernel(plan).stitch, frames, into),
    }
    for nth, name in enumerate(VARIANTS):
        if can_run(nth):
            works[f"cpu, {name}"] = partial(CpuKernel(plan, name).stitch, frames, into)
    times = in_turn(works, given.rounds)
    print(f"{'':30}{'ms, least':>10}{'median':>8}{'of the peer, least':>20}{'median':>8}")
    for name, taken in times.items():
        shares = [of(taken) / of(times[PEER]) for of in (min, statistics.median)]
        print(
            f"{name:30}{min(taken) * 1e3:10.1f}{statistics.median(taken) * 1e3:8.1f}{shares[0]:20.3f}{shares[1]:8.3f}"
        )
    _print_gpu(plan, frames, into, given.rounds)
    ours = statistics.median(times[list(works)[-1]])
    missed = 0
    for what, taken, most in (
        (PEER, statistics.median(times[PEER]), MOST_SHARE),
        ("ffmpeg's remap filter", filtering_s(plan, frames), MOST_OF_FILTER),
    ):
        missed += ours / taken > most
        print(f"{'PASS' if ours / taken <= most else 'SHORT'}: {ours / taken:.2f} of {what}, at most {most:.2f}")
    return int(missed > 0)


def _print_gpu(plan: StitchPlan, frames: list[Picture], into: Picture, rounds: int) -> None:
    """Seconds on the clock, which is all that counts there: step by step, and with three panoramas under way."""
    try:
        gpu = GpuKernel(plan, software=True)
    except GpuUnavailable as why:
        print(f"gpu: {why}")
        return
    gpu.stitch(frames, into)
    stages = [statistics.median(each) for each in zip(*(gpu.stages(frames, into) for _ in range(rounds)), strict=True)]
    began = time.perf_counter()
    for nth in range(rounds):
        gpu.submit(frames, into)
        if nth >= 2:
            gpu.collect()
    gpu.stitch(frames, into)
    rate = (rounds + 1) / (time.perf_counter() - began)
    named = ", ".join(f"{name[:-2]} {taken * 1e3:.1f} ms" for name, taken in zip(Stages._fields, stages, strict=True))
    print(f"gpu ({gpu.adapter}): {named}; {rate:.1f} panoramas a second with three under way")


def in_turn(works: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each work, all of them once in every round, after one that does not count."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for nth in range(rounds + 1):
        for name, work in works.items():
            began = time.thread_time()
            work()
            if nth:
                times[name].append(time.thread_time() - began)
    return times


def filtering_s(plan: StitchPlan, frames: list[Picture]) -> float:
    """CPU seconds that ffmpeg's remap filter takes to warp all cameras, each over the columns that it shows, from raw
    frames to nowhere."""
    total = 0.0
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        folder = Path(name)
        for frame, luma, (left, right) in zip(frames, plan.luma, _shown(plan), strict=True):
            size = (frame.width_px, frame.height_px)
            (folder / "frame.yuv").write_bytes(b"".join(plane.tobytes() for plane in frame))
            for axis, places, most in zip("xy", luma.maps(left, right, plan.view.height_px), size, strict=False):
                nearest = np.floor(places)
                inside = (nearest >= 0) & (nearest < most)
                cv2.imwrite(str(folder / f"{axis}.pgm"), np.where(inside, nearest, 65535).astype(np.uint16))
            raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-stream_loop", "-1"]
            maps = ["-i", str(folder / "x.pgm"), "-i", str(folder / "y.pgm")]
            words = [
                imageio_ffmpeg.get_ffmpeg_exe(),
                *_ONE_THREAD,
                *raw,
                "-i",
                str(folder / "frame.yuv"),
                *maps,
                "-lavfi",
                "remap",
            ]
            short, long = (cpu_of([*words, "-frames:v", str(count), "-f", "null", "-"])[0] for count in _FILTERED)
            total += (long - short) / (_FILTERED[1] - _FILTERED[0])
    return total


def _shown(plan: StitchPlan) -> list[tuple[int, int]]:
    """Of each camera the first column that it shows, and the one behind its last."""
    width = plan.view.width_px
    ends = [(seam.column - seam.feather / 2, seam.column + seam.feather / 2) for seam in plan.seams()]
    lefts = [0, *(int(low) // 2 * 2 for low, _ in ends)]
    return list(zip(lefts, [*(min(int(high) // 2 * 2 + 2, width) for _, high in ends), width], strict=True))


def remapping(plan: StitchPlan, frames: list[Picture], *, fixed: bool) -> Callable[[], None]:
    """Warps the planes of all cameras, each over the columns that it shows, and does nothing else."""
    height = plan.view.height_px
    jobs = []
    for frame, luma, chroma, (left, right) in zip(frames, plan.luma, plan.chroma, _shown(plan), strict=True):
        wide = _maps(luma.maps(left, right, height), fixed)
        half = _maps(chroma.maps(left // 2, right // 2, height // 2), fixed)
        for plane, maps, dark in zip(frame, (wide, half, half), (24, 128, 128), strict=True):
            jobs.append((plane, maps, dark, np.empty(maps[0].shape[:2], np.uint8)))

    def work() -> None:
        for plane, maps, dark, out in jobs:
            cv2.remap(plane, *maps, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_CONSTANT, borderValue=dark)

    return work


def _maps(maps: Iterable[Map], fixed: bool) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    x, y, _ = (values - np.float32(0.5) for values in maps)
    return cv2.convertMaps(x, y, cv2.CV_16SC2) if fixed else (x, y)


def _plan(kind: RigKind, width: int, height: int, panorama: int) -> StitchPlan:
    """A rig whose cameras differ in light, so that everything is to be done that a kernel does."""
    rig = virtual_rig(kind, Pitch(), 3, width, height).rig
    lit = [
        msgspec.structs.replace(camera, photometry=Photometry(gain, (-0.12, -0.04)))
        for camera, gain in zip(rig.cameras, ((1.05, 1.0, 0.95), (1.0, 1.01, 0.99), (0.95, 0.99, 1.04)), strict=True)
    ]
    return plan_panorama(msgspec.structs.replace(rig, cameras=tuple(lit)), panorama)


def _picture(width: int, height: int, seed: int) -> Picture:
    random = np.random.default_rng(seed)
    half = (height // 2, width // 2)
    return Picture(*(random.integers(16, 235, shape, np.uint8) for shape in ((height, width), half, half)))


if __name__ == "__main__":
    sys.exit(main())
