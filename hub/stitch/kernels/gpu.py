"""The panorama on a GPU of any make, by WebGPU compute shaders."""

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hub.errors import HubError
from hub.picture import Picture, Plane
from hub.stitch.colour import Light
from hub.stitch.kernel import Job, darken, job_of
from hub.stitch.plan import StitchPlan
from hub.stitch.seams import Cut
from wire.rig import Array

_RING = 3
"""Panoramas under way at once: one is uploaded while another is made and a third is read back."""
_GROUP = (16, 8)
_DISPLAYS = "XDG_RUNTIME_DIR"
# As `gpu.wgsl` has them. The first nine numbers of a slot are where its camera's textures, nodes and rows are.
_SLOT = np.dtype(
    {
        "names": ["whole", "light", "blue", "red"],
        "formats": [("<u4", 9), "<f4", ("<f4", 3), ("<f4", 3)],
        "offsets": [0, 36, 48, 64],
        "itemsize": 80,
    }
)
_TASK = np.dtype([(name, "<u4") for name in ("width", "height", "row", "half_row", "cameras", "luma", "blue", "red")])


class GpuUnavailable(HubError):
    """A machine without a GPU, or without what it takes to use it."""


class Stages(NamedTuple):
    """Seconds that one panorama took by itself: frames to the GPU, the shaders, and the panorama back."""

    upload_s: float
    kernel_s: float
    readback_s: float


class _Waiting(NamedTuple):
    """A panorama under way: the buffer it is read from, the promise that it can be, and where it is wanted. Without any
    camera there is nothing to wait for."""

    into: Picture
    staging: Any = None
    mapped: Any = None


class GpuKernel:
    """`software` allows a GPU that the processor only imitates (lavapipe), which is good for tests.

    `stitch` waits for its panorama. With `submit` and `collect` up to three are under way at once.
    """

    name = "gpu"

    def __init__(self, plan: StitchPlan, *, software: bool = False) -> None:
        wgpu, adapter = _adapter()
        self.adapter = str(adapter.info["device"])
        if adapter.info["adapter_type"] == "CPU" and not software:
            raise GpuUnavailable(f"there is no GPU, only an imitation ({self.adapter})")
        view, cameras = plan.view, plan.rig.cameras
        self._plan = plan
        self._usage = wgpu.BufferUsage
        self._planes = _word_planes(view.width_px, view.height_px)
        self._device = adapter.request_device_sync(
            required_limits={
                "max-texture-dimension-2d": max(2048, *(max(c.width_px, c.height_px) for c in cameras)),
                "max-sampled-textures-per-shader-stage": max(16, 3 * len(cameras)),
            }
        )
        self._textures = [
            self._device.create_texture(
                size=(width, height, 1),
                format="r8unorm",
                usage=wgpu.TextureUsage.TEXTURE_BINDING | wgpu.TextureUsage.COPY_DST,
            )
            for camera in cameras
            for width, height in _sizes(camera.width_px, camera.height_px)
        ]
        nodes, steps, self._slots = _geometry(plan)
        usage = self._usage
        rows = view.height_px + view.height_px // 2
        self._task = self._buffer(_TASK.itemsize + len(cameras) * _SLOT.itemsize, usage.UNIFORM | usage.COPY_SRC)
        self._fence = self._buffer(4, usage.MAP_READ)
        self._cuts = self._buffer(max(len(cameras) - 1, 1) * rows * 8, usage.STORAGE)
        self._made = self._buffer(self._planes[-1].end * 4, usage.STORAGE | usage.COPY_SRC)
        self._free = [self._buffer(self._made.size, usage.MAP_READ) for _ in range(_RING)]
        self._waiting: deque[_Waiting] = deque()
        self._build([self._task, self._filled(nodes), self._filled(steps), self._cuts, self._made])

    def stitch(
        self,
        frames: Sequence[Picture | None],
        into: Picture,
        cuts: Sequence[Cut] | None = None,
        lights: Sequence[Light] | None = None,
    ) -> None:
        """See `Kernel`."""
        self.submit(frames, into, cuts, lights)
        while self._waiting:
            self.collect()

    def submit(
        self,
        frames: Sequence[Picture | None],
        into: Picture,
        cuts: Sequence[Cut] | None = None,
        lights: Sequence[Light] | None = None,
    ) -> None:
        """Begin a panorama. The frames may be written over at once; `into` is filled when the panorama is collected.
        With three under way the oldest is collected first."""
        job = job_of(self._plan, frames, into, cuts, lights)
        if len(self._waiting) == _RING:
            self.collect()
        if not job.cameras:
            self._waiting.append(_Waiting(into))
            return
        self._upload(job)
        staging = self._free.pop()
        self._dispatch(staging)
        self._waiting.append(_Waiting(into, staging, staging.map_async("READ")))

    def collect(self) -> None:
        """Wait for the oldest panorama under way and fill the picture that it was wanted in."""
        into, staging, mapped = self._waiting.popleft()
        if staging is None:
            darken(into)
            return
        mapped.sync_wait()
        words = np.frombuffer(staging.read_mapped(copy=False), np.uint8)
        for plane, place in zip(into, self._planes, strict=True):
            whole = words[place.begin * 4 : place.end * 4].reshape(-1, place.row_words * 4)
            plane[:] = whole[:, : plane.shape[1]]
        del words, whole
        staging.unmap()
        self._free.append(staging)

    def stages(self, frames: Sequence[Picture | None], into: Picture) -> Stages:
        """Make one panorama step by step, waiting for each: what takes how long where nothing overlaps."""
        job = job_of(self._plan, frames, into, None, None)
        self._wait()
        ticks = [time.perf_counter()]
        self._upload(job)
        self._wait()
        ticks.append(time.perf_counter())
        self._dispatch(None)
        self._wait()
        ticks.append(time.perf_counter())
        staging = self._free.pop()
        encoder = self._device.create_command_encoder()
        encoder.copy_buffer_to_buffer(self._made, 0, staging, 0, self._made.size)
        self._device.queue.submit([encoder.finish()])
        self._waiting.append(_Waiting(into, staging, staging.map_async("READ")))
        self.collect()
        ticks.append(time.perf_counter())
        return Stages(*(end - begin for begin, end in pairwise(ticks)))

    def _wait(self) -> None:
        """Until everything submitted is done: a word that was copied last can be read then."""
        encoder = self._device.create_command_encoder()
        encoder.copy_buffer_to_buffer(self._task, 0, self._fence, 0, 4)
        self._device.queue.submit([encoder.finish()])
        self._fence.map_async("READ").sync_wait()
        self._fence.unmap()

    def _buffer(self, size: int, usage: int) -> Any:
        return self._device.create_buffer(size=size, usage=usage | self._usage.COPY_DST)

    def _filled(self, values: npt.NDArray[np.float32]) -> Any:
        return self._device.create_buffer_with_data(data=values, usage=self._usage.STORAGE)

    def _build(self, buffers: Sequence[Any]) -> None:
        """The shaders, and what they are bound to: buffers from binding 0 on, then textures."""
        device = self._device
        source = (resources.files(__package__) / "gpu.wgsl").read_text()
        module = device.create_shader_module(code=_reading(len(self._plan.rig.cameras), len(buffers)) + source)
        bound = [{"buffer": buffer, "offset": 0, "size": buffer.size} for buffer in buffers]
        views = [texture.create_view() for texture in self._textures]
        kinds = ["uniform", "read-only-storage", "read-only-storage", "read-only-storage", "storage"]
        entries: list[dict[str, Any]] = [{"buffer": {"type": kind}} for kind in kinds]
        entries += [{"texture": {}} for _ in views]
        layout = device.create_bind_group_layout(
            entries=[{"binding": k, "visibility": "COMPUTE", **entry} for k, entry in enumerate(entries)]
        )
        self._bound = device.create_bind_group(
            layout=layout,
            entries=[{"binding": k, "resource": resource} for k, resource in enumerate([*bound, *views])],
        )
        pipes = device.create_pipeline_layout(bind_group_layouts=[layout])
        self._pipelines = [
            device.create_compute_pipeline(layout=pipes, compute={"module": module, "entry_point": name})
            for name in ("make_luma", "make_chroma")
        ]

    def _upload(self, job: Job) -> None:
        queue = self._device.queue
        for camera, picture in zip(job.cameras, job.pictures, strict=True):
            for nth, plane in enumerate(picture):
                height, width = plane.shape
                queue.write_texture(
                    {"texture": self._textures[3 * camera + nth]},
                    _bytes_of(plane),
                    {"bytes_per_row": plane.strides[0], "rows_per_image": height},
                    (width, height, 1),
                )
        height, width = job.into.luma.shape
        task = np.zeros(1, _TASK)
        places = self._planes
        task[0] = (
            width,
            height,
            places[0].row_words,
            places[1].row_words,
            len(job.cameras),
            *(p.begin for p in places),
        )
        slots = self._slots[list(job.cameras)]
        slots["light"] = [light.luma for light in job.lights]
        for name, row in (("blue", 0), ("red", 1)):
            slots[name] = [light.chroma[row] for light in job.lights]
        queue.write_buffer(self._task, 0, task)
        queue.write_buffer(self._task, _TASK.itemsize, slots)
        if job.cuts:
            both = [job.cuts, [cut.halved() for cut in job.cuts]]
            flat = [np.stack([cut.centre, 1 / np.maximum(cut.width, 1)], axis=1) for cuts in both for cut in cuts]
            queue.write_buffer(self._cuts, 0, np.concatenate(flat).astype(np.float32))

    def _dispatch(self, staging: Any) -> None:
        """Luma, then chroma from it, then the copy to be read."""
        encoder = self._device.create_command_encoder()
        for pipeline, place in zip(self._pipelines, self._planes[:2], strict=True):
            work = encoder.begin_compute_pass()
            work.set_pipeline(pipeline)
            work.set_bind_group(0, self._bound)
            work.dispatch_workgroups(-(-place.row_words // _GROUP[0]), -(-place.rows // _GROUP[1]))
            work.end()
        if staging is not None:
            encoder.copy_buffer_to_buffer(self._made, 0, staging, 0, self._made.size)
        self._device.queue.submit([encoder.finish()])


def _reading(cameras: int, binding: int) -> str:
    """The part of the shaders that depends on the number of cameras, whose textures begin at a binding."""
    code = [f"const CAMERAS = {cameras}u;"]
    loads = ", ".join(
        f"textureLoad({{0}}, vec2<i32>({at}), 0).r"
        for at in ("c.whole.x, c.whole.y", "c.next.x, c.whole.y", "c.whole.x, c.next.y", "c.next.x, c.next.y")
    )
    for nth, name in enumerate(Picture._fields):
        code.append(f"fn {name}_around(camera: u32, c: Corner) -> vec4<f32> {{ switch camera {{")
        for camera in range(cameras):
            texture = f"{name}_{camera}"
            code.append(f"case {camera}u: {{ return vec4<f32>({loads.format(texture)}); }}")
            code.insert(1, f"@group(0) @binding({binding + 3 * camera + nth}) var {texture}: texture_2d<f32>;")
        code.append("default: { return vec4<f32>(0.0); } } }")
    return "\n".join([*code, ""])


class _WordPlane(NamedTuple):
    """Where a plane lies in what is read back, in words of four pixels."""

    begin: int
    row_words: int
    rows: int

    @property
    def end(self) -> int:
        return self.begin + self.row_words * self.rows


def _word_planes(width: int, height: int) -> tuple[_WordPlane, _WordPlane, _WordPlane]:
    sizes = _sizes(width, height)
    luma = _WordPlane(0, -(-sizes[0][0] // 4), sizes[0][1])
    blue = _WordPlane(luma.end, -(-sizes[1][0] // 4), sizes[1][1])
    return luma, blue, blue._replace(begin=blue.end)


def _sizes(width: int, height: int) -> tuple[tuple[int, int], ...]:
    half = (width // 2, height // 2)
    return (width, height), half, half


def _bytes_of(plane: Plane) -> Plane:
    """All bytes from a plane's first pixel to its last, those between rows among them."""
    rows, stride = plane.shape[0], plane.strides[0]
    return np.lib.stride_tricks.as_strided(plane, ((rows - 1) * stride + plane.shape[1],), (1,), writeable=False)


def _geometry(plan: StitchPlan) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.void]]:
    """Nodes and steps of all grids one after the other, and each camera's slot, which says where its own begin."""
    nodes: list[Array] = []
    steps: list[Array] = []
    slots = np.zeros(len(plan.rig.cameras), _SLOT)
    for camera, (model, luma, chroma) in enumerate(zip(plan.rig.cameras, plan.luma, plan.chroma, strict=True)):
        slots["whole"][camera, :3] = camera, model.width_px, model.height_px
        for nth, (grid, height) in enumerate(((luma, plan.view.height_px), (chroma, plan.view.height_px // 2))):
            begin = [sum(len(part) for part in parts) for parts in (nodes, steps)]
            slots["whole"][camera, [3 + nth, 5 + nth, 7 + nth]] = grid.x.shape[1], *begin
            nodes.append(np.stack([grid.x, grid.y, grid.gain, np.zeros_like(grid.x)], axis=2).reshape(-1, 4))
            steps.append(np.stack(grid.steps(height), axis=1))
    return np.concatenate(nodes).astype(np.float32), np.concatenate(steps).astype(np.float32), slots


@cache
def _adapter() -> tuple[Any, Any]:
    """The module and the fastest adapter; raises `GpuUnavailable`."""
    try:
        import wgpu  # noqa: PLC0415 - only this driver needs the extra

        with _no_display():
            adapter = wgpu.gpu.request_adapter_sync(power_preference="high-performance")
    except ImportError as fault:
        raise GpuUnavailable("wgpu is not installed: `pip install touchline[gpu]`") from fault
    except Exception as fault:  # whatever the system's drivers make of it
        raise GpuUnavailable(f"no GPU can be used: {fault}") from fault
    if adapter is None:
        raise GpuUnavailable("there is no GPU")
    return wgpu, adapter


@contextmanager
def _no_display() -> Iterator[None]:
    """Drivers look for a display, too; where a service names no folder for one they complain on stderr."""
    named = _DISPLAYS in os.environ
    os.environ.setdefault(_DISPLAYS, os.devnull)
    try:
        yield
    finally:
        if not named:
            del os.environ[_DISPLAYS]
