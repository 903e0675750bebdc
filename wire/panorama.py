"""The panorama's own geometry: an upright cylinder around the rig's centre."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

from wire.rig import Array

FAR_M = 120.0
"""What lies further than this along a ray, or above the horizon, is taken to be this far from the rig's centre."""
AGREED_M = 0.2
"""Height of the plane on which neighbours are made to agree: most of what is seen is grass, and players move above it.
The lower the plane the less the ground ghosts and the more the people do."""


class PanoramaView(msgspec.Struct, frozen=True):
    """Cylinder around `centre_m` of the pitch frame: u = focal (azimuth - left), v = focal (top - tan of elevation).

    Azimuths in radians from +y to the right; pixel centres at .5, as everywhere. `height_m` is the plane on which
    neighbouring cameras were made to agree.
    """

    width_px: int
    height_px: int
    focal_px: float
    left_rad: float
    top_rise: float
    centre_m: tuple[float, float, float]
    height_m: float

    def far_px(self) -> float | None:
        """The row at which `FAR_M` takes over from the plane, and `points` has an edge; None where it does nowhere."""
        steepness = (self.centre_m[2] - self.height_m) / FAR_M
        if not 0 < steepness < 1:
            return None
        return (self.top_rise + steepness / math.sqrt(1 - steepness**2)) * self.focal_px

    def project(self, points_m: npt.ArrayLike) -> Array:
        """Pixels (n, 2) of the panorama at which pitch-frame points (n, 3) appear."""
        to = np.asarray(points_m, dtype=np.float64).reshape(-1, 3) - self.centre_m
        azimuth = np.arctan2(to[:, 0], to[:, 1])
        rise = to[:, 2] / np.maximum(np.hypot(to[:, 0], to[:, 1]), 1e-9)
        return np.stack([(azimuth - self.left_rad) * self.focal_px, (self.top_rise - rise) * self.focal_px], axis=1)

    def to_pixel(self, x_m: float, y_m: float, z_m: float = 0.0) -> tuple[float, float]:
        """`project` for one point."""
        u, v = self.project([[x_m, y_m, z_m]])[0]
        return float(u), float(v)

    def points(self, pixels: npt.ArrayLike) -> Array:
        """The pitch-frame points (n, 3) that the panorama shows at pixels (n, 2): on the plane z = `height_m`, no
        further than `FAR_M`."""
        px = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        azimuth = px[:, 0] / self.focal_px + self.left_rad
        rise = self.top_rise - px[:, 1] / self.focal_px
        with np.errstate(divide="ignore"):
            reach = np.where(rise < 0, (self.centre_m[2] - self.height_m) / -rise, np.inf)
        reach = np.minimum(reach, FAR_M / np.hypot(1.0, rise))
        return self.centre_m + np.stack([np.sin(azimuth), np.cos(azimuth), rise], axis=1) * reach[:, None]
