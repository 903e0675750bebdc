"""Kernels have to prove themselves."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hub.stitch import Stitcher, StitchPlan
from hub.stitch.choose import choose
from hub.stitch.kernels.cpu import CpuKernel
from hub.stitch.kernels.reference import ReferenceKernel
from tests.hub.stitch.conftest import panorama

ROOT = Path(__file__).parents[3]


class Spoilt:
    """The compiled kernel, and then something goes wrong."""

    def __init__(self, plan: StitchPlan, spoil=None, fault: Exception | None = None) -> None:
        self.name = "gpu"
        self._kernel = CpuKernel(plan)
        self._spoil, self._fault = spoil, fault

    def stitch(self, frames, into, cuts=None, lights=None) -> None:
        if self._fault is not None:
            raise self._fault
        self._kernel.stitch(frames, into, cuts, lights)
        if self._spoil is not None:
            self._spoil(into)


def black(into) -> None:
    for plane in into:
        plane[:] = 0


def a_row_off(into) -> None:
    into.luma[1:] = into.luma[:-1].copy()


def a_column_of_chroma_off(into) -> None:
    into.red[:, 1:] = into.red[:, :-1].copy()


def one_pixel_off(into) -> None:
    into.luma[100, 300] += 3


def chroma_swapped(into) -> None:
    blue = into.blue.copy()
    into.blue[:], into.red[:] = into.red, blue


def left_as_it_was(into) -> None:
    into.luma[-16:] = 0


BROKEN = {
    "what it makes is black": partial(Spoilt, spoil=black),
    "luma is wrong in": partial(Spoilt, spoil=a_row_off),
    "red is wrong in": partial(Spoilt, spoil=a_column_of_chroma_off),
    "luma is wrong in 1 of": partial(Spoilt, spoil=one_pixel_off),
    "blue is wrong in": partial(Spoilt, spoil=chroma_swapped),
    "luma is wrong in ": partial(Spoilt, spoil=left_as_it_was),
    "the device was lost": partial(Spoilt, fault=RuntimeError("the device was lost")),
    "AssertionError": partial(Spoilt, fault=AssertionError()),
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_kernel_that_is_wrong_is_replaced_and_it_is_told_why(plan, why):
    kernels = {"gpu": BROKEN[why], "cpu": CpuKernel}
    for wanted in ("gpu", "auto"):
        kernel, reasons, _ = choose(plan, wanted, kernels)
        assert isinstance(kernel, CpuKernel)
        assert reasons[0].startswith(f"gpu: {why}")
        assert reasons[1].endswith("ms a panorama")
    kernel, reasons, _ = choose(plan, "gpu", {"gpu": BROKEN[why], "cpu": BROKEN[why]})
    assert isinstance(kernel, ReferenceKernel)
    assert len(reasons) == 2


def test_a_kernel_that_cannot_even_be_made_is_replaced(plan):
    def none(_: StitchPlan) -> CpuKernel:
        raise OSError("there is no adapter")

    kernel, reasons, _ = choose(plan, "gpu", {"gpu": none, "cpu": CpuKernel})
    assert kernel.name == "cpu"
    assert reasons[0] == "gpu: there is no adapter"


def test_who_wants_a_kernel_that_works_gets_it_though_another_is_faster(plan):
    kernels = {"gpu": Spoilt, "cpu": CpuKernel}
    kernel, reasons, _ = choose(plan, "gpu", kernels)
    assert isinstance(kernel, Spoilt)
    assert len(reasons) == 1
    assert isinstance(choose(plan, "cpu", kernels)[0], CpuKernel)
    kernel, reasons, _ = choose(plan, "reference", kernels)
    assert isinstance(kernel, ReferenceKernel)
    assert reasons == ()


def test_auto_takes_the_fastest(plan):
    class Slow(ReferenceKernel):
        name = "gpu"

    kernel, reasons, _ = choose(plan, "auto", {"gpu": Slow, "cpu": CpuKernel})
    assert kernel.name == "cpu"
    assert len(reasons) == 2


def test_a_stitcher_stitches_with_its_choice(plan, frames):
    stitcher = Stitcher(plan, "cpu")
    made, wanted = panorama(plan), panorama(plan)
    stitcher.stitch(frames, made)
    CpuKernel(plan).stitch(frames, wanted)
    assert stitcher.kernel.name == "cpu"
    assert stitcher.reasons
    for a, b in zip(made, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_looking_for_a_gpu_leaves_a_services_stderr_alone():
    env = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    script = (
        "import os\n"
        "from hub.stitch.kernels import gpu\n"
        "try: gpu._adapter()\n"
        "except gpu.GpuUnavailable: pass\n"
        "print('XDG_RUNTIME_DIR' in os.environ)\n"
    )
    asked = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=env | {"PYTHONPATH": "."}, capture_output=True, check=True
    )
    assert (asked.stderr, asked.stdout.split()) == (b"", [b"False"])
