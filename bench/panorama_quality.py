"""How like the truth our panorama is, and those of others: `python -m bench.panorama_quality`.

Luma PSNR and SSIM against what a perfect camera at the rig's centre sees, with the true and with the estimated
calibration, beside OpenCV's and Hugin's stitchers on the same pictures; and what a panorama costs beside
`cv2.Stitcher.composePanorama`. Ends with 1 when a goal is missed.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import msgspec
import numpy as np

from bench.accuracy import Way, measured
from bench.against_truth import blend_columns
from bench.likeness import Likeness, Luma, Mask, likeness, luma
from bench.samples import CASES, Picture, Sample, drawn, outside
from bench.stitch_peers import Peer, cpu_s, hugin, opencv_parts, opencv_stitcher, undistorted
from hub.calibrate.photometry import match_exposures
from hub.picture import Picture as Planes
from hub.stitch.choose import choose
from hub.stitch.colour import DARK
from hub.stitch.plan import StitchPlan
from wire.panorama import PanoramaView
from wire.rig import Rig

PSNR_DB, SSIM, SEAM_PSNR_DB = 38.5, 0.964, 39.0
ABOVE_STITCHER_DB = 3.0
COVERED = 0.995
"""Of what any camera sees, the panorama shows so much, all but what no cut can; a peer's PSNR is that of what it
shows, and so is ours."""
COST_RATIO = 1 / 35
_BANDS = 5


def ours(rig: Rig, pictures: Sequence[Picture], view: PanoramaView) -> tuple[Luma, Mask, float]:
    """Our panorama's brightness in `view` by the kernel that the hub would choose, where it shows something, and the
    CPU time of one."""
    kernel = choose(StitchPlan(rig, view)).kernel
    frames = [
        Planes.of_stack(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)) for picture in pictures
    ]
    into = Planes.empty(view.width_px, view.height_px)
    spent = cpu_s(lambda: kernel.stitch(frames, into), 9)
    return (*_bright(*into), spent)


def _bright(bright: Picture, blue: Picture, red: Picture) -> tuple[Luma, Mask]:
    """Brightness 0 to 255 of planes in video range, and where they are not the calm dark that no camera sees."""
    plain = ((blue == DARK[1]) & (red == DARK[2])).astype(np.uint8)
    dark = (bright == DARK[0]).astype(np.uint8) & cv2.resize(plain, bright.shape[::-1], interpolation=cv2.INTER_NEAREST)
    there = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) == 0
    return (bright.astype(np.float32) - 16) * np.float32(255 / 219), there


def even_lit(rig: Rig, pictures: Sequence[Picture]) -> Rig:
    """`rig` with gains and vignette as the hub finds them in the pictures."""
    light = match_exposures(rig.cameras, pictures)
    cameras = [msgspec.structs.replace(c, photometry=p) for c, p in zip(rig.cameras, light, strict=True)]
    return msgspec.structs.replace(rig, cameras=tuple(cameras))


def row(name: str, like: Likeness, cost: float, kernel_s: float, by: str) -> str:
    """One line of the table."""
    ratio = "" if np.isnan(cost) else f"{cost / kernel_s:.1f}"
    figures = f"{like.psnr:6.2f} {like.ssim:6.3f}  {like.seam_psnr:6.2f}  {100 * like.covered:6.1f} %"
    return f"  {name:34} {figures}{ratio:>10}  {by}"


def compared(sample: Sample, clicks: int) -> list[str]:
    """Print the table of one scene; the goals that were missed, in words."""
    true = luma(sample.panorama.picture)
    valid = sample.panorama.seen(sample.rig)
    seams = blend_columns(sample.rig, sample.panorama)
    view, missed = sample.panorama.view, []

    def against(shown: Luma, there: np.ndarray) -> Likeness:
        return likeness(shown, there, true, valid, seams)

    print(f"\n{sample.name}, {view.width_px}x{view.height_px}")
    print(f"  {'':34}   PSNR   SSIM    seam  covered  CPU ratio  into this view by")
    shown, there, kernel_s = ours(even_lit(sample.rig, sample.pictures), sample.pictures, view)
    exact = against(shown, there)
    print(row("Touchline, true calibration", exact, kernel_s, kernel_s, "being in it"))
    missed += _short("PSNR with true calibration", exact.psnr, PSNR_DB)
    missed += _short("SSIM with true calibration", exact.ssim, SSIM)
    missed += _short("PSNR at the seam", exact.seam_psnr, SEAM_PSNR_DB)
    missed += _short("share of what the cameras see", exact.covered, COVERED)
    found, rig = measured(sample, Way(clicks))
    estimated = None
    if rig is None:
        print(f"  Touchline, {clicks} clicks: refused: {found.refused}")
        missed.append("no calibration")
    else:
        estimated = against(*ours(rig, sample.pictures, view)[:2])
        print(row(f"Touchline, {clicks} clicks", estimated, kernel_s, kernel_s, "the estimated pose, as it is"))
    rival = None
    for peer in _peers(sample):
        if peer.shown is None or peer.there is None:
            print(f"  {peer.name:34} {peer.failed}")
            continue
        like = against(peer.shown, peer.there)
        print(row(peer.name, like, peer.cpu_s, kernel_s, peer.by), flush=True)
        if peer.name.startswith("cv2.Stitcher, true lens"):
            rival = like.psnr, peer.cpu_s
    if rival and estimated:
        missed += _short("above cv2.Stitcher given the true lens, dB", estimated.psnr - rival[0], ABOVE_STITCHER_DB)
        ratio = kernel_s / rival[1]
        print(f"  cost of ours: 1/{1 / ratio:.0f} of cv2.Stitcher.composePanorama (at most 1/{1 / COST_RATIO:.0f})")
        if ratio > COST_RATIO:
            missed.append(f"cost: 1/{1 / ratio:.0f} of composePanorama")
    for text in missed:
        print(f"  short: {text}")
    return missed


def _short(what: str, value: float, least: float) -> list[str]:
    return [] if value >= least else [f"{what}: {value:.4f} instead of {least:g}"]


def _peers(sample: Sample) -> Iterable[Peer]:
    true, cameras = sample.panorama, sample.rig.cameras
    flat = [undistorted(camera, picture)[0] for camera, picture in zip(cameras, sample.pictures, strict=True)]
    yield opencv_stitcher("cv2.Stitcher, raw", sample.pictures, true)
    yield opencv_stitcher("cv2.Stitcher, true lens", flat, true)
    view = sample.panorama.view
    yield opencv_parts("cv2.detail, true rig, feather", cameras, sample.pictures, view, 0)
    yield opencv_parts(f"cv2.detail, true rig, {_BANDS} bands", cameras, sample.pictures, view, _BANDS)
    yield hugin("Hugin, true lens", cameras, sample.pictures, true)


def _ours(seeds: Sequence[int]) -> Iterable[Sample]:
    for seed in seeds:
        sample = drawn(CASES[0], seed)
        yield replace(sample, name=f"{sample.name}, seed {seed}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and the verdict."""
    parser = argparse.ArgumentParser(prog="python -m bench.panorama_quality", description=__doc__.partition(":")[0])
    parser.add_argument("--scenes", type=Path, metavar="FOLDER", help="instead: scenes that an outside generator left")
    parser.add_argument("--seeds", type=int, nargs="+", default=[801, 802])
    parser.add_argument("--clicks", type=int, default=4, help="clicks a camera for the estimated calibration")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    cv2.ocl.setUseOpenCL(False)
    samples = outside(given.scenes) if given.scenes else _ours(given.seeds)
    missed = [text for sample in samples for text in compared(sample, given.clicks)]
    print(f"\npanorama quality: {len(missed)} goals missed {'short' if missed else 'PASS'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
