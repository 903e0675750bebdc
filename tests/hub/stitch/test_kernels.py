"""The contract of all kernels."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial

import cv2
import msgspec
import numpy as np
import pytest

from hub.errors import FramesDoNotFit
from hub.picture import Picture
from hub.stitch import Cut, Kernel, Light, StitchPlan, plan_panorama
from hub.stitch.colour import _TO_YUV
from hub.stitch.kernels import gpu as gpu_module
from hub.stitch.kernels.cpu import CpuKernel
from hub.stitch.kernels.gpu import GpuKernel, GpuUnavailable
from hub.stitch.kernels.loops import VARIANTS, can_run
from hub.stitch.kernels.reference import ReferenceKernel
from tests.hub.stitch.conftest import mast_rig, panorama, pictures, sideline_rig
from wire.rig import Array, CameraModel, Rig

KERNELS: dict[str, Callable[[StitchPlan], Kernel]] = {
    "reference": ReferenceKernel,
    **{f"cpu-{name}": partial(CpuKernel, variant=name) for nth, name in enumerate(VARIANTS) if can_run(nth)},
    "cpu-threads": partial(CpuKernel, threads=3),
}


@cache
def on_gpu(plan: StitchPlan) -> GpuKernel:
    """One for each plan: to compile shaders takes a second."""
    try:
        return GpuKernel(plan, software=True)
    except GpuUnavailable as why:
        # `make test` installs what it takes.
        if os.environ.get("CI"):
            raise
        pytest.skip(str(why))


KERNELS["gpu"] = on_gpu
RIGS: dict[str, Callable[[], Rig]] = {
    "mast": mast_rig,
    "sideline": sideline_rig,
    "pair": lambda: mast_rig(2),
    "one": lambda: mast_rig(1),
}
_PLANS: dict[str, StitchPlan] = {}


def plan_of(name: str) -> StitchPlan:
    if name not in _PLANS:
        _PLANS[name] = plan_panorama(RIGS[name](), 1024)
    return _PLANS[name]


def stitched(kernel: Kernel, plan: StitchPlan, *given: object) -> Picture:
    into = panorama(plan)
    kernel.stitch(*given[:1], into, *given[1:])  # type: ignore[arg-type]
    return into


def assert_alike(made: Picture, wanted: Picture, most: int = 2) -> None:
    for name, a, b in zip(Picture._fields, made, wanted, strict=True):
        gap = np.abs(a.astype(int) - b)
        worst = np.unravel_index(gap.argmax(), gap.shape)
        assert gap.max() <= most, f"{name} at {worst}: {a[worst]}, not {b[worst]}; {(gap > most).sum()} pixels"


@pytest.fixture(params=KERNELS)
def make(request) -> Callable[[StitchPlan], Kernel]:
    return KERNELS[request.param]


def agrees(make: Callable[[StitchPlan], Kernel], plan: StitchPlan, frames: Sequence[Picture | None], *given: object):
    made = stitched(make(plan), plan, frames, *given)
    assert_alike(made, stitched(ReferenceKernel(plan), plan, frames, *given))
    return made


@pytest.mark.parametrize("blur", [3.0, 0.5])
@pytest.mark.parametrize("name", RIGS)
def test_kernels_agree_within_two_levels_borders_included(make, name, blur):
    plan = plan_of(name)
    made = agrees(make, plan, pictures(plan.rig, blur))
    assert made.luma.std() > 20


@pytest.mark.parametrize("gone", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("name", ["mast", "sideline"])
def test_neighbours_take_over_for_cameras_that_are_missing(make, name, gone):
    plan = plan_of(name)
    frames = [None if i in gone else f for i, f in enumerate(pictures(plan.rig))]
    made = agrees(make, plan, frames)
    assert (made.luma == 24).mean() > 0.05
    assert (made.luma != 24).mean() > 0.1


def test_a_lost_camera_leaves_a_calm_gap_that_its_neighbours_narrow_and_comes_back(make):
    plan = plan_of("mast")
    frames = pictures(plan.rig)
    kernel = make(plan)
    whole = stitched(kernel, plan, frames)
    gone = stitched(kernel, plan, [frames[0], None, frames[2]])
    dark = (gone.luma == 24) & (whole.luma > 30)
    first, second = (seam.column for seam in plan.seams())
    assert 0 < dark.sum() < (second - first) * plan.view.height_px / 2
    np.testing.assert_array_equal(gone.luma[:, :200], whole.luma[:, :200])
    inner = cv2.erode(dark.astype(np.uint8), np.ones((7, 7), np.uint8))[::2, ::2] > 0
    assert inner.sum() > 1000
    assert (gone.blue[inner] == 128).all()
    assert (gone.red[inner] == 128).all()
    nothing = stitched(kernel, plan, [None, None, None])
    assert {(int(p.min()), int(p.max())) for p in nothing} == {(24, 24), (128, 128)}
    assert_alike(stitched(kernel, plan, frames), whole, 0)


def test_cuts_may_move_with_every_frame_and_from_row_to_row(make):
    plan = plan_of("mast")
    frames, kernel, height = pictures(plan.rig), make(plan), plan.view.height_px
    rng = np.random.default_rng(1)
    for feather in (60.0, 7.3, 0.0):
        wished = [s.cut(s.column + 12 * np.sin(np.arange(height) / 9 + k), feather) for k, s in enumerate(plan.seams())]
        # Nobody promises that cuts keep to where cameras see, or keep their order.
        wild = [Cut(rng.uniform(-50, plan.view.width_px + 50, height), np.full(height, feather)) for _ in range(2)]
        for cuts in (wished, wild):
            made = stitched(kernel, plan, frames, cuts)
            assert_alike(made, stitched(ReferenceKernel(plan), plan, frames, cuts))
    default = stitched(kernel, plan, frames)
    assert np.abs(default.luma.astype(int) - made.luma).max() > 50
    assert_alike(default, stitched(make(plan), plan, frames), 0)


def test_a_hard_cut_takes_each_pixel_from_one_camera(make):
    plan = plan_of("pair")
    size = plan.view.height_px, plan.view.width_px
    even = [
        Picture(*(np.full(p.shape, v, np.uint8) for p, v in zip(f, (level, 128, 128), strict=True)))
        for f, level in zip(pictures(plan.rig), (100, 200), strict=True)
    ]
    cut = Cut(np.full(size[0], 500.0), np.ones(size[0]))
    lights = [Light(), Light()]
    flat = plan_panorama(
        msgspec.structs.replace(
            plan.rig,
            cameras=tuple(msgspec.structs.replace(c, photometry=type(c.photometry)()) for c in plan.rig.cameras),
        ),
        1024,
    )
    made = stitched(make(flat), flat, even, [cut], lights)
    row = size[0] // 2
    assert made.luma[row, 400:500].tolist() == [100] * 100
    assert made.luma[row, 500:560].tolist() == [200] * 60


def test_lights_may_change_with_every_frame(make):
    plan = plan_of("mast")
    frames, kernel = pictures(plan.rig), make(plan)
    for factor in (1.0, 0.6, 1.7):
        lights = [
            Light(factor + 0.1 * k, np.array([[0.08, 1.1, -0.1], [-0.05 * k, 0.15, 0.8]])) for k in range(len(frames))
        ]
        made = stitched(kernel, plan, frames, None, lights)
        assert_alike(made, stitched(ReferenceKernel(plan), plan, frames, None, lights))
    dimmed = stitched(kernel, plan, frames, None, [Light(0.5)] * 3)
    assert dimmed.luma.mean() < made.luma.mean() / 2


def test_rows_may_be_padded_and_what_lies_beside_them_is_neither_read_nor_written(make):
    plan = plan_of("mast")
    frames = pictures(plan.rig)

    def padded(picture: Picture, fill: int, by: int) -> Picture:
        out = []
        for plane in picture:
            room = np.full((plane.shape[0], plane.shape[1] + by), fill, np.uint8)
            room[:, : plane.shape[1]] = plane
            out.append(room[:, : plane.shape[1]])
        return Picture(*out)

    tight = stitched(make(plan), plan, frames)
    into = padded(panorama(plan), 99, 24)
    make(plan).stitch([padded(f, 255, 32) for f in frames], into)
    assert_alike(into, tight, 0)
    for plane in into:
        assert (plane.base[:, plane.shape[1] :] == 99).all()


def test_panoramas_of_any_even_size_are_filled_to_their_last_row_and_column(make):
    plan = plan_of("mast")
    view = msgspec.structs.replace(plan.view, width_px=plan.view.width_px - 10, height_px=plan.view.height_px - 6)
    odd = StitchPlan(plan.rig, view)
    agrees(make, odd, pictures(plan.rig))


def test_pictures_too_small_for_a_fast_way_are_stitched_all_the_same(make):
    rig = mast_rig()
    tiny = [
        msgspec.structs.replace(
            c, width_px=24, height_px=14, lens=msgspec.structs.replace(c.lens, focal_px=17.4, cx_px=12, cy_px=7)
        )
        for c in rig.cameras
    ]
    plan = plan_panorama(msgspec.structs.replace(rig, cameras=tuple(tiny)), 128)
    agrees(make, plan, pictures(plan.rig))


def test_the_brightest_and_darkest_pixels_stay_within_a_byte(make):
    plan = plan_of("mast")
    rng = np.random.default_rng(5)
    frames = [Picture(*(rng.choice([0, 255], p.shape).astype(np.uint8) for p in f)) for f in pictures(plan.rig)]
    lights = [Light(1.9, np.array([[0.2, 1.5, 0.3], [-0.2, -0.3, 1.5]]))] * 3
    made = stitched(make(plan), plan, frames, None, lights)
    # Twice the light, twice the difference.
    assert_alike(made, stitched(ReferenceKernel(plan), plan, frames, None, lights), 4)
    assert made.luma.max() == 255
    assert made.blue.min() == 0


def test_a_panorama_finer_or_coarser_than_the_cameras_is_stitched(make):
    rig = mast_rig()
    view = plan_of("mast").view
    for factor in (0.4, 2.6):
        scaled = msgspec.structs.replace(
            view,
            width_px=int(view.width_px * factor) // 16 * 16,
            height_px=int(view.height_px * factor) // 16 * 16,
            focal_px=view.focal_px * factor,
        )
        agrees(make, StitchPlan(rig, scaled), pictures(rig))


def test_frames_of_another_size_or_number_are_refused_in_words(make):
    plan = plan_of("mast")
    kernel, frames, into = make(plan), pictures(plan.rig), panorama(plan)
    with pytest.raises(FramesDoNotFit, match="2 frames for a rig of 3"):
        kernel.stitch(frames[:2], into)
    short = Picture(frames[1].luma[:268], frames[1].blue[:134], frames[1].red[:134])
    with pytest.raises(FramesDoNotFit, match="camera 1 was calibrated at 480x270, but its frame is 480x268"):
        kernel.stitch([frames[0], short, frames[2]], into)
    with pytest.raises(FramesDoNotFit, match="the panorama is 1008x272"):
        kernel.stitch(frames, frames[0])
    with pytest.raises(FramesDoNotFit, match="1 cuts between 3 cameras"):
        kernel.stitch(frames, into, [plan.seams()[0].default])
    with pytest.raises(FramesDoNotFit, match="planes of bytes"):
        kernel.stitch([Picture(f.luma, f.luma, f.red) for f in frames], into)
    with pytest.raises(FramesDoNotFit, match="planes of bytes"):
        kernel.stitch(frames, Picture(np.asfortranarray(into.luma), into.blue, into.red))


@pytest.mark.parametrize("name", RIGS)
def test_whatever_the_processor_can_do_makes_the_same_panorama(name):
    plan = plan_of(name)
    frames = pictures(plan.rig, 0.5)
    plain = stitched(CpuKernel(plan, "plain"), plan, frames)
    for nth, variant in enumerate(VARIANTS):
        if can_run(nth):
            # Shares and places in floats may round the other way.
            assert_alike(stitched(CpuKernel(plan, variant), plan, frames), plain, 1)


def test_a_variant_that_the_processor_does_not_run_is_refused_in_words(monkeypatch):
    monkeypatch.setattr("hub.stitch.kernels.cpu.can_run", lambda nth: nth == 0)
    assert CpuKernel(plan_of("one")).variant == "plain"
    with pytest.raises(ValueError, match="does not run avx512: it has plain"):
        CpuKernel(plan_of("one"), "avx512")


def test_a_gpu_keeps_several_panoramas_under_way_and_gives_them_back_in_order():
    plan = plan_of("mast")
    gpu = on_gpu(plan)
    frames = [pictures(plan.rig, seed=seed) for seed in range(4)]
    frames[2] = [None] * 3
    into = [panorama(plan) for _ in frames]
    for given, wanted in zip(frames, into, strict=True):
        gpu.submit(given, wanted)
    for _ in range(3):
        gpu.collect()
    for given, made in zip(frames, into, strict=True):
        assert_alike(made, stitched(CpuKernel(plan), plan, given))
    stages = gpu.stages(frames[0], into[1])
    assert_alike(into[1], into[0], 0)
    assert min(stages) > 0


def test_an_imitated_gpu_is_only_taken_by_who_asks_for_it(monkeypatch):
    plan = plan_of("one")
    on_gpu(plan)
    module, adapter = gpu_module._adapter()
    monkeypatch.setitem(adapter.info, "adapter_type", "CPU")
    with pytest.raises(GpuUnavailable, match="only an imitation"):
        GpuKernel(plan)
    monkeypatch.setattr(module.gpu, "request_adapter_sync", lambda **_: None)
    gpu_module._adapter.cache_clear()
    with pytest.raises(GpuUnavailable, match="there is no GPU"):
        GpuKernel(plan)
    monkeypatch.setitem(sys.modules, "wgpu", None)
    with pytest.raises(GpuUnavailable, match="wgpu is not installed"):
        GpuKernel(plan)


# --- the reference against the definitions alone ---------------------------------------------------------------------


def bilinear(plane: np.ndarray, x: Array, y: Array) -> Array:
    """The plane read at index coordinates, in float; NaN where its samples would lie outside."""
    x, y = np.nan_to_num(x, nan=-9), np.nan_to_num(y, nan=-9)
    whole_x, whole_y = np.floor(x).astype(int), np.floor(y).astype(int)
    inside = (whole_x >= 0) & (whole_y >= 0) & (whole_x < plane.shape[1] - 1) & (whole_y < plane.shape[0] - 1)
    a, b = np.where(inside, whole_x, 0), np.where(inside, whole_y, 0)
    fx, fy = x - a, y - b
    p = plane.astype(float)
    top = p[b, a] * (1 - fx) + p[b, a + 1] * fx
    low = p[b + 1, a] * (1 - fx) + p[b + 1, a + 1] * fx
    return np.where(inside, top * (1 - fy) + low * fy, np.nan)


def exact(camera: CameraModel, frame: Picture, seen: Array) -> Array:
    """What one camera contributes where its pixels `seen` are: evened-out Y, Cb, Cr (n, 3)."""
    yuv = np.stack(
        [bilinear(p, seen[:, 0] / s - 0.5, seen[:, 1] / s - 0.5) for p, s in zip(frame, (1, 2, 2), strict=True)]
    )
    half = np.array([camera.width_px, camera.height_px]) / 2
    r2 = (((seen - half) / np.linalg.norm(half)) ** 2).sum(axis=1)
    v1, v2 = camera.photometry.vignette
    rgb = np.linalg.inv(_TO_YUV) @ (yuv - [[16], [128], [128]])
    lit = np.array(camera.photometry.gain)[:, None] * rgb / (1 + v1 * r2 + v2 * r2**2)
    return (_TO_YUV @ lit + [[16], [128], [128]]).T


def test_the_reference_equals_a_slow_computation_from_the_definitions(rig: Rig, plan: StitchPlan, frames):
    view = plan.view
    made = stitched(ReferenceKernel(plan), plan, frames)
    u, v = np.meshgrid(np.arange(view.width_px) + 0.5, np.arange(view.height_px) + 0.5)
    points = view.points(np.stack([u.ravel(), v.ravel()], axis=1))
    shares = [seam.default.share(np.arange(view.width_px)).ravel()[:, None] for seam in plan.seams()]
    weights = [1 - shares[0], shares[0] * (1 - shares[1]), shares[0] * shares[1]]
    total = np.zeros((len(points), 3))
    for camera, frame, weight in zip(rig.cameras, frames, weights, strict=True):
        total += np.where(weight > 0, weight * exact(camera, frame, camera.project(points)), 0.0)
    shape = (view.height_px, view.width_px)
    luma = np.abs(made.luma - total[:, 0].reshape(shape))
    known = np.isfinite(luma)
    assert known.mean() > 0.8
    # Rounded once; what chroma adds to luma is left out on purpose.
    assert luma[known].mean() < 0.6
    assert np.percentile(luma[known], 99) < 2.5
    for plane, values in zip(made[1:], total.T[1:], strict=True):
        wide = values.reshape(shape)
        mean = (wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]) / 4
        gap = np.abs(plane - mean)
        assert gap[np.isfinite(gap)].mean() < 1.0
        # A vignette darkens chroma too; that is left alone.
        assert np.percentile(gap[np.isfinite(gap)], 99) < 4.0
