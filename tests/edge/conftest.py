"""What the node's tests share: a small video, a virtual camera that another thread plays, eyes, a log to read."""

import contextlib
import importlib.util
import io
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import msgspec
import numpy as np
import pytest
from aiohttp import web

from edge.api import Served, application
from edge.api.access import PIN_FILE, Access, OperatorPin
from edge.capture import CameraSource
from edge.condition import Conditions
from edge.config import Config, NodeConfig
from edge.cost import Cost
from edge.gates import Gates
from edge.holdings import Holdings
from edge.ledger import Ledger, SessionRow
from edge.marks import Marks
from edge.node import Node, software
from edge.offload import Bandwidth
from edge.record import PATIENCE, Shelf
from edge.record.manifest import Manifests
from edge.selftest import SelfTest
from edge.sight import SegmentSight
from edge.storage import Storage
from firmware.clock import ClockReading, ClockSource
from firmware.health import HealthReading
from firmware.log import Log
from firmware.panel import FakePanel
from firmware.updates import DisabledUpdater
from wire.tracks import Kind, Tracklet

_SPEC = importlib.util.spec_from_file_location("edge_fake_hub", Path(__file__).with_name("fake_hub.py"))
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)

FAKES = Path(__file__).parents[1] / "fakes"
WIDTH, HEIGHT, RATE = 320, 180, 25
ZERO_NS = 1_790_000_000_000_000_000
RUNNING = NodeConfig(
    detector="motion",
    passes_per_second=4,
    poses_per_second=0,
    sound=None,
    delete_confirmed=False,
    offload_mbit=None,
)


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
    """Plays frames to every node that connects; with `hangs` it falls silent after the last one instead of ending."""

    def __init__(
        self,
        path: Path,
        frames: int,
        *,
        head: bytes | None = None,
        payload: int | None = None,
        hangs: bool = False,
    ) -> None:
        self.path = path
        self.frames = frames
        self.zeros: list[int] = []
        self._head = head
        self._payload = payload
        self._hangs = hangs
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
        if self._hangs:
            line.recv(1)
        line.sendall(struct.pack("<qI", -1, 0))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class OneBallEyes:
    """Eyes that see one ball in every frame, by a pass each; `fails_at` a frame, or for ever at rest on `blocks_at`."""

    name = "one-ball"
    impaired = None

    def __init__(self, fails_at: int | None = None, blocks_at: int | None = None) -> None:
        self.segments: dict[int, int] = {}
        self.looked = 0
        self.blocked, self.released = threading.Event(), threading.Event()
        self._frames = 0
        self._fails_at = fails_at
        self._blocks_at = blocks_at

    def look(self, frame) -> None:
        if frame.index == self._fails_at:
            raise ValueError("a speck of dust")
        if frame.index == self._blocks_at:
            self.blocked.set()
            self.released.wait(30)
        self._frames += 1
        self.looked += 1

    def close_segment(self, sequence: int) -> SegmentSight:
        n, self._frames = self._frames, 0
        self.segments[sequence] = n
        box = np.tile([10.0, 20.0, 14.0, 24.0], (n, 1))
        return SegmentSight((Tracklet(3, Kind.BALL),), np.arange(n), np.full(n, 3), box, np.full(n, 1.0), passes=n)


class StillClock:
    """A clock that stands, and is 1 ms off at most; `reading` is what is known of it."""

    def __init__(self) -> None:
        self.ns = ZERO_NS
        self.reading = ClockReading(
            source=ClockSource.CHRONY, reference="10.42.0.1", offset_ns=200_000, uncertainty_ns=1_000_000
        )

    def now_ns(self) -> int:
        return self.ns

    def uncertainty_ns(self) -> int:
        return self.reading.uncertainty_ns

    def offset_ns(self) -> int | None:
        return self.reading.offset_ns

    def read(self) -> ClockReading:
        return self.reading


class StubHealth:
    """A board whose health is what the test says."""

    def __init__(self) -> None:
        self.reading = HealthReading()

    def read(self) -> HealthReading:
        return self.reading


class SwitchedPower:
    """A board's switch that only counts how often it was switched off; `fault` is raised instead."""

    def __init__(self) -> None:
        self.switched_off = 0
        self.fault: Exception | None = None

    def power_off(self) -> None:
        if self.fault:
            raise self.fault
        self.switched_off += 1


class Disk:
    """What `statvfs` tells of a disk of `whole` bytes, of which `free` are; `fault` is raised instead."""

    def __init__(self, free: int, whole: int = 100 << 30) -> None:
        self.free, self.whole = free, whole
        self.fault: OSError | None = None

    def __call__(self, _path):
        if self.fault:
            raise self.fault
        return SimpleNamespace(f_frsize=4096, f_blocks=self.whole // 4096, f_bavail=self.free // 4096)


class SmallDisk:
    """A memory disk of 96 MiB in `path`, which a test fills to the last byte."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        with (self.path / "somebody's").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(path)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting a small disk needs root ({mounted.stderr.strip()})")
    yield SmallDisk(path)
    # Lazily: a test that failed may have left a file open.
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def zero_ns() -> int:
    return ZERO_NS


@pytest.fixture
def session_row(zero_ns):
    """Makes the row of the session `s1` of the node `left`, of 320 x 180 at 25 frames a second, but for what is told
    otherwise."""
    row = SessionRow(
        session="s1",
        node="left",
        start_ns=zero_ns,
        width_px=WIDTH,
        height_px=HEIGHT,
        frames_per_second=RATE,
        detector="motion",
    )
    return lambda **told: msgspec.structs.replace(row, **told)


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
async def hub(tmp_path):
    made = _MODULE.FakeHub(tmp_path / "hub", "open-sesame", lambda: ZERO_NS)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def make_eyes():
    return OneBallEyes


@pytest.fixture
def ledger(tmp_path):
    """A node's own, with no session in it yet."""
    made = Ledger(tmp_path / "ledger.sqlite")
    yield made
    made.close()


class HeldEyes:
    """Makes eyes (`eyes_for`) that take until `loaded` to be there; `loading` tells that somebody waits for them."""

    def __init__(self, eyes):
        self.loading, self.loaded = threading.Event(), threading.Event()
        self._eyes = eyes

    def __call__(self, _camera, _first):
        self.loading.set()
        assert self.loaded.wait(20)
        return self._eyes


@pytest.fixture
def held_eyes(make_eyes):
    made = HeldEyes(make_eyes())
    yield made
    made.loaded.set()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def health() -> StubHealth:
    return StubHealth()


@pytest.fixture
def panel() -> FakePanel:
    return FakePanel()


@pytest.fixture
def power() -> SwitchedPower:
    return SwitchedPower()


@pytest.fixture
def disk() -> Disk:
    """A disk with plenty of room."""
    return Disk(50 << 30)


@pytest.fixture
def make_node(tmp_path, clock, log, make_eyes, health, panel, disk):
    """Makes the node `left` with a camera, as text or a source of its own, that records into `tmp_path`."""
    still = clock

    async def answers() -> None:
        pass

    def make(
        camera,
        ledger,
        *,
        eyes_for=lambda _camera, _first: make_eyes(),
        hub_is_here=False,
        clock=still,
        patience=PATIENCE,
        sound=None,
        open_chip=lambda: None,
    ) -> Node:
        source = CameraSource.parse(camera) if isinstance(camera, str) else camera
        shelf = Shelf(tmp_path)
        storage = Storage(shelf, ledger, log, statvfs=disk)
        gates = Gates("left", tmp_path, storage, clock, health, hub_is_here=hub_is_here, open_chip=open_chip)
        return Node(
            node="left",
            source=source,
            eyes_for=eyes_for,
            detector="motion",
            shelf=shelf,
            ledger=ledger,
            clock=clock,
            cost=Cost(),
            log=log,
            gates=gates,
            storage=storage,
            manifests=Manifests(shelf, ledger, clock, log, software()),
            self_test=SelfTest(
                node="left",
                source=source,
                eyes_for=eyes_for,
                root=tmp_path,
                gates=gates,
                clock=clock,
                log=log,
                hub_answers=answers,
            ),
            panel=panel,
            segment_closed=lambda: None,
            health=health,
            sound=sound,
            patience=patience,
        )

    return make


@pytest.fixture
def running() -> NodeConfig:
    """The settings that a node of `make_api` runs with."""
    return RUNNING


@pytest.fixture
def bandwidth() -> Bandwidth:
    """What the offload of a node of `make_api` may take."""
    return Bandwidth()


@pytest.fixture
def make_api(tmp_path, log, disk, clock, panel, power, health, bandwidth):
    """Makes the API of a node that `make_node` made, for whoever has the token `open-sesame`."""

    def make(node, ledger) -> web.Application:
        storage = Storage(Shelf(tmp_path), ledger, log, statvfs=disk)
        return application(
            Served(
                node=node,
                holdings=Holdings(ledger, storage, "open-sesame", log),
                marks=Marks("left", ledger, node.now_ns, panel, log),
                conditions=Conditions("left", storage, clock, health, ledger, node._gates.judge_clock, time.monotonic),
                config=Config(tmp_path / "config.json"),
                running=RUNNING,
                bandwidth=bandwidth,
                power=power,
                updater=DisabledUpdater(),
                access=Access("open-sesame", OperatorPin(tmp_path / PIN_FILE), time.monotonic),
                log=log,
            )
        )

    return make


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


@pytest.fixture(scope="module")
def hailo_platform(tmp_path_factory):
    """The fake of Hailo's package, importable for as long as a test module needs it; `models` holds what a node has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FAKES))
        patch.setenv("HAILORT_LOGGER_PATH", "NONE")
        fake = importlib.import_module("hailo_platform.board")
        fake.models = tmp_path_factory.mktemp("hailo-models")
        fake.write_hef(fake.models / "yolov8s_h8l.hef", "yolov8s", "HAILO8L")
        fake.write_hef(fake.models / "yolov8s_h8.hef", "yolov8s", "HAILO8")
        fake.write_hef(fake.models / "yolov8s_pose_h8l_pi.hef", "yolov8s_pose", "HAILO8L")
        yield fake
        for name in [name for name in sys.modules if name.partition(".")[0] == "hailo_platform"]:
            del sys.modules[name]


@pytest.fixture
def board(hailo_platform):
    """The board under the fake, whole at the start of each test."""
    hailo_platform.board.reset()
    yield hailo_platform.board
    hailo_platform.board.reset()
