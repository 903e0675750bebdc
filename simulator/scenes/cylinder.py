"""A panorama's cylinder as a camera that can be drawn in."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wire.panorama import AGREED_M, PanoramaView
from wire.rig import Array, Lens, Rig

_MARGIN_M = 2.0
_ABOVE_HORIZON_RAD = np.radians(3.0)


@dataclass(frozen=True)
class Cylinder:
    """`view` with the manners of a `CameraModel`."""

    view: PanoramaView

    @property
    def width_px(self) -> int:
        """Of the panorama."""
        return self.view.width_px

    @property
    def height_px(self) -> int:
        """Of the panorama."""
        return self.view.height_px

    @property
    def position_m(self) -> tuple[float, float, float]:
        """The rig's centre."""
        return self.view.centre_m

    @property
    def centre(self) -> Array:
        """The same as an array (3,)."""
        return np.array(self.view.centre_m)

    @property
    def lens(self) -> Lens:
        """A lens of the cylinder's focal length."""
        return Lens(self.view.focal_px, self.view.width_px / 2, self.view.height_px / 2)

    def project(self, points_m: npt.ArrayLike) -> Array:
        """Pitch points (n, 3) to pixels (n, 2)."""
        return self.view.project(points_m)

    def rays(self, pixels: npt.ArrayLike) -> Array:
        """Unit directions (n, 3) of the rays through pixels (n, 2)."""
        px = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        azimuth = px[:, 0] / self.view.focal_px + self.view.left_rad
        rise = self.view.top_rise - px[:, 1] / self.view.focal_px
        rays = np.stack([np.sin(azimuth), np.cos(azimuth), rise], axis=1)
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def panorama_view(rig: Rig, max_width_px: int = 4096, height_m: float = AGREED_M) -> PanoramaView:
    """The cylinder around the rig's centre over all of the pitch that its cameras see, as sharp as they are in their
    middle, but at most so wide; sizes are multiples of 16."""
    centre = np.mean([camera.position_m for camera in rig.cameras], axis=0)
    hx, hy = rig.pitch.half_length + _MARGIN_M, rig.pitch.half_width + _MARGIN_M
    x, y = np.meshgrid(np.linspace(-hx, hx, 221), np.linspace(-hy, hy, 145))
    ground = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    seen = np.any([camera.sees(np.nan_to_num(camera.project(ground), nan=-1.0)) for camera in rig.cameras], axis=0)
    to = (ground[seen] if seen.any() else ground) - centre
    azimuth, rise = np.arctan2(to[:, 0], to[:, 1]), to[:, 2] / np.hypot(to[:, 0], to[:, 1])
    top, low = float(np.tan(_ABOVE_HORIZON_RAD)), max(float(rise.min()), -1.7)
    wide = float(np.ptp(azimuth))
    focal = min(float(np.mean([camera.lens.focal_px for camera in rig.cameras])), max_width_px / wide)
    width, height = (int(focal * angle) // 16 * 16 for angle in (wide, top - low))
    cx, cy, cz = (float(v) for v in centre)
    return PanoramaView(width, height, focal, float(azimuth.min()), top, (cx, cy, cz), height_m)
