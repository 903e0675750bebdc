"""What the node's tests share: a small video, a virtual camera that another thread plays, eyes, a log to read."""

import contextlib
import io
import json
import socket
import struct
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from edge.log import Log
from edge.sight import SegmentSight
from wire.tracks import Kind, Tracklet

WIDTH, HEIGHT, RATE = 320, 180, 25
ZERO_NS = 1_790_000_000_000_000_000


def planes(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """An I420 picture that tells its number: a bright bar on a slope, moved on by every frame."""
    luma = np.tile(np.linspace(40, 120, width, dtype=np.uint8), (height, 1))
    left = number * 7 % (width - 16)
    luma[:, left : left + 16] = 230
    chroma = np.full((height // 2, width), 128, np.uint8)
    return np.ascontiguousarray(np.vstack([luma, chroma]))


def write_video(path: Path, frames: int, *, width: int = WIDTH, height: int = HEIGHT, codec: str = "libx264") -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(planes(number, width, height), format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


class VirtualServer:
    """Plays frames to every node that connects, `delay_ns` behind the zero it is given."""

    def __init__(self, path: Path, frames: int, *, head: bytes | None = None, payload: int | None = None) -> None:
        self.path = path
        self.frames = frames
        self.zeros: list[int] = []
        self._head = head
        self._payload = payload
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError):
                self._play(line)

    def _play(self, line: socket.socket) -> None:
        (zero,) = struct.unpack("<q", line.recv(8))
        self.zeros.append(zero)
        head = self._head
        if head is None:
            told = json.dumps({"width": WIDTH, "height": HEIGHT, "frames_per_second": float(RATE)}).encode()
            head = b"TLvc" + struct.pack("<I", len(told)) + told
        line.sendall(head)
        for number in range(self.frames):
            body = planes(number).tobytes()
            line.sendall(struct.pack("<qI", zero + number * 40_000_000, self._payload or len(body)) + body)
        line.sendall(struct.pack("<qI", -1, 0))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class OneBallEyes:
    """Eyes that see one ball in every frame; `fails_at` a frame, or for ever at rest on `blocks_at`."""

    name = "one-ball"

    def __init__(self, fails_at: int | None = None, blocks_at: int | None = None) -> None:
        self.segments: dict[int, int] = {}
        self.looked = 0
        self.released = threading.Event()
        self._frames = 0
        self._fails_at = fails_at
        self._blocks_at = blocks_at

    def look(self, frame) -> None:
        if frame.index == self._fails_at:
            raise ValueError("a speck of dust")
        if frame.index == self._blocks_at:
            self.released.wait(30)
        self._frames += 1
        self.looked += 1

    def close_segment(self, sequence: int) -> SegmentSight:
        n, self._frames = self._frames, 0
        self.segments[sequence] = n
        box = np.tile([10.0, 20.0, 14.0, 24.0], (n, 1))
        return SegmentSight((Tracklet(3, Kind.BALL),), np.arange(n), np.full(n, 3), box, np.full(n, 1.0))


class StillClock:
    def __init__(self) -> None:
        self.ns = ZERO_NS

    def now_ns(self) -> int:
        return self.ns

    def uncertainty_ns(self) -> int:
        return 1_000_000


@pytest.fixture
def zero_ns() -> int:
    return ZERO_NS


@pytest.fixture
def picture():
    return planes


@pytest.fixture
def make_video():
    return write_video


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> Path:
    """Five seconds of 320 x 180 at 25 frames a second: segments of 50, 50 and 25 frames."""
    return write_video(tmp_path_factory.mktemp("video") / "five.mp4", 125)


@pytest.fixture
def virtual_camera(tmp_path):
    """Makes virtual cameras that end with the test."""
    servers = []

    def make(frames: int = 125, **faults) -> VirtualServer:
        servers.append(VirtualServer(tmp_path / f"camera{len(servers)}.sock", frames, **faults))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def make_eyes():
    return OneBallEyes


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def log_text() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(log_text, clock) -> Log:
    return Log(log_text, clock)


@pytest.fixture
def until():
    """Waits for another thread to bring about a condition."""

    def wait(condition, limit_s: float = 20) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.002)

    return wait
