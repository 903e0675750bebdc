"""Robust joint least squares over all cameras of a rig (Levenberg-Marquardt, reweighted by a Cauchy loss)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hub.calibrate.lens_jacobian import PARAMETERS, FittedCamera
from wire.rig import Array


@dataclass(frozen=True)
class Term:
    """Residuals (n, k) in standard deviations with their derivatives (n, k, 14 * cameras).

    `cauchy` is the length of a residual vector beyond which it loses its pull; infinite for a plain square.
    """

    residuals: Array
    jacobian: Array
    cauchy: float = np.inf


Terms = Callable[[Sequence[FittedCamera]], list[Term]]


def spread(jacobian: Array, camera: int, cameras: int) -> Array:
    """One camera's derivatives (n, k, 14) as columns among those of all cameras."""
    wide = np.zeros((*jacobian.shape[:2], PARAMETERS * cameras))
    wide[:, :, PARAMETERS * camera : PARAMETERS * (camera + 1)] = jacobian
    return wide


def _cost(terms: Sequence[Term]) -> float:
    total = 0.0
    for term in terms:
        squares = (term.residuals**2).sum(axis=1)
        if np.isfinite(term.cauchy):
            squares = term.cauchy**2 * np.log1p(squares / term.cauchy**2)
        total += float(squares.sum())
    return total


def _normal_equations(terms: Sequence[Term], size: int) -> tuple[Array, Array]:
    matrix, vector = np.zeros((size, size)), np.zeros(size)
    for term in terms:
        if not len(term.residuals):
            continue
        weight = 1 / np.sqrt(1 + (term.residuals**2).sum(axis=1) / term.cauchy**2)
        rows = (term.jacobian * weight[:, None, None]).reshape(-1, size)
        matrix += rows.T @ rows
        vector += rows.T @ (term.residuals * weight[:, None]).ravel()
    return matrix, vector


def minimise(cameras: Sequence[FittedCamera], terms: Terms, steps: int = 20) -> tuple[list[FittedCamera], float, Array]:
    """The cameras at the minimum, its cost, and the covariance (14 * cameras, 14 * cameras) of their parameters."""
    here = list(cameras)
    size = PARAMETERS * len(here)
    found = terms(here)
    cost, damping = _cost(found), 1e-3
    for _ in range(steps):
        matrix, vector = _normal_equations(found, size)
        scale = np.diag(matrix).copy() + 1e-12
        better = False
        gain = 0.0
        while damping < 1e8:
            step: Array = -np.linalg.solve(matrix + np.diag(damping * scale), vector).astype(np.float64)
            moved = [c.moved(step[PARAMETERS * i : PARAMETERS * (i + 1)]) for i, c in enumerate(here)]
            tried = terms(moved)
            new = _cost(tried)
            if np.isfinite(new) and new < cost:
                gain, better = cost - new, True
                here, found, cost = moved, tried, new
                damping = max(damping / 8, 1e-9)
                break
            damping *= 6
        if not better or gain < 1e-5 * cost + 1e-9:
            break
    matrix, _ = _normal_equations(found, size)
    return here, cost, np.asarray(np.linalg.pinv(matrix, hermitian=True), np.float64)
