"""What is believed of a camera before its picture is looked at: its lens, and where such a camera stands."""

from collections.abc import Sequence

import numpy as np

from hub.calibrate.least_squares import Term
from hub.calibrate.lens_jacobian import PARAMETERS, FittedCamera
from wire.rig import Array

_LENS_MEAN = np.array([-0.2, 0.06, 0.0, 0.0, 0.0])
_LENS_SPREAD = np.array([0.15, 0.08, 0.0008, 0.0008, 0.015])
"""k1, k2, p1, p2, k3: small board cameras lie between no distortion and an equidistant lens (k1 -1/3, k2 1/5)."""
_PRINCIPAL_SPREAD = 0.006
"""Of the picture's width: mounting tolerance of sensor and lens."""


def lens_prior(
    cameras: Sequence[FittedCamera], focal_px: Sequence[float], log_spread: float, lens_spread: float = 1.0
) -> Term:
    """Each camera's lens near its nominal focal length (spread of its logarithm) and the usual distortion."""
    return _diagonal(
        cameras,
        [
            np.concatenate(
                [
                    [(np.log(c.focal_px) - np.log(f)) / log_spread],
                    (c.principal_px - (c.width_px / 2, c.height_px / 2)) / (_PRINCIPAL_SPREAD * c.width_px),
                    (c.distortion - _LENS_MEAN) / (_LENS_SPREAD * lens_spread),
                ]
            )
            for c, f in zip(cameras, focal_px, strict=True)
        ],
        6,
        [
            np.concatenate(
                [
                    [1 / log_spread],
                    np.full(2, 1 / (_PRINCIPAL_SPREAD * c.width_px)),
                    1 / (_LENS_SPREAD * lens_spread),
                ]
            )
            for c in cameras
        ],
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
