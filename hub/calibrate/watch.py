"""Whether cameras still look where they were calibrated to look, told by the painted lines while a match is on.

A mast that sun and wind turn slowly is followed: the lens and the place stay, the camera turns. One that was knocked,
or whose lens is covered, is told of, for then the lines are no longer where a small turn could put them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import msgspec
import numpy as np

from hub.calibrate.lens_jacobian import ROTATION, FittedCamera, fitted_camera, project
from hub.calibrate.paint import Markings, find_paint, markings, whiteness
from hub.calibrate.views import Picture
from wire.ids import NodeId
from wire.rig import Array, CameraModel, Rig

_WIDTH = 1920
_REACHES = (14.0, 6.0, 4.0)
"""How far from its prediction paint is looked for, in pixels at `_WIDTH`: a degree is some 30."""
_CLOSE_PX = 2.0
_CAUCHY_PX = 2.0
_LEAST_SAMPLES = 40
_LOST = 0.5
"""Share of the lines found when the rig was calibrated that must still be found."""
_STEADY_PX = 0.35
"""Turns that move the middle of the picture by less are noise, and let be."""


class Standing(StrEnum):
    """How a camera stands, compared with its calibration."""

    STEADY = "steady"
    TURNED = "turned"
    LOST = "lost"


@dataclass(frozen=True)
class Sight:
    """What one look told of a camera: how it stands, the turn (rotation vector (3,), radians, camera axes) since the
    calibration, by how many pixels that moves the middle of its picture, and the share of the lines that were found."""

    node: NodeId
    standing: Standing
    turn: Array
    moved_px: float
    share: float


class Watch:
    """Looks at a rig's pictures again and again. The measure is the share of the lines that each camera shows where
    they were at first; a camera without a picture is passed over."""

    def __init__(self, rig: Rig) -> None:
        self._painted = markings(rig.pitch)
        self._rig = rig

    def shares(self, pictures: Sequence[Picture | None]) -> tuple[float | None, ...]:
        """Of each camera from the left the share of the lines that its picture (h, w, 3) BGR shows."""
        return tuple(
            None if picture is None else _found(fitted_camera(camera), picture, self._painted)[1]
            for camera, picture in zip(self._rig.cameras, pictures, strict=True)
        )

    def look(self, pictures: Sequence[Picture | None], before: Sequence[float | None]) -> list[Sight | None]:
        """What the pictures (h, w, 3) BGR, one per camera from the left, tell of each, compared with the shares of
        lines that were found before. People may be on them: most of a line is free."""
        return [
            None if picture is None or share is None else self._of(camera, picture, share)
            for camera, picture, share in zip(self._rig.cameras, pictures, before, strict=True)
        ]

    def _of(self, camera: CameraModel, picture: Picture, before: float) -> Sight:
        first = fitted_camera(camera)
        turned, share = _found(first, picture, self._painted)
        turn = cv2.Rodrigues(turned.turn @ first.turn.T)[0].ravel()
        ahead = first.turn[2] * 50.0 + first.centre_m
        moved = float(np.linalg.norm((project(turned, ahead[None]).pixels - project(first, ahead[None]).pixels)[0]))
        if share < _LOST * before:
            standing = Standing.LOST
        elif moved < _STEADY_PX * camera.width_px / _WIDTH:
            standing = Standing.STEADY
        else:
            standing = Standing.TURNED
        return Sight(camera.node, standing, np.asarray(turn, np.float64), moved, share)


def followed(calibrated: Rig, now: Rig, sights: Sequence[Sight | None]) -> Rig:
    """The rig as it stands: each camera as it was calibrated, turned as was seen; one that is lost or unseen stays as
    it is now."""
    cameras = zip(calibrated.cameras, now.cameras, sights, strict=True)
    return msgspec.structs.replace(now, cameras=tuple(_followed(*each) for each in cameras))


def _followed(calibrated: CameraModel, now: CameraModel, sight: Sight | None) -> CameraModel:
    if sight is None or sight.standing is Standing.LOST:
        return now
    if sight.standing is Standing.STEADY:
        return calibrated
    left, _, right = np.linalg.svd(cv2.Rodrigues(sight.turn.reshape(3, 1))[0] @ calibrated.turn)
    return msgspec.structs.replace(calibrated, rotation=tuple(float(v) for v in (left @ right).ravel()))


def _found(camera: FittedCamera, picture: Picture, painted: Markings) -> tuple[FittedCamera, float]:
    """The camera turned onto the paint near its prediction, and the share of the lines that then lie as they should."""
    white, here = whiteness(picture), camera
    scale = camera.width_px / _WIDTH
    for reach in _REACHES:
        paint = find_paint(here, white, painted, reach * scale)
        if len(paint.pixels) < _LEAST_SAMPLES:
            return camera, 0.0
        for _ in range(4):
            seen = project(here, paint.points_m)
            gap = ((seen.pixels - paint.pixels) * paint.normals).sum(axis=1)
            slope = np.einsum("ni,nij->nj", paint.normals, seen.by_parameters[:, :, ROTATION])
            weight = seen.good / (1 + (gap / (_CAUCHY_PX * scale)) ** 2)
            step = -np.linalg.solve(
                (slope * weight[:, None]).T @ slope + 1e-6 * np.eye(3), (slope * weight[:, None]).T @ gap
            )
            here = replace(here, turn=cv2.Rodrigues(step.reshape(3, 1))[0] @ here.turn)
    last = find_paint(here, white, painted, _REACHES[-1] * scale)
    return here, float((np.abs(last.offset_px) < _CLOSE_PX * scale).sum()) / max(last.expected, 1)
