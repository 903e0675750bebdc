"""Which kernel stitches: the fastest that proves on this machine that it can."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from hub.errors import HubError
from hub.picture import Picture, Plane
from hub.stitch.colour import Light
from hub.stitch.kernel import Kernel
from hub.stitch.kernels.cpu import CpuKernel
from hub.stitch.kernels.gpu import GpuKernel
from hub.stitch.kernels.reference import ReferenceKernel
from hub.stitch.plan import StitchPlan
from hub.stitch.seams import Cut

Wanted = Literal["auto", "reference", "cpu", "gpu"]
Maker = Callable[[StitchPlan], Kernel]

MOST_LEVELS = 2
"""By which a kernel may differ from the reference, in any pixel."""
_TRIES = 3


class KernelUnfit(HubError):
    """A kernel that does not make the panorama that it should."""


class Choice(NamedTuple):
    """The kernel that stitches, in words what was found out about each that was asked, and what makes another such
    kernel."""

    kernel: Kernel
    reasons: tuple[str, ...]
    make: Maker


def makers(wanted: Wanted, threads: int = 1) -> dict[str, Maker]:
    """The kernels that have to prove themselves, in the order in which they are fallen back on. A GPU that the
    processor only imitates is slower than the processor itself: only who asks for a GPU gets that."""
    return {"gpu": partial(GpuKernel, software=wanted == "gpu"), "cpu": partial(CpuKernel, threads=threads)}


def choose(plan: StitchPlan, wanted: Wanted = "auto", kernels: Mapping[str, Maker] | None = None) -> Choice:
    """The wanted kernel, or what stands in for it: for `gpu` that is `cpu`, for that `reference`, which needs no proof.

    Each is handed a picture made up for the purpose, at full size, and has to make of it what the reference makes;
    `auto` takes the fastest of those that do.
    """
    if wanted == "reference":
        return Choice(ReferenceKernel(plan), (), ReferenceKernel)
    asked = makers(wanted) if kernels is None else kernels
    names = list(asked)
    if wanted != "auto":
        names = names[names.index(wanted) :] if wanted in names else names
    reasons: list[str] = []
    fit: list[tuple[float, Kernel, Maker]] = []
    proof = _Proof(plan)
    for name in names:
        try:
            kernel = asked[name](plan)
            proof.check(kernel)
        except Exception as fault:  # whatever a driver throws: another kernel stands in
            reasons.append(f"{name}: {str(fault) or type(fault).__name__}")
            continue
        taken = proof.seconds(kernel)
        reasons.append(f"{name}: {taken * 1e3:.1f} ms a panorama")
        fit.append((taken, kernel, asked[name]))
        if wanted != "auto":
            break
    if not fit:
        return Choice(ReferenceKernel(plan), tuple(reasons), ReferenceKernel)
    _, kernel, make = min(fit, key=lambda each: each[0])
    return Choice(kernel, tuple(reasons), make)


class Stitcher:
    """Makes panoramas after one plan by the kernel of `choose`, which `reasons` are about. For one thread at a time."""

    def __init__(self, plan: StitchPlan, wanted: Wanted = "auto", threads: int = 1) -> None:
        self.plan = plan
        self._wanted: Wanted = wanted
        self._makers = makers(wanted, threads)
        self.kernel, self.reasons, self._make = choose(plan, wanted, self._makers)

    def replan(self, plan: StitchPlan) -> None:
        """Go on with another plan of the same sizes, by the kernel that has proven itself; by another where a driver
        makes no second one."""
        try:
            self.kernel = self._make(plan)
        except Exception:  # whatever a driver throws: another kernel stands in
            self.kernel, self.reasons, self._make = choose(plan, self._wanted, self._makers)
        self.plan = plan

    def stitch(
        self,
        frames: Sequence[Picture | None],
        into: Picture,
        cuts: Sequence[Cut] | None = None,
        lights: Sequence[Light] | None = None,
    ) -> None:
        """See `Kernel`."""
        self.kernel.stitch(frames, into, cuts, lights)


class _Proof:
    """A picture that shows when a kernel is wrong: no two places near each other look alike in it."""

    def __init__(self, plan: StitchPlan) -> None:
        cameras = plan.rig.cameras
        self._frames = [_waves(camera.width_px, camera.height_px, nth) for nth, camera in enumerate(cameras)]
        self._wanted = Picture.empty(plan.view.width_px, plan.view.height_px)
        ReferenceKernel(plan).stitch(self._frames, self._wanted)
        self._made = Picture.empty(plan.view.width_px, plan.view.height_px)

    def check(self, kernel: Kernel) -> None:
        """Raises `KernelUnfit` when the kernel makes something else than the reference, or whatever it raises."""
        for plane in self._made:
            plane[:] = 0
        kernel.stitch(self._frames, self._made)
        if not self._made.luma.any():
            raise KernelUnfit("what it makes is black")
        for name, made, wanted in zip(Picture._fields, self._made, self._wanted, strict=True):
            # Differences in bytes: as whole numbers they would take 50 MB.
            wrong = np.count_nonzero(np.maximum(made, wanted) - np.minimum(made, wanted) > MOST_LEVELS)
            if wrong:
                raise KernelUnfit(f"{name} is wrong in {wrong} of {made.size} pixels")

    def seconds(self, kernel: Kernel) -> float:
        """For one panorama, at best."""
        taken = []
        for _ in range(_TRIES):
            began = time.perf_counter()
            kernel.stitch(self._frames, self._made)
            taken.append(time.perf_counter() - began)
        return min(taken)


def _waves(width: int, height: int, phase: int) -> Picture:
    def plane(width: int, height: int, spread: float) -> Plane:
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        along = np.sin(x / 7 + phase) + np.sin(x / 173 + 2 * phase)
        down = np.sin(y / 6 - phase) + np.sin(y / 131 + phase)
        return np.asarray(125 + spread * (along[None, :] + down[:, None]), np.uint8)

    half = (width // 2, height // 2)
    return Picture(plane(width, height, 24.0), plane(*half, 12.0), plane(*half, 12.0))
