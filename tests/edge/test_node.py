"""A node's gates, its panel and its manifests, with cameras that can be anything."""

import asyncio
import errno
import threading
import time

import av
import msgspec
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

import edge.node
from edge.capture.sound import Sound
from edge.encode.libav import LibavCoder
from edge.encode.sound import AacCoder
from edge.errors import AlreadyRecording, CameraFault, GateClosed, ProfileRefused, SelfTesting, SoundFault, WrongWeights
from edge.frame import Frame
from edge.record import Patience
from edge.record.manifest import SessionManifest
from edge.record.shelf import MANIFEST, REFERENCE
from edge.storage import Storage
from firmware.clock import WORST_UNCERTAINTY_NS, ClockReading, ClockSource
from firmware.health import Battery, HealthReading
from firmware.panel.signals import (
    ALARM,
    BEEPS,
    FAILED,
    FAULT,
    PASSED,
    READY,
    RECORDING,
    STARTED,
    STOPPED,
    TROUBLED,
    WARNING,
)
from wire.message import decode, encode
from wire.readiness import GateReport, Verdict
from wire.session import SegmentState, StartRecording

LOST = ClockReading(source=ClockSource.OWN, reference="", offset_ns=None, uncertainty_ns=WORST_UNCERTAINTY_NS)


class Camera:
    """A camera of 320 x 180 whose frames lie 40 ms apart; after `last` of them it waits for `hold` and ends."""

    width, height, frames_per_second, frames_dropped, live = 320, 180, 25.0, 0, False
    waits_s, ahead_ns = 0.0, 0

    def __init__(self, start_ns, picture, last=1_000_000, hold=None):
        self.closed = 0
        self._start_ns, self._picture, self._last, self._hold = start_ns, picture, last, hold

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.closed += 1

    def coder(self):
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __iter__(self):
        for number in range(self._last):
            yield Frame(self._picture(number), self._start_ns + number * 40_000_000, number)
        if self._hold:
            self._hold.wait(30)


class Source:
    """Opens cameras, or fails to; `opened` are those it did."""

    def __init__(self, make):
        self.opened = []
        self._make = make

    def alone(self):
        return self

    at_once = alone

    def open(self, start_ns, _log=None):
        self.opened.append(self._make(start_ns))
        return self.opened[-1]

    def __str__(self):
        return "test:camera"


@pytest.fixture
def hold():
    made = threading.Event()
    yield made
    made.set()


@pytest.fixture
def source(picture, hold):
    """A camera that gives 60 frames and then waits."""
    return Source(lambda start_ns: Camera(start_ns, picture, 60, hold))


def order(zero_ns, session="s1", **more):
    return StartRecording(session=session, start_ns=zero_ns, **more)


def manifest(tmp_path, session="s1"):
    return decode((tmp_path / "sessions" / session / MANIFEST).read_bytes(), SessionManifest)


async def test_open_gates_let_a_recording_begin_with_its_very_first_frame(
    make_node, source, ledger, panel, zero_ns, eventually
):
    node = make_node(source, ledger)
    await node.start(order(zero_ns, planned_minutes=90))
    await eventually(lambda: node._recording.frames == 60)
    await node.stop()
    rows = ledger.segments(SegmentState.CLOSED)
    assert (sum(row.offer.frames for row in rows), rows[0].start_ns) == (60, zero_ns)
    assert len(source.opened) == 1
    assert panel.beeped == [STARTED, STOPPED]
    assert panel.lit == [RECORDING, READY]


async def test_eyes_that_see_less_than_they_could_raise_an_alarm_for_as_long(
    make_node, make_eyes, source, ledger, zero_ns, eventually
):
    eyes = make_eyes()
    node = make_node(source, ledger, eyes_for=lambda _camera, _first: eyes)
    await node.start(order(zero_ns))
    await eventually(lambda: node._recording.frames == 60)
    assert (await node.status()).alarms == ()
    eyes.impaired = "the chip does not answer: people are followed by their motion alone"
    assert (await node.status()).alarms == (eyes.impaired,)
    eyes.impaired = None
    assert (await node.status()).alarms == ()
    await node.stop()


async def test_a_disk_that_stands_still_is_heard_and_an_alarm_for_as_long(
    make_node, source, ledger, panel, zero_ns, hold, monkeypatch, eventually
):
    opened = ledger.open_segment
    monkeypatch.setattr(ledger, "open_segment", lambda *given: (hold.wait(20), opened(*given)))
    node = make_node(source, ledger, patience=Patience(disk_s=10))
    await node.start(order(zero_ns))
    await eventually(lambda: WARNING in panel.beeped)
    assert ["the disk is too slow" in alarm for alarm in (await node.status()).alarms] == [True]
    hold.set()
    await node.stop()
    assert (await node.status()).alarms == ()
    assert panel.beeped == [STARTED, WARNING, STOPPED]


async def test_a_manifest_that_the_disk_does_not_take_keeps_no_recording_from_ending(
    make_node, source, ledger, zero_ns, hold, monkeypatch, eventually
):
    monkeypatch.setattr(edge.node, "_MANIFEST_S", 0.1)
    node = make_node(source, ledger)
    monkeypatch.setattr(node._manifests, "end", lambda *_given, **_more: hold.wait(20))
    await node.start(order(zero_ns))
    await eventually(lambda: node._recording.frames == 60)
    assert (await node.stop()).recording is None
    assert not hold.is_set()


class Microphone:
    """Hears quiet until `unplugged` is set; `let_go` once nobody listens to it."""

    def __init__(self):
        self.unplugged = threading.Event()
        self.let_go = False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.let_go = True

    def __iter__(self):
        while not self.unplugged.wait(0.01):
            yield Sound(np.zeros(480, np.float32), 0)
        raise SoundFault("the microphone hw:1 fell silent")


async def test_a_microphone_that_is_not_there_is_heard_and_an_alarm_while_video_is_recorded(
    make_node, source, ledger, panel, zero_ns, monkeypatch, eventually
):
    def missing(_device):
        raise SoundFault("there is no microphone hw:1")

    monkeypatch.setattr(edge.node, "open_microphone", missing)
    node = make_node(source, ledger, sound="alsa:hw:1")
    await node.start(order(zero_ns))
    await eventually(lambda: node._recording.frames == 60)
    status = await node.status()
    assert (status.alarms, status.fault) == (("recorded without sound: there is no microphone hw:1",), None)
    assert panel.beeped == [STARTED, WARNING]
    status = await node.stop()
    assert (status.alarms, status.fault) == ((), None)
    assert sum(row.offer.frames for row in ledger.segments(SegmentState.CLOSED)) == 60
    # The next one finds it.
    monkeypatch.setattr(edge.node, "open_microphone", lambda _device: Microphone())
    assert (await node.start(order(zero_ns, "s2"))).alarms == ()
    await node.stop()


@pytest.mark.parametrize(
    ("fails", "words"),
    [("microphone", "the microphone hw:1 fell silent"), ("coder", "the sound cannot be coded: Invalid argument")],
)
async def test_a_sound_that_fails_is_heard_and_an_alarm_while_video_is_recorded(
    fails, words, make_node, source, ledger, panel, zero_ns, monkeypatch, eventually
):
    microphone, broken = Microphone(), threading.Event()

    class FrailCoder(AacCoder):
        def encode(self, sound):
            if broken.is_set():
                raise SoundFault("the sound cannot be coded: Invalid argument")
            return super().encode(sound)

    monkeypatch.setattr(edge.node, "open_microphone", lambda _device: microphone)
    monkeypatch.setattr("edge.record.listening.AacCoder", FrailCoder)
    node = make_node(source, ledger, sound="alsa:hw:1")
    await node.start(order(zero_ns))
    await eventually(lambda: node._recording.frames == 60)
    assert (await node.status()).alarms == ()
    assert panel.beeped == [STARTED]
    (microphone.unplugged if fails == "microphone" else broken).set()
    await eventually(lambda: panel.beeped == [STARTED, WARNING])
    status = await node.status()
    assert (status.alarms, status.fault) == ((f"recorded without sound: {words}",), None)
    assert status.recording == "s1"
    status = await node.stop()
    assert (status.alarms, status.fault) == ((), words)
    assert sum(row.offer.frames for row in ledger.segments(SegmentState.CLOSED)) == 60


async def test_a_coder_of_the_sound_that_cannot_be_made_keeps_no_video_from_being_recorded(
    make_node, source, ledger, panel, zero_ns, monkeypatch, eventually
):
    def opened(file, *args, format=None, **options):
        if format == "null":
            raise OSError(errno.EMFILE, "Too many open files")
        return really_opened(file, *args, format=format, **options)

    really_opened = av.open
    microphone = Microphone()
    monkeypatch.setattr(edge.node, "open_microphone", lambda _device: microphone)
    monkeypatch.setattr(av, "open", opened)
    node = make_node(source, ledger, sound="alsa:hw:1")
    await node.start(order(zero_ns))
    await eventually(lambda: node._recording.frames == 60 and len(panel.beeped) == 2)
    assert set(panel.beeped) == {STARTED, WARNING}
    status = await node.status()
    assert status.alarms == ("recorded without sound: the sound cannot be coded: Too many open files",)
    assert (status.fault, status.recording) == (None, "s1")
    assert microphone.let_go
    await node.stop()
    assert panel.beeped[2:] == [STOPPED, WARNING]
    assert sum(row.offer.frames for row in ledger.segments(SegmentState.CLOSED)) == 60


CLOSED = {
    "camera": lambda _disk, _clock, _health: None,
    "disk": lambda disk, _clock, _health: setattr(disk, "free", 0),
    "clock": lambda _disk, clock, _health: setattr(clock, "reading", LOST),
    "temperature": lambda _disk, _clock, health: setattr(health, "reading", HealthReading(temperature_c=90.0)),
    "battery": lambda _disk, _clock, health: setattr(
        health, "reading", HealthReading(battery=Battery(percent=2, discharging=True))
    ),
}


@pytest.mark.parametrize("code", CLOSED)
async def test_a_closed_gate_refuses_the_start_and_leaves_nothing_behind(
    make_node, picture, ledger, panel, disk, clock, health, zero_ns, log_text, code
):
    dark = (lambda number: picture(number) * 0) if code == "camera" else picture
    source = Source(lambda start_ns: Camera(start_ns, dark))
    CLOSED[code](disk, clock, health)
    node = make_node(source, ledger)
    with pytest.raises(GateClosed) as refused:
        await node.start(order(zero_ns))
    assert [gate.code for gate in refused.value.report.closed] == [code]
    assert all(gate.overridable for gate in refused.value.report.gates)
    assert f"({code})" in str(refused.value)
    assert panel.beeped == [BEEPS[code]]
    assert f"event=gate-closed gates={code}" in log_text.getvalue()
    assert ledger.sessions() == []
    assert [camera.closed for camera in source.opened] == [1]
    status = await node.status()
    assert (status.recording, status.fault) == (None, None)


@pytest.mark.parametrize("code", sorted(set(CLOSED) - {"camera"}))
async def test_an_order_that_names_the_gate_passes_it(
    make_node, source, ledger, disk, clock, health, zero_ns, code, eventually
):
    CLOSED[code](disk, clock, health)
    node = make_node(source, ledger)
    with pytest.raises(GateClosed):
        await node.start(order(zero_ns, override=("moon", "camera")))
    status = await node.start(order(zero_ns, override=(code,)))
    assert status.recording == "s1"
    await node.stop()


async def test_of_two_closed_gates_an_override_passes_only_the_one_it_names(
    make_node, source, ledger, disk, clock, zero_ns
):
    clock.reading, disk.free = LOST, 0
    with pytest.raises(GateClosed) as refused:
        await make_node(source, ledger).start(order(zero_ns, override=("clock",)))
    assert [gate.code for gate in refused.value.report.closed] == ["disk"]


async def test_a_node_gets_on_while_it_waits_and_while_its_recording_is_watched_over(
    make_node, source, ledger, zero_ns, eventually
):
    node = make_node(source, ledger, patience=Patience(camera_s=0.2))
    assert node.gets_on()
    assert node.gets_on()
    await node.start(order(zero_ns))
    for _ in range(3):
        await eventually(node.gets_on)
    await node.stop()
    assert node.gets_on()
    node.broken.set()
    assert not node.gets_on()


async def test_a_recording_that_nobody_watches_over_is_no_proof_that_the_node_gets_on(
    make_node, source, ledger, zero_ns, monkeypatch
):
    monkeypatch.setattr("edge.record.recording.watch", lambda *_: None)
    node = make_node(source, ledger)
    await node.start(order(zero_ns))
    node.gets_on()
    assert not node.gets_on()
    assert not node.gets_on()
    await node.stop()
    assert node.gets_on()


async def test_more_minutes_than_the_disk_has_are_refused_and_fewer_are_not(make_node, source, ledger, disk, zero_ns):
    node = make_node(source, ledger)
    disk.free = 1 << 30
    with pytest.raises(GateClosed, match="of the 1440 planned minutes"):
        await node.start(order(zero_ns, planned_minutes=1440))
    assert (await node.start(order(zero_ns, planned_minutes=60))).recording == "s1"
    await node.stop()


async def test_hub_and_node_on_one_machine_share_a_clock_that_nobody_keeps(make_node, source, ledger, clock, zero_ns):
    clock.reading = LOST
    node = make_node(source, ledger, hub_is_here=True)
    assert (await node.start(order(zero_ns))).recording == "s1"
    await node.stop()


async def test_a_camera_that_gives_no_picture_closes_its_gate_within_its_deadline(
    make_node, picture, hold, ledger, zero_ns, monkeypatch
):
    monkeypatch.setattr("edge.gates.gates.CAMERA_S", 0.05)
    source = Source(lambda start_ns: Camera(start_ns, picture, 2, hold))
    with pytest.raises(GateClosed, match="camera does not answer"):
        await make_node(source, ledger).start(order(zero_ns))
    assert source.opened[0].closed == 1


async def test_a_camera_that_waits_for_its_rig_does_not_close_its_gate(
    make_node, picture, hold, ledger, zero_ns, monkeypatch, eventually
):
    monkeypatch.setattr("edge.gates.gates.CAMERA_S", 0.05)

    class Waiting(Camera):
        waits_s = 20.0

        def __iter__(self):
            time.sleep(0.3)
            yield from super().__iter__()

    node = make_node(Source(lambda start_ns: Waiting(start_ns, picture, 50, hold)), ledger)
    assert (await node.start(order(zero_ns))).recording == "s1"
    hold.set()
    await eventually(lambda: ledger.sessions()[0].finished)


async def test_a_camera_that_does_not_open_closes_its_gate_and_is_closed_when_it_does(
    make_node, picture, hold, ledger, zero_ns, monkeypatch, eventually
):
    monkeypatch.setattr("edge.capture.opening.OPEN_S", 0.05)

    def slowly(start_ns):
        hold.wait(30)
        return Camera(start_ns, picture)

    source = Source(slowly)
    node = make_node(source, ledger)
    with pytest.raises(GateClosed, match=r"does not open within .* \(camera\)"):
        await node.start(order(zero_ns))
    hold.set()
    await eventually(lambda: source.opened and source.opened[0].closed)
    assert source.opened[0].closed == 1


async def test_a_detector_that_cannot_be_made_is_a_warning_and_the_match_is_recorded_without(
    make_node, source, ledger, panel, zero_ns, eventually
):
    def no_weights(_camera, _first):
        raise WrongWeights("the weights are damaged")

    node = make_node(source, ledger, eyes_for=no_weights)
    report = await node.gates()
    assert [(g.code, g.sentence) for g in report.gates if g.verdict is Verdict.WARN] == [
        ("detector", "the weights are damaged")
    ]
    await node.start(order(zero_ns))
    await eventually(lambda: node._recording.fault and node._recording.frames == 60)
    status = await node.stop()
    assert (status.detector, status.fault) == ("motion", "the weights are damaged: recorded without a detector")
    assert sum(row.offer.frames for row in ledger.segments(SegmentState.CLOSED)) == 60
    assert panel.beeped == [STARTED, WARNING, STOPPED, WARNING]
    assert panel.lit == [RECORDING, TROUBLED]
    assert ledger.sessions()[0].detector == "none"


async def test_gates_can_be_asked_without_a_start(make_node, source, ledger, disk, panel):
    node = make_node(source, ledger)
    assert (await node.gates()).closed == ()
    disk.free = 1 << 30
    assert [gate.code for gate in (await node.gates(planned_minutes=1440)).closed] == ["disk"]
    assert [camera.closed for camera in source.opened] == [1, 1]
    assert panel.beeped == []


async def test_a_camera_that_cannot_be_opened_is_a_closed_gate_among_the_others(make_node, ledger, tmp_path, panel):
    report = await make_node(f"virtual:{tmp_path}/none.sock", ledger).gates()
    assert [gate.code for gate in report.gates] == ["camera", "disk", "clock", "temperature", "supply", "battery"]
    assert "no virtual camera answers" in report.sentence
    assert [(gate.code, gate.beep) for gate in report.closed] == [("camera", "camera")]


@pytest.mark.parametrize("fault", [CameraFault("the cable is loose"), ProfileRefused("this sensor has 30 at most")])
async def test_a_start_whose_camera_cannot_be_opened_is_refused_as_by_a_closed_gate(
    make_node, make_api, picture, ledger, disk, panel, zero_ns, log_text, fault
):
    def refuse(_start_ns):
        raise fault

    node = make_node(Source(refuse), ledger)
    disk.free = 0
    sent = encode(order(zero_ns, override=("disk", "camera")))
    async with TestClient(TestServer(make_api(node, ledger))) as client:
        answer = await client.post("/api/v1/record/start", data=sent, headers={"Authorization": "Bearer open-sesame"})
        assert (answer.status, answer.content_type) == (409, "application/json")
        report = decode(await answer.read(), GateReport)
    # There is nothing to record from: that gate alone is passed by no order.
    assert [(gate.code, gate.sentence, gate.beep) for gate in report.closed] == [("camera", str(fault), "camera")]
    assert [gate.code for gate in report.gates if not gate.overridable] == ["camera"]
    assert report.overridden == ("disk",)
    assert panel.beeped == [BEEPS["camera"]]
    assert "event=gate-closed gates=camera" in log_text.getvalue()
    assert str(fault) in log_text.getvalue()
    assert (await node.status()).recording is None
    assert ledger.sessions() == []


async def test_a_node_that_records_is_not_asked_again(make_node, source, ledger, zero_ns):
    node = make_node(source, ledger)
    await node.start(order(zero_ns))
    for ask in (node.gates, node.self_test):
        with pytest.raises(AlreadyRecording):
            await ask()
    await node.stop()


async def test_a_disk_that_fills_ends_the_recording_with_its_last_segment_closed(
    make_node, source, ledger, disk, panel, tmp_path, zero_ns, log, eventually
):
    node = make_node(source, ledger)
    storage = Storage(node._shelf, ledger, log, statvfs=disk)
    await node.start(order(zero_ns))
    await eventually(lambda: node._recording.frames == 60)
    await node.storage_told(storage.tend())
    assert not node._recording.stopping.is_set()
    disk.free = 1 << 20
    await node.storage_told(storage.tend())
    await eventually(lambda: not node._recording)
    status = await node.status()
    assert status.fault.startswith("the disk is full")
    assert sum(row.offer.frames for row in ledger.segments(SegmentState.CLOSED)) == 60
    assert ledger.sessions()[0].finished
    assert not node.broken.is_set()
    assert panel.beeped == [STARTED, ALARM]
    assert panel.lit == [RECORDING, TROUBLED]
    await node.storage_told(storage.tend())


async def test_a_node_that_is_told_to_leave_says_nothing_for_the_session_goes_on(
    make_node, source, ledger, panel, tmp_path, zero_ns, clock, eventually
):
    node = make_node(source, ledger)
    await node.start(order(zero_ns))
    await eventually(lambda: node._recording.frames == 60)
    await node.leave()
    clock.ns += 61 * 40_000_000
    assert panel.beeped == [STARTED]
    assert not manifest(tmp_path).complete
    again = make_node(source, ledger)
    await again.resume(ledger.sessions()[0])
    await again.stop()
    told = manifest(tmp_path)
    assert (told.complete, told.resumed, told.frames) == (True, 1, 60)


async def test_a_session_is_gone_on_with_even_when_its_detector_cannot_be_made_any_more(
    make_node, video, ledger, session_row, clock, eventually
):
    def no_weights(_camera, _first):
        raise WrongWeights("the weights are damaged")

    ledger.begin_session(session_row(detector="one-ball"))
    clock.ns += 10
    await make_node(f"file:{video}", ledger, eyes_for=no_weights).resume(ledger.sessions()[0])
    await eventually(lambda: ledger.sessions()[0].finished)
    assert sum(row.offer.frames for row in ledger.segments(SegmentState.CLOSED)) == 125


async def test_a_recorder_that_breaks_is_heard_and_seen(make_node, source, ledger, panel, tmp_path, zero_ns):
    (tmp_path / "open").write_text("a file where a folder belongs")
    node = make_node(source, ledger)
    await node.start(order(zero_ns))
    await asyncio.wait_for(node.broken.wait(), 20)
    assert panel.beeped == [STARTED, ALARM]
    assert panel.lit[-1] == FAULT
    # The next start salvages what is left, and completes the manifest then.
    assert not manifest(tmp_path).complete


async def test_a_closed_gate_is_told_over_http_as_its_whole_report(make_node, make_api, source, ledger, disk, zero_ns):
    disk.free = 0
    async with TestClient(TestServer(make_api(make_node(source, ledger), ledger))) as client:
        answer = await client.post(
            "/api/v1/record/start", data=encode(order(zero_ns)), headers={"Authorization": "Bearer open-sesame"}
        )
        assert (answer.status, answer.content_type) == (409, "application/json")
        report = decode(await answer.read(), GateReport)
    assert report.node == "left"
    assert [gate.code for gate in report.closed] == ["disk"]


async def test_a_self_test_is_heard_and_leaves_the_node_ready(make_node, source, video, ledger, panel, zero_ns):
    node = make_node(f"file:{video}", ledger)
    assert (await node.self_test(2)).passed
    assert not (await make_node(f"file:{video}", ledger).self_test(60)).passed
    assert panel.beeped == [PASSED, FAILED]
    assert ledger.sessions() == []
    assert (await node.start(order(zero_ns))).recording == "s1"
    await node.stop()


async def test_while_a_node_tests_itself_nothing_else_has_its_camera(make_node, source, ledger, hold, zero_ns):
    node = make_node(source, ledger)
    testing = asyncio.create_task(node.self_test(2))
    await asyncio.sleep(0)
    for ask in (lambda: node.start(order(zero_ns)), node.gates, node.self_test):
        with pytest.raises(SelfTesting, match="testing itself"):
            await ask()
    hold.set()
    await testing


async def test_the_manifest_tells_the_session_from_its_start_to_its_end(
    make_node, source, ledger, clock, tmp_path, zero_ns, eventually
):
    node = make_node(source, ledger)
    await node.start(order(zero_ns))
    begun = manifest(tmp_path)
    assert (begun.session, begun.node, begun.camera, begun.detector) == ("s1", "left", "test:camera", "one-ball")
    assert begun.software.startswith("touchline ")
    # This node's clock is 0.2 ms slow.
    assert (begun.start_ns, begun.local_start_ns) == (zero_ns, zero_ns - 200_000)
    assert begun.started.clock == clock.reading
    assert (begun.complete, begun.ended, begun.segments) == (False, None, ())
    await eventually(lambda: node._recording.frames == 60)
    clock.ns += 9
    await node.stop()
    ended = manifest(tmp_path)
    assert ended.complete
    assert (ended.frames, ended.frames_dropped, ended.resumed, ended.ended.local_ns) == (60, 0, 0, zero_ns + 9)
    assert [(s.sequence, s.frames) for s in ended.segments] == [(0, 50), (1, 10)]
    assert msgspec.structs.replace(begun, complete=True) == msgspec.structs.replace(
        ended, ended=None, frames=0, segments=()
    )
    assert (tmp_path / "sessions" / "s1" / REFERENCE).exists()
