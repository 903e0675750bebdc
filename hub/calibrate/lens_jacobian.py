"""A camera being fitted: its parameters, its projection and the derivatives of it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from wire.ids import NodeId
from wire.rig import Array, CameraModel, Lens

PARAMETERS = 14
"""Rotation vector 3 (radians, applied after R), position 3 (m), log focal, cx, cy (px), k1, k2, p1, p2, k3."""
ROTATION, POSITION, FOCAL, CENTRE, RADIAL = slice(0, 3), slice(3, 6), 6, slice(7, 9), slice(9, 14)


@dataclass(frozen=True)
class FittedCamera:
    """A camera's state during the fit; `camera_model` gives the result. Frames and units as in `wire.rig`."""

    node: NodeId
    width_px: int
    height_px: int
    turn: Array
    centre_m: Array
    focal_px: float
    principal_px: Array
    distortion: Array
    """k1, k2, p1, p2, k3"""

    def moved(self, step: Array) -> "FittedCamera":
        """The camera after a step (14,) of its parameters."""
        turn = cv2.Rodrigues(step[ROTATION].reshape(3, 1))[0] @ self.turn
        left, _, right = np.linalg.svd(turn)
        return replace(
            self,
            turn=left @ right,
            centre_m=self.centre_m + step[POSITION],
            focal_px=float(self.focal_px * np.exp(np.clip(step[FOCAL], -0.5, 0.5))),
            principal_px=self.principal_px + step[CENTRE],
            distortion=self.distortion + step[RADIAL],
        )

    def camera_model(self) -> CameraModel:
        """The same camera as it crosses machines."""
        k1, k2, p1, p2, k3 = (float(v) for v in self.distortion)
        lens = Lens(self.focal_px, float(self.principal_px[0]), float(self.principal_px[1]), k1, k2, p1, p2, k3)
        r = tuple(float(v) for v in self.turn.ravel())
        x, y, z = (float(v) for v in self.centre_m)
        return CameraModel(
            self.node,
            self.width_px,
            self.height_px,
            lens,
            (r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8]),
            (x, y, z),
        )


def fitted_camera(camera: CameraModel) -> FittedCamera:
    """A calibrated camera to be fitted once more."""
    lens = camera.lens
    return FittedCamera(
        camera.node,
        camera.width_px,
        camera.height_px,
        camera.turn,
        camera.centre,
        lens.focal_px,
        np.array([lens.cx_px, lens.cy_px]),
        np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3]),
    )


def with_lens(camera: FittedCamera, lens: Lens) -> FittedCamera:
    """The camera where it is, behind another lens."""
    return replace(
        camera,
        focal_px=lens.focal_px,
        principal_px=np.array([lens.cx_px, lens.cy_px]),
        distortion=np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3]),
    )


@dataclass(frozen=True)
class Projection:
    """Pixels (n, 2) of points, their derivatives by the point (n, 2, 3) and by the parameters (n, 2, 14).

    Where `good` (n,) is false the point is behind the camera or beyond the lens model, and its row means nothing.
    """

    pixels: Array
    by_point: Array
    by_parameters: Array
    good: npt.NDArray[np.bool_]


def project(camera: FittedCamera, points_m: Array) -> Projection:
    """Where pitch-frame points (n, 3) appear, with analytic derivatives."""
    k1, k2, p1, p2, k3 = camera.distortion
    f = camera.focal_px
    local = (points_m - camera.centre_m) @ camera.turn.T
    limit = Lens(f, 0.0, 0.0, k1, k2, p1, p2, k3).max_radius()
    good = local[:, 2] > 0.05
    z = np.where(good, local[:, 2], 1.0)
    x, y = local[:, 0] / z, local[:, 1] / z
    good &= np.hypot(x, y) < limit
    x, y = np.where(good, x, 0.0), np.where(good, y, 0.0)
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = k1 + r2 * (2 * k2 + r2 * 3 * k3)
    xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    yd = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    n = len(points_m)
    bend = np.empty((n, 2, 2))
    bend[:, 0, 0] = radial + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x
    bend[:, 0, 1] = 2 * x * y * slope + 2 * p1 * x + 2 * p2 * y
    bend[:, 1, 0] = bend[:, 0, 1]
    bend[:, 1, 1] = radial + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x
    flatten = np.zeros((n, 2, 3))
    flatten[:, 0, 0] = flatten[:, 1, 1] = 1 / z
    flatten[:, 0, 2], flatten[:, 1, 2] = -x / z, -y / z
    by_local = f * (bend @ flatten)
    by_point = by_local @ camera.turn
    by_parameters = np.zeros((n, 2, PARAMETERS))
    # A turn by a small w after R moves the local point by w x local.
    lx, ly, lz = x * z, y * z, z
    cross = np.zeros((n, 3, 3))
    cross[:, 0, 1], cross[:, 0, 2] = lz, -ly
    cross[:, 1, 0], cross[:, 1, 2] = -lz, lx
    cross[:, 2, 0], cross[:, 2, 1] = ly, -lx
    by_parameters[:, :, ROTATION] = by_local @ cross
    by_parameters[:, :, POSITION] = -by_point
    by_parameters[:, 0, FOCAL], by_parameters[:, 1, FOCAL] = f * xd, f * yd
    by_parameters[:, 0, 7] = by_parameters[:, 1, 8] = 1.0
    for column, power in ((9, r2), (10, r2 * r2), (13, r2 * r2 * r2)):
        by_parameters[:, 0, column], by_parameters[:, 1, column] = f * x * power, f * y * power
    by_parameters[:, 0, 11], by_parameters[:, 1, 11] = f * 2 * x * y, f * (r2 + 2 * y * y)
    by_parameters[:, 0, 12], by_parameters[:, 1, 12] = f * (r2 + 2 * x * x), f * 2 * x * y
    pixels = np.stack([xd, yd], axis=1) * f + camera.principal_px
    return Projection(pixels, by_point, by_parameters, good)
