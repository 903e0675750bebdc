"""A rig's calibration: one full camera model per node in the pitch frame, and how to use it.

Image frame: pixels of the recorded main stream, origin top left, pixel centres at .5. Camera axes: x right, y down,
z forward. Lens: Brown-Conrady with three radial and two tangential terms, as OpenCV's first five coefficients.
"""

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from wire.errors import MalformedMessage
from wire.ids import NodeId
from wire.message import Message
from wire.pitch import Pitch

Array = npt.NDArray[np.float64]


class Lens(msgspec.Struct, frozen=True):
    """Intrinsics in pixels and the five distortion coefficients k1, k2, p1, p2, k3."""

    focal_px: float
    cx_px: float
    cy_px: float
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    def max_radius(self) -> float:
        """Largest undistorted radius (tan of the off-axis angle) to which the radial model is monotone, at most 3."""
        r = np.linspace(0.0, 3.0, 601)
        r2 = r * r
        slope = 1 + 3 * self.k1 * r2 + 5 * self.k2 * r2**2 + 7 * self.k3 * r2**3
        folded = np.flatnonzero(slope <= 0.02)
        return float(r[folded[0]]) if len(folded) else 3.0

    def distort(self, xy: Array) -> Array:
        """Ideal image-plane points (n, 2) at unit focal length to distorted ones."""
        x, y = xy[:, 0], xy[:, 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        xd = x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x)
        yd = y * radial + self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y
        return np.stack([xd, yd], axis=1)

    def undistort(self, xy: Array, steps: int = 20) -> Array:
        """The inverse of `distort` by Newton's method on the radius and fixed-point tangential terms."""
        tangential = np.zeros_like(xy)
        ideal = xy
        limit = self.max_radius()
        for _ in range(1 if self.p1 == 0 == self.p2 else 4):
            target = xy - tangential
            rd = np.hypot(target[:, 0], target[:, 1])
            r = np.minimum(rd, limit)
            for _ in range(steps):
                r2 = r * r
                value = r * (1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))) - rd
                slope = 1 + r2 * (3 * self.k1 + r2 * (5 * self.k2 + r2 * 7 * self.k3))
                last, r = r, np.clip(r - value / np.maximum(slope, 0.02), 0.0, limit)
                # Newton doubles the correct digits: most calls are done after five steps.
                if np.abs(r - last).max(initial=0.0) < 1e-14:
                    break
            scale = np.where(rd > 1e-12, r / np.maximum(rd, 1e-12), 1.0)
            ideal = target * scale[:, None]
            x, y = ideal[:, 0], ideal[:, 1]
            r2 = x * x + y * y
            tangential = np.stack(
                [2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x), self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y],
                axis=1,
            )
        return ideal


class Photometry(msgspec.Struct, frozen=True):
    """What this camera's picture is multiplied by to match its neighbours, per channel R, G, B at the centre, and the
    vignette v(r) = 1 + v1 r² + v2 r⁴ that it was darkened by (r = 1 at the picture's corner)."""

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignette: tuple[float, float] = (0.0, 0.0)


class CameraModel(msgspec.Struct, frozen=True):
    """One node's camera in the pitch frame: x_camera = R (X - C).

    `rotation` is R row by row, `position_m` is C. `clock_offset_ns` is added to the node's capture times to give rig
    time. `covariance` belongs to (rotation vector 3, position 3, focal, k1, k2), row by row, when the fit gave one.
    """

    node: NodeId
    width_px: int
    height_px: int
    lens: Lens
    rotation: tuple[float, float, float, float, float, float, float, float, float]
    position_m: tuple[float, float, float]
    clock_offset_ns: int = 0
    photometry: Photometry = Photometry()
    covariance: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        turn = np.array(self.rotation).reshape(3, 3)
        if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-4) or np.linalg.det(turn) < 0:
            raise MalformedMessage(f"the rotation of camera {self.node} is not a rotation")

    @property
    def turn(self) -> Array:
        """R as a (3, 3) array, pitch frame to camera axes."""
        return np.array(self.rotation).reshape(3, 3)

    @property
    def centre(self) -> Array:
        """C as a (3,) array, metres."""
        return np.array(self.position_m)

    def project(self, points_m: npt.ArrayLike) -> Array:
        """Pitch points (n, 3) to pixels (n, 2); NaN behind the camera or beyond the lens model.

        A result may lie outside the picture: `sees` tells.
        """
        local = (np.asarray(points_m, dtype=np.float64).reshape(-1, 3) - self.centre) @ self.turn.T
        z = local[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            ideal = local[:, :2] / z[:, None]
        good = (z > 0.05) & (np.hypot(ideal[:, 0], ideal[:, 1]) < self.lens.max_radius())
        ideal[~good] = 0.0
        pixels = self.lens.distort(ideal) * self.lens.focal_px + (self.lens.cx_px, self.lens.cy_px)
        pixels[~good] = np.nan
        return pixels

    def sees(self, pixels: Array, margin_px: float = 0.0) -> npt.NDArray[np.bool_]:
        """Which of the pixels (n, 2) lie inside the picture shrunk by `margin_px`."""
        u, v = pixels[:, 0], pixels[:, 1]
        inside: npt.NDArray[np.bool_] = (
            (u >= margin_px) & (u <= self.width_px - margin_px) & (v >= margin_px) & (v <= self.height_px - margin_px)
        )
        return inside

    def rays(self, pixels: npt.ArrayLike) -> Array:
        """Unit directions (n, 3) in the pitch frame of the rays through pixels (n, 2)."""
        px = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        ideal = self.lens.undistort((px - (self.lens.cx_px, self.lens.cy_px)) / self.lens.focal_px)
        local = np.concatenate([ideal, np.ones((len(ideal), 1))], axis=1)
        local /= np.linalg.norm(local, axis=1, keepdims=True)
        return local @ self.turn

    def to_plane(self, pixels: npt.ArrayLike, height_m: float = 0.0) -> Array:
        """Where the rays through pixels (n, 2) meet the plane z = `height_m`: (n, 2) metres, NaN where they do not."""
        rays = self.rays(pixels)
        drop = self.position_m[2] - height_m
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(rays[:, 2] < -1e-6, drop / -rays[:, 2], np.nan)
        reach = np.where(reach > 0, reach, np.nan)
        return self.centre[:2] + rays[:, :2] * reach[:, None]


class Quality(msgspec.Struct, frozen=True):
    """How well the calibration fits: residuals in the pictures (rms), and the median error to expect of a place on the
    pitch."""

    clicks_px: float | None = None
    overlap_px: float | None = None
    lines_px: float | None = None
    pitch_m: float | None = None
    trusted: bool = False
    notes: tuple[str, ...] = ()


class Rig(Message, frozen=True, kw_only=True):
    """`rig.json`: the pitch, its cameras from the left, and how far to trust them."""

    KIND = "rig"
    VERSION = 1

    pitch: Pitch
    cameras: tuple[CameraModel, ...]
    quality: Quality = Quality()

    def camera(self, node: str) -> CameraModel:
        """The camera of `node`; raises `KeyError`."""
        for camera in self.cameras:
            if camera.node == node:
                return camera
        raise KeyError(node)


def looking(yaw_deg: float, pitch_deg: float, roll_deg: float) -> tuple[Any, ...]:
    """The rotation of a camera that looks along +y at yaw 0, turns right with yaw, up with pitch, clockwise with roll;
    nine numbers row by row, as `CameraModel.rotation`."""
    yaw, pitch, roll = map(math.radians, (yaw_deg, pitch_deg, roll_deg))
    forward = np.array([math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch)])
    right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
    down = np.cross(forward, right)
    c, s = math.cos(roll), math.sin(roll)
    turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ np.stack([right, down, forward])
    return tuple(float(v) for v in turn.ravel())
