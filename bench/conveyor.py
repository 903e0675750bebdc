"""What a panorama costs from three recordings to one coded video, beside what people build of ffmpeg: `python -m
bench.conveyor`.

Decode, stitch, code with x264 ultrafast: ours in one process; ffmpeg's command line with its `remap` filter, which
reads the nearest pixel and evens out no light; OpenCV between ffmpeg processes with pipes of raw BGR, `cv2.remap` with
fixed-point maps and blended seams; and our stitcher between ffmpeg processes with pipes of raw YUV 4:2:0, to see what
the pipes alone cost. All make the same panorama of the same files, one after the other in turn; ffmpeg has as many
threads as it likes. CPU time is that of all processes; what a run takes to start, and for its plan, is taken off by a
short run, since a match is long.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, NamedTuple

import av
import cv2
import imageio_ffmpeg
import msgspec
import numpy as np
import numpy.typing as npt

from bench.eyes import flat, resident_bytes
from hub.panorama.conveyor import CostBook
from hub.panorama.encoder import software
from hub.panorama.making import Conveyor
from hub.panorama.recordings import Recordings
from hub.panorama.vision import VisionControl
from hub.picture import Picture
from hub.stitch import Stitcher, StitchPlan, plan_panorama
from simulator.match.engine import play
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.rigs import virtual_rig
from wire.message import decode, encode
from wire.pitch import default_pitch
from wire.rig import Rig

MOST_OF = {"filters": 0.45, "opencv": 0.55}
"""What ours may cost of an ffmpeg command line with the remap filter, and of OpenCV with pipes."""
WORKS = ("ours", *MOST_OF, "pipes")
PRESET = "ultrafast"
_RATE = 25
SHORT = 6
"""The short run has so many times fewer frames."""
_DRAWN = 60
_SMALL = (640, 360)
_SEED = 5
_CODING = ("-c:v", "libx264", "-preset", PRESET, "-crf", "23", "-bf", "0", "-g", "50")


class Footage(NamedTuple):
    """Recordings of a simulated mast's cameras, and the rig's true calibration."""

    rig: Rig
    videos: tuple[Path, ...]


def main() -> int:
    """Print the ratios and where the time goes; the exit status is 1 when ours takes more than its share, or its memory
    grows with `--memory`."""
    parser = argparse.ArgumentParser(prog="bench.conveyor", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=240, help="of each recording (default 240)")
    parser.add_argument("--camera", type=int, nargs=2, default=[2304, 1296], metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--width", type=int, default=4096, help="widest panorama (default 4096)")
    parser.add_argument("--memory", type=int, metavar="FRAMES", help="instead: memory over so many small frames")
    parser.add_argument("--work", choices=WORKS, help=argparse.SUPPRESS)
    parser.add_argument("--footage", type=Path, help="a folder that keeps the recordings for the next run")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        kept = given.footage or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="touchline-bench-")))
        if given.memory:
            return _memory(kept, given.memory)
        footage = recorded(kept, tuple(given.camera), given.frames)
        if given.work:
            print(json.dumps(globals()[f"run_{given.work}"](footage, given.width, kept)))
            return 0
        return _compare(kept, given.rounds, given.frames, tuple(given.camera), given.width)


def _compare(kept: Path, rounds: int, frames: int, camera: tuple[int, int], width: int) -> int:
    spent: dict[str, list[float]] = {work: [] for work in WORKS}
    stages: dict[str, dict[str, float]] = {}
    short = frames // SHORT
    for _ in range(rounds):
        for work in WORKS:
            (long_s, said), (short_s, before) = (_run(kept, work, count, camera, width) for count in (frames, short))
            spent[work].append(1e3 * (long_s - short_s) / (frames - short))
            stages[work] = {stage: (said[stage] - before[stage]) / (frames - short) for stage in said}
    print(
        f"3 x {camera[0]}x{camera[1]}, {frames} frames, panorama at most {width} wide, x264 {PRESET}, {rounds} rounds"
    )
    for work in WORKS:
        print(f"{work:10}{statistics.median(spent[work]):8.1f} CPU ms a frame")
    print("ours: " + ", ".join(f"{stage} {1e3 * cpu_s:.1f} ms" for stage, cpu_s in stages["ours"].items()))
    missed = 0
    for peer, most in MOST_OF.items():
        share = statistics.median(a / b for a, b in zip(spent["ours"], spent[peer], strict=True))
        missed += share > most
        print(f"{'PASS' if share <= most else 'SHORT'}: {share:.2f} of {peer}, at most {most:.2f}")
    share = statistics.median(a / b for a, b in zip(spent["ours"], spent["pipes"], strict=True))
    print(f"{share:.2f} of our own stitcher with pipes")
    return int(missed > 0)


def _run(kept: Path, work: str, frames: int, camera: tuple[int, int], width: int) -> tuple[float, dict[str, float]]:
    """CPU seconds of one of the works on so many frames, and by its own account of each of its stages."""
    recorded(kept, camera, frames)
    size = [*map(str, camera)]
    words = ["--work", work, "--frames", str(frames), "--camera", *size, "--width", str(width), "--footage", str(kept)]
    seconds, said = cpu_of([sys.executable, "-m", "bench.conveyor", *words])
    return seconds, json.loads(said)


def cpu_of(command: Sequence[str]) -> tuple[float, str]:
    """CPU seconds of a command with all the processes that it starts and waits for, and what it prints."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read() if process.stdout else ""
        # Of the process and of all those that it has waited for.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used.ru_utime + used.ru_stime, said


def recorded(folder: Path, camera: tuple[int, int], frames: int) -> Footage:
    """Three recordings of so many frames in `folder`, made where they are not there yet: a few seconds of a simulated
    match, to and fro."""
    rig_path = folder / f"rig-{camera[0]}.json"
    videos = tuple(folder / f"camera-{camera[0]}-{frames}-{index}.mp4" for index in range(3))
    pitch = default_pitch(11)
    true_rig = virtual_rig("mast", pitch, _SEED, *camera)
    if not all(video.exists() for video in videos):
        folder.mkdir(exist_ok=True, parents=True)
        truth = play(pitch, _DRAWN / _RATE + 1, _SEED)
        for index, video in enumerate(videos):
            lens = VirtualCamera(true_rig, index, truth, _SEED)
            pictures = [lens.frame(number / _RATE).copy() for number in range(min(_DRAWN, frames))]
            _record(video, pictures, frames)
        # All of them are drawn at the same times: no clock is wrong here.
        cameras = tuple(msgspec.structs.replace(camera, clock_offset_ns=0) for camera in true_rig.rig.cameras)
        rig_path.write_bytes(encode(msgspec.structs.replace(true_rig.rig, cameras=cameras)))
    return Footage(decode(rig_path.read_bytes(), Rig), videos)


def _record(path: Path, pictures: Sequence[npt.NDArray[np.uint8]], frames: int) -> None:
    there_and_back = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)] or [0]
    part = path.with_name(f".part-{path.name}")
    with av.open(str(part), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE, options={"preset": "superfast", "crf": "23", "bf": "0"})
        stream.height, stream.width = pictures[0].shape[0] * 2 // 3, pictures[0].shape[1]
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            planes = pictures[there_and_back[number % len(there_and_back)]]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    part.rename(path)


def run_ours(footage: Footage, width: int, folder: Path) -> dict[str, float]:
    """The hub's own way; CPU seconds of each stage."""
    costs = CostBook()
    plan = plan_panorama(footage.rig, width)
    frames = 0
    with (folder / "ours.mp4").open("wb") as out:
        for made in _windows(footage, plan, costs):
            out.write(made.picture.init if not frames else b"")
            out.write(made.picture.media)
            frames += made.picture.frames
    costs.add_rest("library threads")
    return {stage: cost.cpu_s for stage, cost in costs.snapshot().items()}


def _windows(footage: Footage, plan: StitchPlan, costs: CostBook) -> Iterator:
    recordings = Recordings(footage.rig, footage.videos)
    conveyor = Conveyor(
        VisionControl(Stitcher(plan), recordings.cadence, print),
        (plan.view.width_px, plan.view.height_px),
        recordings.cadence,
        recordings.colours,
        software(PRESET),
        None,
        costs,
    )
    return conveyor.windows(recordings.from_frame(0, costs, print, lambda words: None))


def run_filters(footage: Footage, width: int, folder: Path) -> dict[str, float]:
    """One ffmpeg with its remap filter, masks for the seams, and hstack."""
    plan = plan_panorama(footage.rig, width)
    graph, maps = filter_graph(plan, folder)
    inputs = [["-i", str(video)] for video in footage.videos] + [["-i", str(path)] for path in maps]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-nostdin", "-loglevel", "error", *chain(*inputs)]
    command += ["-filter_complex", graph, "-map", "[out]", *_CODING, str(folder / "filters.mp4")]
    subprocess.run(command, check=True)
    return {}


def filter_graph(plan: StitchPlan, folder: Path) -> tuple[str, list[Path]]:
    """An ffmpeg filter graph that makes the plan's panorama, and the maps and masks (PGM) that it takes as inputs
    behind the videos."""
    height = plan.view.height_px
    ends, blends = _parts(plan)
    maps: list[Path] = []
    graph: list[str] = []
    pieces: list[str] = []
    count = len(plan.rig.cameras)
    first_mask = count + 2 * count
    for index, (luma, (left, right)) in enumerate(zip(plan.luma, ends, strict=True)):
        camera = plan.rig.cameras[index]
        for axis, places, most in zip(
            "xy", luma.maps(left, right, height), (camera.width_px, camera.height_px), strict=False
        ):
            path = folder / f"{axis}{index}.pgm"
            nearest = np.floor(places)
            # What lies beyond the picture is filled with black.
            _write_pgm(path, np.where((nearest >= 0) & (nearest < most), nearest, 65535).astype(">u2"))
            maps.append(path)
        at = count + 2 * index
        cuts = sorted({left, right, *(edge for blend in blends for edge in blend if left <= edge <= right)})
        parts = list(pairwise(cuts))
        names = [f"c{index}p{a}" for a, _ in parts]
        graph.append(
            f"[{index}:v][{at}:v][{at + 1}:v]remap,format=yuv420p,split={len(parts)}" + "".join(f"[{n}]" for n in names)
        )
        graph += [
            f"[{name}]crop={b - a}:{height}:{a - left}:0[{name}c]" for name, (a, b) in zip(names, parts, strict=True)
        ]
    for index in range(count):
        left, right = ends[index]
        own = (blends[index - 1][1] if index else left, blends[index][0] if index < count - 1 else right)
        pieces.append(f"[c{index}p{own[0]}c]")
        if index < count - 1:
            low, high = blends[index]
            path = folder / f"mask{index}.pgm"
            ramp = np.linspace(0, 255, high - low).astype(np.uint8)
            _write_pgm(path, np.broadcast_to(ramp, (height, high - low)))
            maps.append(path)
            graph.append(f"[{first_mask + index}:v]format=gray,format=yuv420p[m{index}]")
            graph.append(f"[c{index}p{low}c][c{index + 1}p{low}c][m{index}]maskedmerge[b{index}]")
            pieces.append(f"[b{index}]")
    graph.append("".join(pieces) + f"hstack=inputs={len(pieces)}[out]")
    return ";".join(graph), maps


def _even(low: float, high: float) -> tuple[int, int]:
    return int(low) // 2 * 2, int(high) // 2 * 2 + 2


def _write_pgm(path: Path, values: npt.NDArray[np.generic]) -> None:
    most = 65535 if values.dtype.itemsize == 2 else 255
    path.write_bytes(f"P5 {values.shape[1]} {values.shape[0]} {most}\n".encode() + values.tobytes())


def run_pipes(footage: Footage, width: int, folder: Path) -> dict[str, float]:
    """Our stitcher between ffmpeg processes, raw YUV 4:2:0 in pipes."""
    plan = plan_panorama(footage.rig, width)
    stitcher = Stitcher(plan)
    into = np.empty((plan.view.height_px * 3 // 2, plan.view.width_px), np.uint8)

    def made(frames: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
        stitcher.stitch([Picture.of_stack(frame) for frame in frames], Picture.of_stack(into))
        return into

    shapes = [(camera.height_px * 3 // 2, camera.width_px) for camera in footage.rig.cameras]
    _piped(footage, plan, "yuv420p", shapes, made, folder / "pipes.mp4")
    return {}


def run_opencv(footage: Footage, width: int, folder: Path) -> dict[str, float]:
    """What many build: OpenCV between ffmpeg processes, raw BGR in pipes."""
    cv2.setNumThreads(1)
    plan = plan_panorama(footage.rig, width)
    ends, blends = _parts(plan)
    height = plan.view.height_px
    into = np.empty((height, plan.view.width_px, 3), np.uint8)
    maps = []
    for luma, (left, right) in zip(plan.luma, ends, strict=True):
        x, y, _ = luma.maps(left, right, height)
        maps.append(cv2.convertMaps(x - np.float32(0.5), y - np.float32(0.5), cv2.CV_16SC2))
    ramps = [np.tile(np.linspace(1, 0, high - low, dtype=np.float32), (height, 1)) for low, high in blends]

    def made(frames: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
        warped = [cv2.remap(frame, *at, cv2.INTER_LINEAR) for frame, at in zip(frames, maps, strict=True)]
        for part, (left, right) in zip(warped, ends, strict=True):
            into[:, left:right] = part
        for index, ((low, high), ramp) in enumerate(zip(blends, ramps, strict=True)):
            one = warped[index][:, low - ends[index][0] : high - ends[index][0]]
            other = warped[index + 1][:, low - ends[index + 1][0] : high - ends[index + 1][0]]
            into[:, low:high] = cv2.blendLinear(one, other, ramp, 1 - ramp)
        return into

    shapes = [(camera.height_px, camera.width_px, 3) for camera in footage.rig.cameras]
    _piped(footage, plan, "bgr24", shapes, made, folder / "opencv.mp4")
    return {}


def _parts(plan: StitchPlan) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Columns that each camera shows, and those of each seam's blend, all even."""
    blends = [_even(seam.column - seam.feather / 2, seam.column + seam.feather / 2) for seam in plan.seams()]
    lefts, rights = [0, *(low for low, _ in blends)], [*(high for _, high in blends), plan.view.width_px]
    return list(zip(lefts, rights, strict=True)), blends


def _piped(
    footage: Footage,
    plan: StitchPlan,
    pixels: str,
    shapes: Sequence[tuple[int, ...]],
    made: Callable[[Sequence[npt.NDArray[np.uint8]]], npt.NDArray[np.uint8]],
    out: Path,
) -> None:
    quiet = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    raw = ["-f", "rawvideo", "-pix_fmt", pixels]
    size = f"{plan.view.width_px}x{plan.view.height_px}"
    with contextlib.ExitStack() as stack:
        sources = [
            _started(stack, [*quiet, "-nostdin", "-i", str(video), *raw, "-"], stdout=subprocess.PIPE).stdout
            for video in footage.videos
        ]
        coding = [*raw, "-s", size, "-r", str(_RATE), "-i", "-", *_CODING, "-pix_fmt", "yuv420p", str(out)]
        sink = _started(stack, [*quiet, *coding], stdin=subprocess.PIPE).stdin
        frames = [np.empty(shape, np.uint8) for shape in shapes]
        while all(_filled(source, frame) for source, frame in zip(sources, frames, strict=True)):
            sink.write(made(frames))
        sink.close()


def _started(stack: contextlib.ExitStack, command: Sequence[str], **pipes: int) -> subprocess.Popen[bytes]:
    return stack.enter_context(subprocess.Popen(command, **pipes))


def _filled(source: IO[bytes], frame: npt.NDArray[np.uint8]) -> bool:
    """Read one frame; whether there was one."""
    return source.readinto(memoryview(frame).cast("B")) == frame.nbytes


def _memory(folder: Path, frames: int) -> int:
    """Resident bytes along a long run on small pictures."""
    footage = recorded(folder, _SMALL, frames)
    plan = plan_panorama(footage.rig, 1280)
    curve = [resident_bytes() for _ in _windows(footage, plan, CostBook())]
    steps = max(1, len(curve) // 20)
    print("MB resident: " + " ".join(f"{size / 1e6:.0f}" for size in curve[::steps]))
    # What libraries lay in at the beginning is none of the run.
    steady = curve[len(curve) // 4 :]
    grows = not flat(steady)
    print(f"{'GROWS' if grows else 'FLAT'}: over {frames} frames")
    return int(grows)


if __name__ == "__main__":
    sys.exit(main())
