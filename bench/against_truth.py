"""A calibration against the true rig: where neighbours disagree in the panorama, and where people are placed."""

from itertools import pairwise

import numpy as np

from simulator.scenes import TruePanorama
from wire.rig import Array, CameraModel, Rig

_BLEND = 0.0625
"""Width of the blend as a share of the panorama's: 256 px of 4096."""
_EVERY_PX = 3
_ONE_MAST_M = 1.0


def seam_gaps_px(rig: Rig, true_rig: Rig, panorama: TruePanorama) -> Array:
    """How far (n,) neighbours of `rig` disagree about single points in the blend, in pixels of their pictures.

    At a panorama's pixel the stitcher reads each camera where the calibration says; the thing that is truly seen there
    lies elsewhere in the camera's picture. Where both are off alike, nothing is seen of it: the difference of the two
    is the ghost. Of cameras metres apart only the calibration's share is told: how far they disagree about points on
    the plane on which the panorama makes them agree; all else ghosts there by tens of pixels, whatever the calibration.
    """
    view = panorama.view
    places = np.array([camera.position_m for camera in true_rig.cameras])
    apart = float(np.linalg.norm(places - places.mean(axis=0), axis=1).max()) > _ONE_MAST_M
    out = []
    for i, (low, high) in enumerate(blend_columns(true_rig, panorama)):
        u, v = np.meshgrid(
            np.arange(low, high, _EVERY_PX) + 0.5, np.arange(0, view.height_px, _EVERY_PX) + 0.5, indexing="xy"
        )
        pixels = np.stack([u.ravel(), v.ravel()], axis=1)
        planned = view.points(pixels)
        true = planned if apart else panorama.points_at(pixels)
        off = []
        for k in (i, i + 1):
            seen = true_rig.cameras[k].project(true)
            inside = true_rig.cameras[k].sees(np.nan_to_num(seen, nan=-1.0))
            off.append(np.where(inside[:, None], rig.cameras[k].project(planned) - seen, np.nan))
        gap = np.linalg.norm(off[0] - off[1], axis=1)
        out.append(gap[~np.isnan(gap)])
    return np.concatenate(out) if out else np.zeros(0)


def blend_columns(rig: Rig, panorama: TruePanorama) -> list[tuple[int, int]]:
    """The columns of the panorama in which each pair of neighbours is blended: around the one where both see most."""
    view = panorama.view
    half = round(_BLEND * view.width_px / 2)
    columns, rows = np.arange(8, view.width_px, 8) + 0.5, np.linspace(0.5, view.height_px - 0.5, 33)
    grid = view.points(np.stack([a.ravel() for a in np.meshgrid(columns, rows)], axis=1))
    depth = [_depth_inside(camera, grid).reshape(len(rows), len(columns)) for camera in rig.cameras]
    out = []
    for a, b in pairwise(depth):
        middle = int(columns[np.minimum(a, b).clip(-200, 200).mean(axis=0).argmax()])
        out.append((max(middle - half, 0), min(middle + half, view.width_px)))
    return out


def _depth_inside(camera: CameraModel, points_m: Array) -> Array:
    px = camera.project(points_m)
    edge = np.minimum.reduce([px[:, 0], px[:, 1], camera.width_px - px[:, 0], camera.height_px - px[:, 1]])
    return np.nan_to_num(edge, nan=-1000.0)


def pitch_errors_m(rig: Rig, true_rig: Rig) -> Array:
    """How far (n,) from the truth the foot of somebody is placed who stands on the pitch: for every square metre of it
    and every camera that sees it. Infinite where the camera is thought to look at the sky."""
    pitch = true_rig.pitch
    x, y = np.meshgrid(
        np.arange(-pitch.half_length, pitch.half_length + 0.5), np.arange(-pitch.half_width, pitch.half_width + 0.5)
    )
    ground = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    out = []
    for camera, true in zip(rig.cameras, true_rig.cameras, strict=True):
        seen = true.project(ground)
        there = true.sees(np.nan_to_num(seen, nan=-1.0))
        out.append(np.linalg.norm(camera.to_plane(seen[there]) - ground[there, :2], axis=1))
    return np.nan_to_num(np.concatenate(out), nan=np.inf)
