"""What every kernel does with a plan, and what it is handed to do it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from hub.errors import FramesDoNotFit
from hub.picture import Picture, Plane
from hub.stitch.colour import BLACK, DARK, Light
from hub.stitch.grid import Map
from hub.stitch.plan import StitchPlan
from hub.stitch.seams import Cut


class Kernel(Protocol):
    """Makes panoramas after one plan. For one thread at a time."""

    name: str

    def stitch(
        self,
        frames: Sequence[Picture | None],
        into: Picture,
        cuts: Sequence[Cut] | None = None,
        lights: Sequence[Light] | None = None,
    ) -> None:
        """Write one panorama into the caller's picture, from one frame of each camera, from the left.

        A camera whose frame is missing (None) is replaced by its neighbours as far as they see; the rest is dark.
        `cuts` are one for each pair of neighbours that have frames, `lights` one for each camera of the rig; both may
        change with every frame at no cost, and are the plan's when left out. Raises `FramesDoNotFit` when a frame is
        not of its camera's size, or the panorama not of the plan's.

        Each camera is read by linear interpolation at the place its grid tells. There luma v becomes
        16 + (v - 16) * the light's luma * the grid's gain, chroma what `Light` says; over the last pixel beyond a
        picture's edge that fades into the dark, by the same interpolation. Cut by cut from the left, what is there so
        far is mixed with the next camera by its share.
        """


class Job(NamedTuple):
    """One panorama to be made: the cameras that have pictures, from the left, the cuts between them, their lights."""

    cameras: tuple[int, ...]
    pictures: tuple[Picture, ...]
    cuts: tuple[Cut, ...]
    lights: tuple[Light, ...]
    into: Picture


def job_of(
    plan: StitchPlan,
    frames: Sequence[Picture | None],
    into: Picture,
    cuts: Sequence[Cut] | None,
    lights: Sequence[Light] | None,
) -> Job:
    """What `Kernel.stitch` was asked for, checked and with the plan's cuts and lights where none were given."""
    models = plan.rig.cameras
    if len(frames) != len(models):
        raise FramesDoNotFit(f"{len(frames)} frames for a rig of {len(models)} cameras")
    for i, (frame, camera) in enumerate(zip(frames, models, strict=True)):
        if frame is not None:
            _check(frame, f"camera {i} was calibrated at", "its frame", camera.width_px, camera.height_px)
    _check(into, "the panorama is", "the picture for it", plan.view.width_px, plan.view.height_px)
    cameras = tuple(i for i, frame in enumerate(frames) if frame is not None)
    if cuts is None:
        cuts = [seam.default for seam in plan.seams(cameras)]
    if len(cuts) != max(len(cameras) - 1, 0):
        raise FramesDoNotFit(f"{len(cuts)} cuts between {len(cameras)} cameras")
    lit = plan.lights if lights is None else lights
    return Job(
        cameras,
        tuple(frame for frame in frames if frame is not None),
        tuple(cuts),
        tuple(lit[i].within() for i in cameras),
        into,
    )


def _check(picture: Picture, whose: str, what: str, width: int, height: int) -> None:
    if picture.luma.shape != (height, width):
        raise FramesDoNotFit(f"{whose} {width}x{height}, but {what} is {picture.width_px}x{picture.height_px}")
    for plane, shape in zip(
        picture, ((height, width), (height // 2, width // 2), (height // 2, width // 2)), strict=True
    ):
        if plane.dtype != np.uint8 or plane.shape != shape or plane.strides[1] != 1:
            raise FramesDoNotFit(f"{what} is not made of YUV 4:2:0 planes of bytes")


def darken(into: Picture) -> None:
    """All dark: what is shown when no camera gives a picture."""
    for plane, dark in zip(into, DARK, strict=True):
        plane[:] = dark


def luma_means(luma: Plane, left: int, right: int) -> Map:
    """Luma above black, averaged over the four pixels of each chroma pixel of luma columns [left, right), both even."""
    part = luma[: luma.shape[0] // 2 * 2, left:right].astype(np.float32)
    return (part[::2, ::2] + part[1::2, ::2] + part[::2, 1::2] + part[1::2, 1::2]) * np.float32(0.25) - np.float32(
        BLACK
    )
