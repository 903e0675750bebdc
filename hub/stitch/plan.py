"""From a calibrated rig to what a stitcher needs of it."""

from collections.abc import Sequence

import numpy as np

from hub.stitch.colour import Light, light_of
from hub.stitch.grid import Grid, grid_of
from hub.stitch.seams import Seam, seams_between
from wire.panorama import AGREED_M, PanoramaView
from wire.rig import Rig

_MARGIN_M = 2.0
"""Grass shown beyond the pitch."""
_ABOVE_HORIZON_RAD = np.radians(3.0)
_BORDER_PX = 3.0
"""Pixels at a picture's edge that do not count as seen."""


class StitchPlan:
    """One rig's panorama: its view, and for each camera from the left the grids that say where it lies in its picture
    (`luma` and `chroma` planes) and the light that evens it out. Never changes."""

    def __init__(self, rig: Rig, view: PanoramaView) -> None:
        self.rig = rig
        self.view = view
        self.luma: tuple[Grid, ...] = tuple(grid_of(camera, view, 1) for camera in rig.cameras)
        self.chroma: tuple[Grid, ...] = tuple(grid_of(camera, view, 2) for camera in rig.cameras)
        self.lights: tuple[Light, ...] = tuple(light_of(camera.photometry) for camera in rig.cameras)
        self._seams: dict[tuple[int, ...], tuple[Seam, ...]] = {}

    def seams(self, cameras: Sequence[int] | None = None) -> tuple[Seam, ...]:
        """The seams between these cameras, or all of the rig, from the left: one fewer than cameras. Those of a rig
        that misses a camera are found once and kept."""
        key = tuple(range(len(self.rig.cameras)) if cameras is None else cameras)
        if key not in self._seams:
            looking = [(self.rig.cameras[i], self.luma[i]) for i in key]
            self._seams[key] = seams_between(looking, self.view, self.rig.pitch)
        return self._seams[key]


def plan_panorama(rig: Rig, max_width: int = 4096, height_m: float = AGREED_M) -> StitchPlan:
    """A panorama at most `max_width` wide of the pitch and what lies just behind it.

    Neighbours agree on the plane `height_m` above the pitch, as high as shins: for cameras some centimetres apart this
    leaves a thirtieth of the ghosts that agreement at infinity leaves. The resolution is that of the cameras' centres
    unless the width forbids it; width and height are multiples of 16.
    """
    return StitchPlan(rig, _view(rig, max_width, height_m))


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
