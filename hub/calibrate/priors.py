"""What is believed of a camera before its picture is looked at: its lens, and where such a camera stands."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hub.calibrate.least_squares import Term
from hub.calibrate.lens_jacobian import FOCAL, PARAMETERS, FittedCamera
from wire.rig import Array, Lens

_LENS_MEAN = np.array([-0.2, 0.06, 0.0, 0.0, 0.0])
_LENS_SPREAD = np.array([0.15, 0.08, 0.0008, 0.0008, 0.015])
"""k1, k2, p1, p2, k3: small board cameras lie between no distortion and an equidistant lens (k1 -1/3, k2 1/5)."""
_PRINCIPAL_SPREAD = 0.006
"""Of the picture's width: mounting tolerance of sensor and lens."""
_UNIT_FOCAL, _UNIT_PRINCIPAL, _UNIT_BEND, _UNIT_TANGENTIAL = 0.005, 0.003, 0.005, 0.0005
"""What cameras of one model differ by, focus included: the focal length (as a share), the axis (of the picture's
width), how far the radial terms move the end of the picture's middle row (as a share), and p1, p2."""


class LensBelief(NamedTuple):
    """What a camera's lens is taken for, and the standard deviations of that: log focal length, cx, cy (pixels), k1,
    k2, p1, p2, k3, as (8,)."""

    likeliest: Array
    spread: Array

    def off(self, camera: FittedCamera) -> Array:
        """How far (8,) a fitted lens is from that, in standard deviations."""
        return (_values(camera)[FOCAL:] - self.likeliest) / self.spread


def usual_belief(
    width_px: int, height_px: int, focal_px: float, log_spread: float, lens_spread: float = 1.0
) -> LensBelief:
    """A lens of that focal length, with a spread of its logarithm, that bends lines as most do."""
    axis = np.full(2, _PRINCIPAL_SPREAD * width_px)
    return LensBelief(
        np.concatenate([[np.log(focal_px), width_px / 2, height_px / 2], _LENS_MEAN]),
        np.concatenate([[log_spread], axis, _LENS_SPREAD * lens_spread]),
    )


def measured_belief(lens: Lens, width_px: int, share: float = 1.0) -> LensBelief:
    """A lens of which another camera's was measured; `share` of what cameras of one model differ by."""
    ((end, _),) = lens.undistort(np.array([[width_px / 2 / lens.focal_px, 0.0]]))
    bend = _UNIT_BEND / end ** np.array([2, 4, 6])
    likeliest = [np.log(lens.focal_px), lens.cx_px, lens.cy_px, lens.k1, lens.k2, lens.p1, lens.p2, lens.k3]
    axis, tangential = _UNIT_PRINCIPAL * width_px, _UNIT_TANGENTIAL
    spread = [_UNIT_FOCAL, axis, axis, bend[0], bend[1], tangential, tangential, bend[2]]
    return LensBelief(np.array(likeliest), share * np.array(spread))


def lens_prior(cameras: Sequence[FittedCamera], beliefs: Sequence[LensBelief]) -> Term:
    """Each camera's lens near what it is taken for."""
    return _diagonal(
        cameras,
        [belief.off(camera) for camera, belief in zip(cameras, beliefs, strict=True)],
        FOCAL,
        [1 / belief.spread for belief in beliefs],
    )


def stand_prior(cameras: Sequence[FittedCamera], place_m: Sequence[Array], spread_m: Array) -> Term:
    """Each camera's position (3,) near a place (3,), metres."""
    return _diagonal(
        cameras,
        [(c.centre_m - place) / spread_m for c, place in zip(cameras, place_m, strict=True)],
        3,
        [1 / spread_m for _ in cameras],
    )


def _diagonal(cameras: Sequence[FittedCamera], values: list[Array], first: int, slopes: list[Array]) -> Term:
    count = len(values[0])
    size = PARAMETERS * len(cameras)
    jacobian = np.zeros((count * len(cameras), 1, size))
    for i, slope in enumerate(slopes):
        rows = np.arange(count)
        jacobian[i * count + rows, 0, i * PARAMETERS + first + rows] = slope
    return Term(np.concatenate(values)[:, None], jacobian)


def alike(cameras: Sequence[FittedCamera], parameters: slice, spread: Array) -> Term:
    """The cameras' values of some parameters lie near their mean: one pole, or one model of lens."""
    n = len(cameras)
    values = np.stack([_values(c)[parameters] for c in cameras])
    count = values.shape[1]
    residuals = (values - values.mean(axis=0)) / spread
    jacobian = np.zeros((n * count, 1, PARAMETERS * n))
    for i in range(n):
        for j in range(n):
            for k in range(count):
                column = j * PARAMETERS + parameters.start + k
                jacobian[i * count + k, 0, column] = ((i == j) - 1 / n) / spread[k]
    return Term(residuals.reshape(-1, 1), jacobian)


def _values(camera: FittedCamera) -> Array:
    return np.concatenate(
        [np.zeros(3), camera.centre_m, [np.log(camera.focal_px)], camera.principal_px, camera.distortion]
    )


def roll_prior(cameras: Sequence[FittedCamera], spread: float) -> Term:
    """Each camera's x axis lies level in the pitch frame, within a spread in radians."""
    n = len(cameras)
    jacobian = np.zeros((n, 1, PARAMETERS * n))
    residuals = np.zeros((n, 1))
    for i, camera in enumerate(cameras):
        # z of the camera's x axis; a turn w after R moves the axis (row 0) by -w x: d row0 = w_z row1 - w_y row2.
        residuals[i, 0] = camera.turn[0, 2] / spread
        jacobian[i, 0, i * PARAMETERS + 2] = camera.turn[1, 2] / spread
        jacobian[i, 0, i * PARAMETERS + 1] = -camera.turn[2, 2] / spread
    return Term(residuals, jacobian)
