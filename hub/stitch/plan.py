"""From a calibrated rig to lookup tables: where each pixel of the panorama comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from hub.stitch.colour import ColourChange, colour_change, vignette_at
from wire.panorama import PanoramaView
from wire.rig import Array, CameraModel, Rig

Map = npt.NDArray[np.float32]

_MARGIN_M = 2.0
"""Grass shown beyond the pitch."""
_ABOVE_HORIZON_RAD = np.radians(3.0)
_FEATHER_RAD = 0.09
_FEATHER_PX = (32.0, 192.0)
"""Width of the blend at a seam: an angle, within bounds of pixels."""
_BORDER_PX = 3.0
"""Pixels at a picture's edge that are never used."""
_FADE_PX = 48.0
"""Over which a camera fades out towards its picture's edge where a neighbour can take over."""
_COARSE = 8
"""Weights vary slowly: they are computed on every eighth pixel and interpolated."""


@dataclass(frozen=True)
class CameraPlan:
    """One camera's part: panorama columns [left, right), both even, at full height, and where they lie in its picture.

    `luma` and `chroma` are x and y maps as `cv2.remap` takes them (pixel centres at whole numbers) for the full and the
    half-size planes of that part. `gain` (h, w) is what luma above black is multiplied by; `change` what happens to
    its colours.
    """

    left: int
    right: int
    luma: tuple[Map, Map]
    chroma: tuple[Map, Map]
    gain: Map
    change: ColourChange


@dataclass(frozen=True)
class Span:
    """Panorama columns [left, right), both even, and the cameras that share them; where they are several, the weights
    of each at full and half size (h, w), summing to 1."""

    left: int
    right: int
    cameras: tuple[int, ...]
    weights: tuple[Map, ...]
    halves: tuple[Map, ...]


@dataclass(frozen=True)
class StitchPlan:
    """All a stitcher needs: the rig, the panorama's view, each camera's part from the left (None for one that gives no
    picture), and the spans that make up the panorama from left to right."""

    rig: Rig
    view: PanoramaView
    cameras: tuple[CameraPlan | None, ...]
    spans: tuple[Span, ...]


def plan_panorama(rig: Rig, max_width: int = 4096, height_m: float = 0.4) -> StitchPlan:
    """Tables for a panorama at most `max_width` wide of the pitch and what lies just behind it.

    Neighbours agree on the plane `height_m` above the pitch, at the height of legs: for cameras some centimetres apart
    this leaves a fifteenth of the ghosts that agreement at infinity leaves. The resolution is that of the cameras'
    centres unless the width forbids it; width and height are multiples of 16.
    """
    return plan_present(rig, _view(rig, max_width, height_m), [True] * len(rig.cameras))


def plan_present(rig: Rig, view: PanoramaView, present: Sequence[bool]) -> StitchPlan:
    """Tables for the same view from only those cameras that give a picture, at least one: their neighbours take over
    as far as they see."""
    here = [i for i, there in enumerate(present) if there]
    cameras = [rig.cameras[i] for i in here]
    shares = _weights(cameras, view, _seams(rig, cameras, view))
    used = [np.flatnonzero(share.any(axis=0)) for share in shares]
    ends = [(int(u[0]) // 2 * 2, int(u[-1]) // 2 * 2 + 2) if len(u) else (0, 0) for u in used]
    plans: list[CameraPlan | None] = [None] * len(present)
    for i, camera, end in zip(here, cameras, ends, strict=True):
        if end[1] > end[0]:
            plans[i] = _camera_plan(camera, view, end)
    cuts = sorted({edge for end in ends for edge in end})
    spans = []
    for left, right in pairwise(cuts):
        mine = [k for k, end in enumerate(ends) if end[0] <= left and right <= end[1]]
        weights = [np.ascontiguousarray(shares[k][:, left:right]) for k in mine] if len(mine) > 1 else []
        halves = [cv2.resize(w, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for w in weights]
        spans.append(
            Span(
                left,
                right,
                tuple(here[k] for k in mine),
                tuple(weights),
                tuple(np.asarray(half, np.float32) for half in halves),
            )
        )
    return StitchPlan(rig, view, tuple(plans), tuple(spans))


def _view(rig: Rig, max_width: int, height_m: float) -> PanoramaView:
    """The cylinder over what of the pitch any camera sees."""
    centre = np.mean([camera.position_m for camera in rig.cameras], axis=0)
    pitch = rig.pitch
    x, y = np.meshgrid(
        np.linspace(-pitch.half_length - _MARGIN_M, pitch.half_length + _MARGIN_M, 221),
        np.linspace(-pitch.half_width - _MARGIN_M, pitch.half_width + _MARGIN_M, 145),
    )
    ground = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    seen = np.zeros(len(ground), bool)
    for camera in rig.cameras:
        seen |= camera.sees(np.nan_to_num(camera.project(ground), nan=-1.0), _BORDER_PX)
    to = (ground[seen] if seen.any() else ground) - centre
    azimuth = np.arctan2(to[:, 0], to[:, 1])
    # Straight below the rig tan of the elevation runs away; no camera of a pitch looks steeper than 60 degrees.
    lowest = max(float((to[:, 2] / np.maximum(np.hypot(to[:, 0], to[:, 1]), 1e-9)).min()), -np.tan(np.radians(60)))
    left, right, top = float(azimuth.min()), float(azimuth.max()), float(np.tan(_ABOVE_HORIZON_RAD))
    focal = min(float(np.mean([camera.lens.focal_px for camera in rig.cameras])), max_width / (right - left))
    width = min(int(focal * (right - left)) // 16 * 16, max_width // 16 * 16)
    height = max(int(focal * (top - lowest)) // 16 * 16, 16)
    cx, cy, cz = (float(v) for v in centre)
    return PanoramaView(width, height, focal, left, top, (cx, cy, cz), height_m)


def _seams(rig: Rig, cameras: Sequence[CameraModel], view: PanoramaView) -> list[float]:
    """Columns at which one camera hands over to its right neighbour: where both see most of the height, off goals."""
    columns = np.arange(8, view.width_px, 8.0)
    rows = np.linspace(0, view.height_px, 33)
    grid = np.stack([a.ravel() for a in np.meshgrid(columns, rows)], axis=1)
    points = view.points(grid)
    depth = np.stack([_depth_inside(camera, points).reshape(len(rows), len(columns)) for camera in cameras])
    goals = [[s * rig.pitch.half_length, 0.0, 1.0] for s in (-1, 1)]
    far = np.abs(columns[:, None] - view.project(goals)[None, :, 0]).min(axis=1)
    near_goal = np.clip(1 - far / (_FEATHER_RAD * view.focal_px), 0, 1)
    seams = []
    for i in range(len(cameras) - 1):
        both = np.minimum(depth[i], depth[i + 1]).clip(-200, 200).mean(axis=0)
        seams.append(float(columns[int((both - 100 * near_goal).argmax())]))
    return seams


def _depth_inside(camera: CameraModel, points_m: Array) -> Array:
    """How many pixels inside its picture a camera sees each point; negative outside, -1000 when not at all."""
    px = camera.project(points_m)
    edge = np.minimum.reduce([px[:, 0], px[:, 1], camera.width_px - px[:, 0], camera.height_px - px[:, 1]])
    return np.asarray(np.nan_to_num(edge, nan=-1000.0))


def _weights(cameras: Sequence[CameraModel], view: PanoramaView, seams: list[float]) -> list[Map]:
    """Each camera's share (h, w) of the blend; they sum to 1. What none sees belongs to the one on duty there."""
    feather = float(np.clip(_FEATHER_RAD * view.focal_px, *_FEATHER_PX))
    w, h = view.width_px, view.height_px
    u = (np.arange(w // _COARSE + 1) * _COARSE).astype(np.float64)
    v = (np.arange(h // _COARSE + 1) * _COARSE).astype(np.float64)
    points = view.points(np.stack([a.ravel() for a in np.meshgrid(u, v)], axis=1))
    fine = np.arange(w) + 0.5
    ramps, shares = [], []
    for i, camera in enumerate(cameras):
        ramp = np.ones(w)
        if i > 0:
            ramp = np.minimum(ramp, np.clip((fine - seams[i - 1]) / feather + 0.5, 0, 1))
        if i < len(seams):
            ramp = np.minimum(ramp, np.clip((seams[i] - fine) / feather + 0.5, 0, 1))
        inside = _fine(_depth_inside(camera, points).reshape(len(v), len(u)), w, h) - _BORDER_PX
        fade = np.clip(inside / _FADE_PX, 0, 1)
        ramps.append(ramp)
        # Beyond its seam a camera keeps a sliver, which becomes all where the one on duty sees nothing.
        shares.append((ramp[None, :] + 1e-4) * fade)
    total = np.sum(shares, axis=0)
    duty = np.stack(ramps) / np.sum(ramps, axis=0)
    # A share below a level of brightness is not worth the columns it would cost.
    kept = [np.where(total > 0, np.where(s < 0.004 * total, 0.0, s), d) for s, d in zip(shares, duty, strict=True)]
    total = np.sum(kept, axis=0)
    return [(share / total).astype(np.float32) for share in kept]


def _fine(coarse: Array, width: int, height: int) -> Array:
    """Values given at every eighth pixel corner, interpolated at all pixel centres."""
    x, y = np.meshgrid((np.arange(width) + 0.5) / _COARSE, (np.arange(height) + 0.5) / _COARSE)
    read = cv2.remap(
        coarse, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(read, np.float64)


def _camera_plan(camera: CameraModel, view: PanoramaView, columns: tuple[int, int]) -> CameraPlan:
    luma, chroma = _lookup(camera, view, columns, 1), _lookup(camera, view, columns, 2)
    change = colour_change(camera.photometry)
    at = np.stack([luma[0].ravel(), luma[1].ravel()], axis=1).astype(np.float64) + 0.5
    gain = (change.luma / vignette_at(camera, at)).reshape(luma[0].shape).astype(np.float32)
    return CameraPlan(*columns, luma, chroma, gain, change)


def _lookup(camera: CameraModel, view: PanoramaView, columns: tuple[int, int], step: int) -> tuple[Map, Map]:
    """Maps of the columns at every `step`-th pixel into the camera's plane that is smaller by `step`."""
    u, v = np.meshgrid(np.arange(*columns, step) + step / 2, np.arange(0, view.height_px, step) + step / 2)
    px = camera.project(view.points(np.stack([u.ravel(), v.ravel()], axis=1)))
    px = np.nan_to_num(px, nan=-1e4) / step - 0.5
    return px[:, 0].reshape(u.shape).astype(np.float32), px[:, 1].reshape(u.shape).astype(np.float32)
