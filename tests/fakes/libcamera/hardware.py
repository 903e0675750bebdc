"""The board behind the fake: sensors that expose frames, clocks, and the faults that a test orders.

A board is `live` (sensors keep the real time, and frames for which no request is queued are lost) or patient: its time
is its own, and a sensor exposes the next frame as soon as at most `ahead` requests are away from it, so that a test
sees every frame whatever the machine does meanwhile.
"""

import threading
import time
from collections import deque

import numpy as np

from libcamera import FrameMetadata, Request, controls

SECOND = 1_000_000_000
PADDING = 0xAA
STALE = 0xDD

HQ_MODES = (
    # Size, bits, frames a second, crop limits: kernels from late 2025.
    ((1332, 990), 10, 120.5, (696, 528, 2664, 1980)),
    ((2028, 1080), 10, 74.7, (0, 440, 4056, 2160)),
    ((2028, 1520), 10, 53.8, (0, 0, 4056, 3040)),
    ((4056, 2160), 10, 19.6, (0, 440, 4056, 2160)),
    ((4056, 3040), 10, 14.0, (0, 0, 4056, 3040)),
    ((2028, 1080), 12, 62.8, (0, 440, 4056, 2160)),
    ((2028, 1520), 12, 45.2, (0, 0, 4056, 3040)),
    ((4056, 2160), 12, 16.4, (0, 440, 4056, 2160)),
)
CM3_MODES = (
    ((1536, 864), 10, 120.13, (768, 432, 3072, 1728)),
    ((2304, 1296), 10, 56.03, (0, 0, 4608, 2592)),
    ((4608, 2592), 10, 14.35, (0, 0, 4608, 2592)),
)


def bars(number, width, height):
    """An I420 picture that tells its number: a bright bar on a slope, moved on by every frame."""
    luma = np.tile(np.linspace(40, 120, width, dtype=np.uint8), (height, 1))
    left = number * 7 % (width - 16)
    luma[:, left : left + 16] = 230
    return np.vstack([luma, np.full((height // 2, width), 128, np.uint8)])


class Sensor:
    """One camera of the board. Frames count from 0, the first that is not a startup frame."""

    def __init__(self, model="imx477", where="i2c@88000", modes=HQ_MODES, *, sync=True, focus=False, scene=bars):
        self.model = model
        self.id = where if "/" in where else f"/base/axi/pcie@1000120000/rp1/{where}/{model}@1a"
        self.modes = modes
        self.sync = sync
        """Whether the tuning file has `rpi.sync`."""
        self.focus = focus
        self.scene = scene
        self.board = None
        self.startup_frames = 2
        self.ready_after = None
        """The frame from which synchronised cameras are ready."""
        self.adjust = tuple
        """What libcamera makes of the size of a stream."""
        self.lost = frozenset()
        """Frames that never come."""
        self.broken = frozenset()
        """Frames that come with an error."""
        self.dies_at = None
        """The frame at which the camera's front end times out: no request comes back any more."""
        self.before = {}
        """What to do before a frame is exposed, by its number."""
        self.stop_hangs = threading.Event()
        """Unless it is set, stopping the camera takes until it is."""
        self.stop_hangs.set()
        self.owner = None
        self.controls = {}
        self.streams = {}
        self._queued = deque()
        self._changed = threading.Condition()
        self._thread = None

    def acquire(self, owner):
        if self.owner is not None:
            raise RuntimeError("Pipeline handler in use by another process")
        self.owner = owner

    def release(self):
        self.owner = None

    def start(self, mode, given, streams, requests, deliver):
        """Expose into `streams`, {name: (size, stride)}, of so many `requests`, and hand the completed to `deliver`."""
        self.controls, self.streams, self._deliver = given, streams, deliver
        shortest, longest = given["FrameDurationLimits"]
        fastest = 1e6 / mode[2]
        self._fixed = shortest == longest
        self.duration_ns = round(max(shortest, fastest) * 1000)
        self._number = -self.startup_frames
        self._zero_ns = self.board.boottime_ns() + self.startup_frames * self.duration_ns
        self._running = True
        self._queued.clear()
        self._requests = requests
        self._thread = threading.Thread(target=self._expose, name=f"sensor {self.model}", daemon=True)
        self._thread.start()

    def queue(self, request):
        with self._changed:
            self._queued.append(request)
            self._changed.notify_all()

    def look_again(self):
        with self._changed:
            self._changed.notify_all()

    def stop(self):
        self.stop_hangs.wait()
        with self._changed:
            self._running = False
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _expose(self):
        while self._wait():
            number = self._number
            self._number += 1
            if number == self.dies_at:
                return
            self.before.get(number, int)()
            at_ns = self._zero_ns + number * self.duration_ns
            self.board.reach(at_ns)
            with self._changed:
                if number in self.lost or not self._queued:
                    continue
                request = self._queued.popleft()
            self._fill(request, number)
            request.metadata = self._metadata(number, at_ns)
            request.status = Request.Status.Complete
            self._deliver(request)

    def _wait(self):
        with self._changed:
            if self.board.live:
                due_ns = self._zero_ns + self._number * self.duration_ns
                self._changed.wait_for(
                    lambda: not self._running, max(0.0, (due_ns - self.board.boottime_ns()) / SECOND)
                )
            else:
                self._changed.wait_for(
                    lambda: not self._running or len(self._queued) >= max(1, self._requests - self.board.ahead)
                )
            return self._running

    def _fill(self, request, number):
        status = FrameMetadata.Status
        for name, (size, stride) in self.streams.items():
            width, height = size
            if name == "main":
                picture = main = self.scene(max(0, number), width, height)
            else:
                picture = _shrunk(main, width, height)
            memory = request.buffers[name].memory
            memory[:] = PADDING
            flat = picture.reshape(-1)
            luma = width * height
            memory[: stride * height].reshape(height, stride)[:, :width] = flat[:luma].reshape(height, width)
            chroma = memory[stride * height :].reshape(height, stride // 2)
            chroma[:, : width // 2] = flat[luma:].reshape(height, width // 2)
            request.buffers[name].status = (
                status.Startup if number < 0 else status.Error if number in self.broken else status.Success
            )

    def _metadata(self, number, at_ns):
        known = {
            controls.SensorTimestamp: at_ns,
            controls.FrameDuration: self.duration_ns // 1000,
            controls.ExposureTime: 2000,
        }
        if self.board.wall_clock:
            real_ns = at_ns + self.board.offset_ns
            known[controls.FrameWallClock] = real_ns if self.board.wall_clock == "ns" else real_ns // 1000
        if self.controls.get("SyncMode") and self.sync and self._fixed:
            ready = self.ready_after is not None and number >= self.ready_after
            known[controls.rpi.SyncReady] = ready
            if self.ready_after is not None:
                known[controls.rpi.SyncTimer] = (self.ready_after - number) * self.duration_ns // 1000
        return known


class Board:
    """What is plugged in, and the two clocks: BOOTTIME, and REALTIME which is `offset_ns` ahead and can be stepped."""

    def __init__(self, *sensors, live=False, ahead=5, offset_ns=1_790_000_000 * SECOND, wall_clock="ns"):
        self.sensors = sensors
        for sensor in sensors:
            sensor.board = self
        self.live = live
        self.ahead = ahead
        self.offset_ns = offset_ns
        self.wall_clock = wall_clock
        """The unit of FrameWallClock: ns, us as before August 2025, or None where it is not told."""
        self.looks_until_ready = 0
        """How often nobody is there yet when somebody asks which cameras there are."""
        self.opened = []
        """Every Picamera2 that was opened on this board."""
        self._boot_ns = 100 * SECOND

    def present(self):
        if self.looks_until_ready:
            self.looks_until_ready -= 1
            return ()
        return self.sensors

    def boottime_ns(self):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) if self.live else self._boot_ns

    def realtime_ns(self):
        return self.boottime_ns() + self.offset_ns

    def step_clock(self, by_ns):
        self.offset_ns += by_ns

    def let_ahead(self, requests):
        """From now on a patient board's sensors wait once so many requests are away."""
        self.ahead = requests
        for sensor in self.sensors:
            sensor.look_again()

    def reach(self, at_ns):
        self._boot_ns = max(self._boot_ns, at_ns)


def _shrunk(planes, width, height):
    """I420 planes made smaller by a whole number: each pixel the mean of those it stands for."""
    rows, wide = planes.shape
    factor = wide // width
    flat, luma = planes.reshape(-1), rows * 2 // 3 * wide
    parts = [flat[:luma].reshape(-1, wide), *flat[luma:].reshape(2, -1, wide // 2)]
    small = []
    for part in parts:
        cut = part[: part.shape[0] // factor * factor, : part.shape[1] // factor * factor]
        blocks = cut.reshape(cut.shape[0] // factor, factor, cut.shape[1] // factor, factor)
        small.append(blocks.mean(axis=(1, 3)).round().astype(np.uint8).reshape(-1))
    return np.concatenate(small).reshape(height * 3 // 2, width)


plugged = Board(Sensor(), live=True)
"""The board of this process; a test puts its own here."""
plugged.offset_ns = time.time_ns() - plugged.boottime_ns()
