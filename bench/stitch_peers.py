"""What else stitches: OpenCV's Stitcher, the parts it is made of, and Hugin's tools where they are installed."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.likeness import Luma, Mask, aligned, luma
from simulator.scenes import TruePanorama
from wire.panorama import PanoramaView
from wire.rig import CameraModel

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Peer:
    """What a peer made of a scene: `shown` in the true panorama's view where it is `there`, how that got into this
    view, and its CPU time for one picture once it knows the cameras (NaN when not measured). `failed` says why there is
    nothing."""

    name: str
    shown: Luma | None = None
    there: Mask | None = None
    by: str = ""
    cpu_s: float = float("nan")
    failed: str = ""


def undistorted(camera: CameraModel, picture: Picture) -> tuple[Picture, npt.NDArray[np.float64]]:
    """The picture as a lens without distortion of the same focal length takes it, and its camera matrix; OpenCV's pixel
    centres are at whole numbers."""
    lens = camera.lens
    matrix = np.array(
        [[lens.focal_px, 0, lens.cx_px - 0.5], [0, lens.focal_px, lens.cy_px - 0.5], [0, 0, 1]], dtype=np.float64
    )
    out = cv2.undistort(picture, matrix, np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3]))
    return np.asarray(out, np.uint8), matrix


def opencv_stitcher(name: str, pictures: Sequence[Picture], true: TruePanorama, rounds: int = 3) -> Peer:
    """`cv2.Stitcher` with all its defaults."""
    stitcher = cv2.Stitcher_create(cv2.Stitcher_PANORAMA)
    status = stitcher.estimateTransform(list(pictures))
    if status != cv2.Stitcher_OK:
        return Peer(name, failed=f"it found no cameras (status {status})")
    costs = []
    for _ in range(rounds):
        start = time.process_time()
        status, panorama = stitcher.composePanorama(list(pictures))
        costs.append(time.process_time() - start)
        if status != cv2.Stitcher_OK:
            return Peer(name, failed=f"it made no panorama (status {status})")
    found = aligned(np.asarray(panorama, np.uint8), true, "sphere")
    if found is None:
        return Peer(name, cpu_s=min(costs), failed="nothing of the pitch is recognised in its panorama")
    return Peer(name, *found, "best alignment", min(costs))


def opencv_parts(
    name: str, cameras: Sequence[CameraModel], pictures: Sequence[Picture], view: PanoramaView, bands: int
) -> Peer:
    """`cv2.detail` told the true lenses and directions: cylindrical warp, gains by blocks, Voronoi seams, and a feather
    (`bands` 0) or so many bands. Its cylinder is ours at infinity, so no alignment is needed."""
    flat = [undistorted(camera, picture) for camera, picture in zip(cameras, pictures, strict=True)]
    start = time.process_time()
    warper = cv2.PyRotationWarper("cylindrical", view.focal_px)
    to_axes = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    warped, masks, corners = [], [], []
    for camera, (picture, matrix) in zip(cameras, flat, strict=True):
        about = (matrix.astype(np.float32), (to_axes @ camera.turn.T).astype(np.float32))
        corner, image = warper.warp(picture, *about, cv2.INTER_LINEAR, cv2.BORDER_REFLECT)
        _, mask = warper.warp(np.full(picture.shape[:2], 255, np.uint8), *about, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT)
        warped.append(image)
        masks.append(mask)
        corners.append(corner)
    evener = cv2.detail.ExposureCompensator_createDefault(cv2.detail.ExposureCompensator_GAIN_BLOCKS)
    evener.feed(corners=corners, images=[cv2.UMat(w) for w in warped], masks=[cv2.UMat(m) for m in masks])
    seams = [cv2.UMat(m) for m in masks]
    if bands:
        finder = cv2.detail.SeamFinder_createDefault(cv2.detail.SeamFinder_VORONOI_SEAM)
        seams = list(finder.find([cv2.UMat(w.astype(np.float32)) for w in warped], corners, seams))
        blender = cv2.detail_MultiBandBlender()
        blender.setNumBands(bands)
    else:
        blender = cv2.detail_FeatherBlender()
        blender.setSharpness(2 / 192)
    x, y, w, h = cv2.detail.resultRoi(corners=corners, images=[cv2.UMat(w) for w in warped])
    blender.prepare((x, y, w, h))
    for k, (image, mask, corner, seam) in enumerate(zip(warped, masks, corners, seams, strict=True)):
        even = evener.apply(k, corner, image, mask)
        blender.feed(cv2.UMat(np.asarray(_plain(even), np.int16)), seam, corner)
    blended, shown = blender.blend(None, None)
    spent = time.process_time() - start
    picture = np.clip(np.asarray(_plain(blended)), 0, 255).astype(np.uint8)
    moved = np.array(
        [[1.0, 0, x - 0.5 - view.left_rad * view.focal_px], [0, 1.0, y - 0.5 + view.top_rise * view.focal_px]]
    )
    moved[:, 2] = np.where(np.abs(moved[:, 2] - np.rint(moved[:, 2])) < 1e-3, np.rint(moved[:, 2]), moved[:, 2])
    size = (view.width_px, view.height_px)
    there = cv2.warpAffine(np.asarray(_plain(shown)), moved, size, flags=cv2.INTER_NEAREST) > 0
    placed = cv2.warpAffine(luma(picture), moved, size, flags=cv2.INTER_CUBIC)
    return Peer(name, placed, there, "known geometry", spent)


def _plain(picture: cv2.UMat | npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return picture.get() if isinstance(picture, cv2.UMat) else picture


def hugin(name: str, cameras: Sequence[CameraModel], pictures: Sequence[Picture], true: TruePanorama) -> Peer:
    """Hugin's chain given the true lens: `cpfind` and `autooptimiser` find the directions, `nona` warps, `enblend`
    blends."""
    tools = ("pto_gen", "cpfind", "autooptimiser", "pano_modify", "nona", "enblend")
    absent = [tool for tool in tools if shutil.which(tool) is None]
    if absent:
        return Peer(name, failed=f"not on this machine: {', '.join(absent)}")
    with tempfile.TemporaryDirectory(prefix="touchline-hugin-") as folder:
        at = Path(folder)
        files = []
        for k, (camera, picture) in enumerate(zip(cameras, pictures, strict=True)):
            files.append(str(at / f"{k}.tif"))
            cv2.imwrite(files[-1], undistorted(camera, picture)[0])
        fov = 2 * np.degrees(np.arctan(cameras[0].width_px / 2 / np.mean([c.lens.focal_px for c in cameras])))
        project = str(at / "p.pto")
        steps: list[list[str]] = [
            ["pto_gen", "-p", "0", "-f", f"{fov:.4f}", "-o", project, *files],
            ["cpfind", "--multirow", "-o", project, project],
            ["autooptimiser", "-a", "-m", "-l", "-s", "-o", project, project],
            [
                "pano_modify",
                "--projection=1",
                "--fov=AUTO",
                "--canvas=AUTO",
                "-o",
                project,
                project,
            ],
            ["nona", "-m", "TIFF_m", "-o", str(at / "w"), project],
        ]
        try:
            for step in steps:
                _run(step)
            _run(["enblend", "-o", str(at / "out.tif"), *sorted(map(str, at.glob("w*.tif")))])
        except subprocess.CalledProcessError as fault:
            return Peer(name, failed=f"{fault.cmd[0]} failed: {fault.stderr.decode(errors='replace').strip()[-120:]}")
        panorama = cv2.imread(str(at / "out.tif"))
    found = None if panorama is None else aligned(np.asarray(panorama, np.uint8), true, "cylinder")
    if found is None:
        return Peer(name, failed="nothing of the pitch is recognised in its panorama")
    return Peer(name, *found, "best alignment")


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=600)


def cpu_s(work: Callable[[], object], rounds: int) -> float:
    """The least CPU time of `work` in so many rounds."""
    costs = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        costs.append(time.process_time() - start)
    return min(costs)
