"""The panorama in plain OpenCV and NumPy: slow, exact, and what other kernels are judged by."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from hub.picture import Picture, Plane
from hub.stitch.colour import BLACK, DARK, Light
from hub.stitch.grid import CELL, Map
from hub.stitch.kernel import Job, darken, job_of, luma_means
from hub.stitch.plan import StitchPlan
from hub.stitch.seams import Cut


class _Part(NamedTuple):
    """What one camera can show: panorama columns [left, right), both even, in maps for luma and for chroma."""

    left: int
    right: int
    luma: tuple[Map, Map, Map]
    chroma: tuple[Map, Map, Map]


class ReferenceKernel:
    """Reads in floating point and rounds once, at the end. Keeps whole maps, interpolated from the plan's grids."""

    name = "reference"

    def __init__(self, plan: StitchPlan) -> None:
        self._plan = plan
        self._parts: dict[int, _Part | None] = {}

    def stitch(
        self,
        frames: Sequence[Picture | None],
        into: Picture,
        cuts: Sequence[Cut] | None = None,
        lights: Sequence[Light] | None = None,
    ) -> None:
        """See `Kernel`."""
        job = job_of(self._plan, frames, into, cuts, lights)
        if not job.cameras:
            darken(into)
            return
        self._make_luma(job)
        self._make_chroma(job)

    def _make_luma(self, job: Job) -> None:
        height, width = job.into.luma.shape
        made = np.full((height, width), DARK[0], np.float32)
        for nth, (camera, picture, light) in enumerate(zip(job.cameras, job.pictures, job.lights, strict=True)):
            own = np.full((height, width), DARK[0], np.float32)
            if part := self._part(camera):
                value, cover = _read(picture.luma, part.luma)
                lit = BLACK + (value - BLACK) * part.luma[2] * np.float32(light.luma)
                own[:, part.left : part.right] = DARK[0] + (lit - DARK[0]) * cover
            made = _handed_over(made, own, job.cuts[nth - 1] if nth else None)
        np.rint(made.clip(0, 255), casting="unsafe", out=job.into.luma)

    def _make_chroma(self, job: Job) -> None:
        height, width = job.into.blue.shape
        made = np.zeros((2, height, width), np.float32)
        for nth, (camera, picture, light) in enumerate(zip(job.cameras, job.pictures, job.lights, strict=True)):
            own = np.zeros((2, height, width), np.float32)
            if part := self._part(camera):
                blue, cover = _read(picture.blue, part.chroma)
                red, _ = _read(picture.red, part.chroma)
                above = luma_means(job.into.luma, part.left, part.right)
                for to, (by_luma, by_blue, by_red) in zip(own, light.chroma.tolist(), strict=True):
                    change = by_luma * above + by_blue * (blue - DARK[1]) + by_red * (red - DARK[2])
                    to[:, part.left // 2 : part.right // 2] = change * cover
            cut = job.cuts[nth - 1].halved() if nth else None
            made = np.stack([_handed_over(a, b, cut) for a, b in zip(made, own, strict=True)])
        for plane, values, dark in zip(job.into[1:], made, DARK[1:], strict=True):
            np.rint((values + dark).clip(0, 255), casting="unsafe", out=plane)

    def _part(self, camera: int) -> _Part | None:
        if camera not in self._parts:
            model, grid, view = self._plan.rig.cameras[camera], self._plan.luma[camera], self._plan.view
            near = (grid.x > -CELL) & (grid.x < model.width_px + CELL)
            near &= (grid.y > -CELL) & (grid.y < model.height_px + CELL)
            columns = np.flatnonzero(near.any(axis=0))
            self._parts[camera] = None
            if len(columns):
                # Two cells more, since what is seen may end between nodes.
                left = max(int(columns[0]) - 2, 0) * CELL
                right = min((int(columns[-1]) + 2) * CELL, view.width_px)
                luma = grid.maps(left, right, view.height_px)
                chroma = self._plan.chroma[camera].maps(left // 2, right // 2, view.height_px // 2)
                self._parts[camera] = _Part(left, right, luma, chroma)
        return self._parts[camera]


def _read(plane: Plane, maps: tuple[Map, Map, Map]) -> tuple[Map, Map]:
    """The plane at the maps' places, as if its outermost pixels went on for ever, and how much of each is within."""
    x, y = maps[0] - np.float32(0.5), maps[1] - np.float32(0.5)
    value = cv2.remap(plane.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    over = [
        np.maximum(np.maximum(-at, at - np.float32(size - 1)), 0)
        for at, size in ((x, plane.shape[1]), (y, plane.shape[0]))
    ]
    cover = np.clip(1 - over[0], 0, 1) * np.clip(1 - over[1], 0, 1)
    return np.asarray(value, np.float32), np.asarray(cover, np.float32)


def _handed_over(left: Map, right: Map, cut: Cut | None) -> Map:
    """What lies left of a cut from the one, right of it from the other, mixed where it is wide."""
    if cut is None:
        return right
    return left + (right - left) * cut.share(np.arange(left.shape[1]))
