"""A node as a real process: started, asked, cut off, stopped."""

import asyncio
import hashlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import av
import psutil
import pytest

from edge.ledger import Ledger
from edge.record.shelf import TRACKS, VIDEO, Shelf
from wire.message import decode, encode
from wire.readiness import GateReport, Verdict
from wire.session import NodeStatus, SegmentState, StartRecording
from wire.tracks import decode_tracks

ROOT = Path(__file__).parents[2]
TOKEN = "open-sesame"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
# One thread for every numeric library: the tests share the machine.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


class NodeProcess:
    """`touchline-edge serve` and its log; commands in `tools` are found before the machine's own."""

    def __init__(self, data: Path, camera: str, hub: str, *options: str, tools: Path | None = None, **told_by) -> None:
        self.lines: list[str] = []
        command = [sys.executable, "-c", "import sys; from edge.cli import run; sys.exit(run())", "serve"]
        told = ["--node", "left", "--camera", camera, "--data", str(data), "--hub", hub, "--token", TOKEN]
        self._process = subprocess.Popen(
            [*command, *told, "--port", "0", "--detector", "motion", *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**ENVIRONMENT, "PATH": f"{tools}:{ENVIRONMENT['PATH']}", **told_by}
            if tools
            else ENVIRONMENT | told_by,
            cwd=data.parent,
        )
        self.pid = self._process.pid

    def wait_for(self, words: str) -> str:
        """The first log line, from here on, that holds `words`; a node that ends first fails the test."""
        for line in self._process.stderr:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"no {words!r} in:\n{''.join(self.lines)}")

    def address(self) -> str:
        port = self.wait_for("event=listening").rsplit("port=", 1)[1].split()[0]
        return f"http://127.0.0.1:{port}"

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, limit_s: float = 20) -> int:
        """Wait for the end; its exit status."""
        _, rest = self._process.communicate(timeout=limit_s)
        self.lines.append(rest)
        return self._process.returncode

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def clean_up(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def node(tmp_path):
    started = []

    def start(
        camera: str, hub: str = "http://127.0.0.1:9", *options: str, data: Path | None = None, **more
    ) -> NodeProcess:
        started.append(NodeProcess(data or tmp_path / "data", camera, hub, *options, **more))
        return started[-1]

    yield start
    for process in started:
        process.clean_up()


@pytest.fixture(scope="session")
def long_video(tmp_path_factory, request) -> Path:
    """A minute of video: more than a node records while a test looks on."""
    path = tmp_path_factory.mktemp("video") / "minute.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height = 640, 360
        for number in range(1500):
            shown = av.VideoFrame(640, 360, "yuv420p")
            for plane in shown.planes:
                plane.update(bytes([(number * 3 + 50) % 200 + 20]) * plane.buffer_size)
            shown.pts = number
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
    return path


async def started(url: str, zero_ns: int, session: str = "s1") -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{url}/api/v1/record/start",
            data=encode(StartRecording(session=session, start_ns=zero_ns)),
            headers=AUTHORISED,
        ) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def taken(url: str, frames: int, limit_s: float = 20) -> None:
    """Wait until the node has taken so many frames from its camera."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(limit_s):
        while True:
            async with http.get(f"{url}/api/v1/status") as answer:
                if decode(await answer.read(), NodeStatus).frames >= frames:
                    return
            await asyncio.sleep(0.02)


def assert_sound(data: Path, zero_ns: int) -> list:
    """Every row beyond open has both files, whole, with the promised hashes and times; nothing else lies about."""
    shelf, ledger = Shelf(data), Ledger(data / "ledger.sqlite")
    rows = ledger.segments()
    ledger.close()
    for row in rows:
        assert row.state is not SegmentState.OPEN
        for suffix, sha256 in ((VIDEO, row.offer.video_sha256), (TRACKS, row.offer.tracks_sha256)):
            assert hashlib.sha256(shelf.path(row.key, suffix).read_bytes()).hexdigest() == sha256
        with av.open(str(shelf.path(row.key, VIDEO))) as container:
            assert len(list(container.decode(video=0))) == row.offer.frames
        times = decode_tracks(shelf.path(row.key, TRACKS).read_bytes()).frame_times_ns - zero_ns
        first = row.key.sequence * 50
        assert times.tolist() == [n * 40_000_000 for n in range(first, first + row.offer.frames)]
    files = [path for path in (data / "segments").rglob("*") if path.is_file()]
    assert len(files) == 2 * len(rows)
    assert not (data / "open").exists() or not [p for p in (data / "open").rglob("*") if p.is_file()]
    return rows


async def test_a_session_reaches_the_hub_whole(node, hub, video, zero_ns, tmp_path, eventually):
    process = node(f"file:{video}", hub.url)
    url = await asyncio.to_thread(process.address)
    await started(url, zero_ns)
    await eventually(lambda: [offer.last for offer in hub.confirmed()] == [False, False, True])
    process.send(signal.SIGTERM)
    assert await asyncio.to_thread(process.end) == 0
    rows = assert_sound(tmp_path / "data", zero_ns)
    assert [row.offer.frames for row in rows] == [50, 50, 25]
    assert "Traceback" not in process.log


@pytest.mark.parametrize("after", ["segment=0 ", "segment=3 "])
async def test_a_killed_node_loses_no_closed_segment(node, long_video, zero_ns, tmp_path, after):
    data = tmp_path / "data"
    process = node(f"file:{long_video}")
    url = await asyncio.to_thread(process.address)
    await started(url, zero_ns)
    while "event=segment-closed" not in await asyncio.to_thread(process.wait_for, after):
        pass
    process.send(signal.SIGKILL)
    assert await asyncio.to_thread(process.end) == -signal.SIGKILL
    closed = process.log.count("event=segment-closed")
    again = node(f"file:{long_video}")
    await asyncio.to_thread(again.address)
    again.send(signal.SIGTERM)
    assert await asyncio.to_thread(again.end) == 0
    rows = assert_sound(data, zero_ns)
    assert len(rows) >= closed
    assert [row.key.sequence for row in rows] == list(range(len(rows)))
    assert [row.offer.frames for row in rows[:closed]] == [50] * closed
    assert [row.offer.last for row in rows] == [False] * (len(rows) - 1) + [True]


async def test_a_node_that_comes_back_too_late_says_that_its_session_is_over(node, long_video, session_row, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    ledger = Ledger(data / "ledger.sqlite")
    ledger.begin_session(session_row(start_ns=time.time_ns() - 3_600_000_000_000))
    ledger.close()
    url = await asyncio.to_thread(node(f"file:{long_video}").address)
    async with aiohttp.ClientSession() as http, http.get(f"{url}/api/v1/status") as answer:
        status = decode(await answer.read(), NodeStatus)
    assert status.recording is None
    assert "session s1 was broken off 60 minutes before this start" in status.fault


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_node_that_comes_back_goes_on_recording_by_itself(node, long_video, tmp_path, number):
    data, zero_ns = tmp_path / "data", time.time_ns()
    process = node(f"file:{long_video}")
    await started(await asyncio.to_thread(process.address), zero_ns)
    await asyncio.to_thread(process.wait_for, "segment=1 ")
    process.send(number)
    await asyncio.to_thread(process.end)
    again = node(f"file:{long_video}")
    url = await asyncio.to_thread(again.address)
    await asyncio.to_thread(again.wait_for, "event=recording-resumed")
    before = Ledger(data / "ledger.sqlite")
    reached, _ = before.reach("s1")
    before.close()
    await asyncio.to_thread(again.wait_for, f"segment={reached + 2} ")
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/api/v1/record/stop", headers=AUTHORISED) as answer,
    ):
        assert answer.status == 200
    again.send(signal.SIGTERM)
    assert await asyncio.to_thread(again.end) == 0
    rows = assert_sound(data, zero_ns)
    assert [row.key.sequence for row in rows] == list(range(len(rows)))
    assert rows[-1].offer.last
    # Only the segment that was open may be short: the next one begins where it would have ended.
    assert all(row.offer.frames == 50 for row in rows[:-1] if row.key.sequence != reached)
    assert len(rows) >= reached + 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_recording_node_within_five_seconds(node, long_video, zero_ns, tmp_path, number):
    process = node(f"file:{long_video}")
    url = await asyncio.to_thread(process.address)
    await started(url, zero_ns)
    await asyncio.to_thread(process.wait_for, "event=segment-closed")
    begun = time.monotonic()
    process.send(number)
    assert await asyncio.to_thread(process.end) == 0
    assert time.monotonic() - begun < 5
    rows = assert_sound(tmp_path / "data", zero_ns)
    assert not any(row.offer.last for row in rows)
    assert "event=stopped" in process.log
    assert "Traceback" not in process.log


async def test_onlookers_do_not_keep_a_node_from_ending(node, long_video, zero_ns):
    process = node(f"file:{long_video}")
    url = await asyncio.to_thread(process.address)
    await started(url, zero_ns)
    async with (
        aiohttp.ClientSession(headers=AUTHORISED) as http,
        http.get(f"{url}/api/v1/events") as events,
        http.get(f"{url}/api/v1/preview.mjpeg") as pictures,
    ):
        for answer in (events, pictures):
            await answer.content.readline()
        begun = time.monotonic()
        process.send(signal.SIGTERM)
        # Both are let go in good order: what is cut off would raise.
        await asyncio.gather(events.read(), pictures.read())
        assert await asyncio.to_thread(process.end) == 0
        assert time.monotonic() - begun < 5
    assert "Traceback" not in process.log


async def test_a_signal_ends_a_node_whose_camera_hangs(node, virtual_camera, tmp_path, zero_ns):
    process = node(f"virtual:{virtual_camera(70, hangs=True).path}")
    url = await asyncio.to_thread(process.address)
    await started(url, zero_ns)
    await asyncio.to_thread(process.wait_for, "event=segment-closed")
    await taken(url, 70)
    begun = time.monotonic()
    process.send(signal.SIGTERM)
    assert await asyncio.to_thread(process.end) == 0
    assert time.monotonic() - begun < 5
    assert sum(row.offer.frames for row in assert_sound(tmp_path / "data", zero_ns)) == 70


async def test_systemd_hears_when_a_node_serves_that_it_gets_on_and_that_it_ends(node, long_video, zero_ns, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        there = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
        recorder = node(f"file:{long_video}", **there)
        assert systemd.recv(64) == b"READY=1"
        await started(recorder.address(), zero_ns)
        assert [systemd.recv(64) for _ in range(4)] == [b"WATCHDOG=1"] * 4
        recorder.send(signal.SIGTERM)
        assert recorder.end() == 0
        systemd.setblocking(False)
        heard = [b""]
        while heard[-1] != b"STOPPING=1":
            heard.append(systemd.recv(64))
        assert set(heard[1:-1]) <= {b"WATCHDOG=1"}
    assert "watchdog-withheld" not in recorder.log


async def test_a_node_whose_disk_was_filled_while_it_was_off_starts_and_deletes_what_is_confirmed(
    node, video, small_disk, zero_ns
):
    data = small_disk.path / "data"
    before = node(f"file:{video}", data=data)
    url = await asyncio.to_thread(before.address)
    await started(url, zero_ns)
    await asyncio.to_thread(before.wait_for, "event=segment-closed")
    before.send(signal.SIGTERM)
    assert await asyncio.to_thread(before.end) == 0
    ledger = Ledger(data / "ledger.sqlite")
    ledger.finish_session("s1")
    keys = [row.key for row in ledger.segments()]
    for key in keys:
        ledger.move(key, SegmentState.CONFIRMED)
    ledger.close()
    small_disk.fill()
    after = node(f"file:{video}", "http://127.0.0.1:9", "--delete-confirmed", data=data)
    await asyncio.to_thread(after.address)
    for key in keys:
        await asyncio.to_thread(after.wait_for, f"event=segment-deleted node=left session=s1 segment={key.sequence}")
    assert "event=ballast-given-up" in after.log
    after.send(signal.SIGTERM)
    assert await asyncio.to_thread(after.end) == 0


def test_a_node_may_open_as_many_files_as_the_system_lets_it(node, video):
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most // 2, most))
    try:
        process = node(f"file:{video}")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    process.address()
    assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (most, most)


def test_a_taken_port_is_named_in_one_sentence(node, video, tmp_path):
    first = node(f"file:{video}")
    port = first.address().rsplit(":", 1)[1]
    second = node(f"file:{video}", "http://127.0.0.1:9", "--port", port, data=tmp_path / "other")
    assert second.end() == 2
    assert second.log == (
        f"touchline-edge: port {port} of 127.0.0.1 is taken by another process: stop it or choose another port\n"
    )


def test_a_data_folder_belongs_to_one_node(node, video):
    first = node(f"file:{video}")
    first.address()
    second = node(f"file:{video}")
    assert second.end() == 2
    assert "another node already keeps its data in" in second.log
    assert second.log.count("\n") == 1


@pytest.mark.parametrize(
    ("camera", "words"),
    [("file:/nowhere/left.mp4", "there is no video at /nowhere/left.mp4"), ("usb:0", "'usb:0' is not a camera")],
)
def test_a_camera_that_cannot_be_is_refused_before_any_work(node, camera, words, tmp_path):
    process = node(camera)
    assert process.end() == 2
    assert process.log.startswith(f"touchline-edge: {words}")
    assert process.log.count("\n") == 1


async def test_a_disk_that_fails_ends_the_process(node, video, zero_ns, tmp_path):
    process = node(f"file:{video}")
    url = await asyncio.to_thread(process.address)
    (tmp_path / "data" / "open").write_text("a file where a folder belongs")
    await started(url, zero_ns)
    assert await asyncio.to_thread(process.end) == 1
    assert "event=broken node=left part=recorder" in process.log
    assert "Traceback" not in process.log


async def test_a_panel_that_is_not_there_is_logged_and_the_node_records(node, video, zero_ns):
    process = node(f"file:{video}", "http://127.0.0.1:9", "--panel", "gpio:17,27", "--health", "disabled")
    url = await asyncio.to_thread(process.address)
    assert "event=panel-fault" in process.log
    await started(url, zero_ns)


@pytest.mark.parametrize(
    ("offset_s", "override", "status"),
    [(0.001, (), 200), (3.0, (), 409), (3.0, ("disk",), 409), (3.0, ("clock",), 200)],
)
async def test_a_node_whose_hub_is_elsewhere_needs_a_clock_that_is_right_or_an_override(
    node, video, zero_ns, tmp_path, offset_s, override, status
):
    chronyc = tmp_path / "tools" / "chronyc"
    chronyc.parent.mkdir()
    chronyc.write_text(
        f"#!/bin/sh\necho 0A2A0001,10.42.0.1,9,1790000000.0,{offset_s},0,0,0,0,0,0.001,0.0003,4.1,Normal\n"
    )
    chronyc.chmod(0o755)
    # Nobody's address, so that nothing outside is asked, and not a loopback one either.
    process = node(f"file:{video}", "http://0.0.0.0:9", tools=chronyc.parent)
    url = await asyncio.to_thread(process.address)
    order = StartRecording(session="s1", start_ns=zero_ns, override=override)
    async with (
        aiohttp.ClientSession(headers=AUTHORISED) as http,
        http.post(f"{url}/api/v1/record/start", data=encode(order)) as answer,
    ):
        assert answer.status == status
        if status == 409:
            assert [gate.code for gate in decode(await answer.read(), GateReport).closed] == ["clock"]


@pytest.mark.parametrize(("hub", "verdict"), [("10.42.0.1", Verdict.PASS), ("0.0.0.0", Verdict.WARN)])
async def test_a_node_knows_whether_its_clock_follows_its_hub(node, video, tmp_path, hub, verdict):
    chronyc = tmp_path / "tools" / "chronyc"
    chronyc.parent.mkdir()
    chronyc.write_text("#!/bin/sh\necho 0A2A0001,10.42.0.1,9,1790000000.0,0.001,0,0,0,0,0,0.001,0.0003,4.1,Normal\n")
    chronyc.chmod(0o755)
    url = await asyncio.to_thread(node(f"file:{video}", f"http://{hub}:9", tools=chronyc.parent).address)
    async with aiohttp.ClientSession(headers=AUTHORISED) as http, http.get(f"{url}/api/v1/gates") as answer:
        report = decode(await answer.read(), GateReport)
    [clock] = [gate for gate in report.gates if gate.code == "clock"]
    assert clock.verdict is verdict
    assert ("not the hub (0.0.0.0)" in clock.sentence) == (verdict is Verdict.WARN)


@pytest.mark.slow
async def test_memory_stays_flat_over_a_recording(node, long_video, zero_ns, eventually):
    process = node(f"file:{long_video}")
    url = await asyncio.to_thread(process.address)
    await started(url, zero_ns)
    watched = psutil.Process(process.pid)
    sizes = []
    for sequence in range(3, 28, 4):
        await asyncio.to_thread(process.wait_for, f"segment={sequence} ")
        sizes.append(watched.memory_info().rss)
    assert max(sizes) < 500 << 20
    assert max(sizes[2:]) - min(sizes[2:]) < 40 << 20
    async with aiohttp.ClientSession() as http, http.get(f"{url}/api/v1/status") as answer:
        assert decode(await answer.read(), NodeStatus).frames_dropped == 0
