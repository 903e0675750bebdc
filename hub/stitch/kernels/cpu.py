"""The panorama by compiled loops, in blocks of 8 x 8 pixels: what a hub without a GPU uses."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from hub.picture import Picture
from hub.stitch.colour import Light
from hub.stitch.grid import CELL
from hub.stitch.kernel import darken, job_of
from hub.stitch.kernels.cells import geometry_of
from hub.stitch.kernels.loops import VARIANTS, Camera, Edges, can_run, stitch
from hub.stitch.plan import StitchPlan
from hub.stitch.seams import Cut

_PART = 256
"""Columns that a thread makes at a time, about."""


class CpuKernel:
    """`variant` is one of `VARIANTS`, by default the best that this processor can run. With several threads each makes
    columns of the panorama."""

    def __init__(self, plan: StitchPlan, variant: str | None = None, threads: int = 1) -> None:
        able = [name for nth, name in enumerate(VARIANTS) if can_run(nth)]
        self.variant = able[-1] if variant is None else variant
        if self.variant not in able:
            raise ValueError(f"this processor does not run {variant}: it has {', '.join(able)}")
        self.name = "cpu"
        self._plan = plan
        view = plan.view
        self._geometry = [
            (
                geometry_of(luma, camera.width_px, camera.height_px),
                geometry_of(chroma, camera.width_px // 2, camera.height_px // 2),
            )
            for camera, luma, chroma in zip(plan.rig.cameras, plan.luma, plan.chroma, strict=True)
        ]
        count = min(threads, max(view.width_px // _PART, 1))
        cells = np.linspace(0, view.width_px / 16, count + 1).astype(int) * 16
        self._parts = [*zip(cells[:-1].tolist(), [*cells[1:-1].tolist(), view.width_px], strict=True)]
        self._pool = ThreadPoolExecutor(count, "stitch") if count > 1 else None

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
        cameras = [
            Camera(*self._geometry[i], picture, light.luma, light.chroma.astype(np.float32))
            for i, picture, light in zip(job.cameras, job.pictures, job.lights, strict=True)
        ]
        seams = [(_edges(cut), _edges(cut.halved())) for cut in job.cuts]
        work = partial(stitch, cameras, seams, into, VARIANTS.index(self.variant), 0, into.height_px)
        if self._pool is None:
            work(0, into.width_px)
        else:
            list(self._pool.map(work, *zip(*self._parts, strict=True)))


def _edges(cut: Cut) -> Edges:
    centre, width = (np.ascontiguousarray(values, np.float32) for values in (cut.centre, np.maximum(cut.width, 1)))
    half, blocks = width / 2, np.arange(0, len(centre), CELL)
    low, high = np.minimum.reduceat(centre - half, blocks), np.maximum.reduceat(centre + half, blocks)
    return Edges(centre, np.reciprocal(width), low, high)
