"""The stitcher as the panorama's conveyor uses it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from hub.errors import HubError
from hub.picture import Picture
from hub.stitch import Stitcher, StitchPlan, split_planes

KERNELS = ("auto", "reference", "cpu", "gpu")


class Stitching(Protocol):
    """Makes panorama pictures, in one thread."""

    def stitch(self, frames: Sequence[Picture | None], into: Picture) -> None:
        """Write one picture from each camera's (None: it has none) into the planes of `into`."""


class _Stacked:
    """Today's stitcher, which takes and gives stacked planes."""

    def __init__(self, plan: StitchPlan) -> None:
        self._stitcher = Stitcher(plan)

    def stitch(self, frames: Sequence[Picture | None], into: Picture) -> None:
        made = self._stitcher.stitch([None if frame is None else _stacked(frame) for frame in frames])
        for plane, target in zip(split_planes(made, into.width_px, into.height_px), into, strict=True):
            target[:] = plane


def _stacked(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    flat = np.concatenate([plane.ravel() for plane in picture])
    return flat.reshape(picture.height_px * 3 // 2, picture.width_px)


def open_stitching(plan: StitchPlan, wanted: str) -> tuple[Stitching, list[str]]:
    """A stitcher by the wanted kernel, and what is to be told about the choice."""
    if wanted not in ("auto", "reference"):
        raise HubError(f"this version has no {wanted} kernel: take auto or reference")
    return _Stacked(plan), ["stitching by the reference kernel"]
