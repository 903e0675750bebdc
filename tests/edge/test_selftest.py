"""The self-test, with something wrong at every stage in turn."""

import asyncio
import errno
import itertools
import threading

import numpy as np
import pytest

from edge.capture import CameraSource
from edge.capture.sound import Sound
from edge.detect.hailo import Chip
from edge.encode.libav import LibavCoder
from edge.encode.sound import AacCoder
from edge.errors import CameraFault, ChipMissing, HubUnreachable, RecorderFault, SoundFault, WrongWeights
from edge.frame import Frame
from edge.gates import Gates
from edge.ledger import Ledger
from edge.record.shelf import Shelf, Shelved
from edge.selftest import SelfTest
from edge.storage import Storage
from edge.track.eyes import open_eyes
from firmware.clock import WORST_UNCERTAINTY_NS, ClockReading, ClockSource
from firmware.health import HealthReading
from wire.message import decode, encode
from wire.readiness import SelfTestReport, Verdict

STAGES = ["camera", "encoder", "eyes", "disk", "ledger", "hub", "clock", "temperature", "supply", "battery"]
BEGAN_NS = 1_790_000_000_000_000_000
PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL


class Camera:
    """A camera whose frames come at the given times in seconds; then it waits for `hold`, and raises `fault`."""

    width, height, frames_per_second, waits_s, ahead_ns = 320, 180, 25.0, 0.0, 0

    def __init__(self, start_ns, picture, times, dropped=0, hold=None, fault=None, live=False):
        self.frames_dropped, self.live = dropped, live
        self.closed = threading.Event()
        self._start_ns, self._picture, self._times, self._hold, self._fault = start_ns, picture, times, hold, fault

    def coder(self):
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.closed.set()

    def __iter__(self):
        for number, at_s in enumerate(self._times):
            yield Frame(self._picture(number), self._start_ns + round(at_s * 1e9), number)
        if self._hold:
            self._hold.wait(30)
        if self._fault:
            raise self._fault


class Microphone:
    """Hears the same samples again and again, or `pieces` times and then raises `fault`, or ends; without samples it
    is at rest until it is `closed`. `heard` is set once it gave some, or cannot."""

    def __init__(self, samples, pieces=None, fault=None):
        self.heard, self.closed = threading.Event(), threading.Event()
        self._samples, self._pieces, self._fault = np.asarray(samples, np.float32), pieces, fault

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.closed.set()

    def __iter__(self):
        if not len(self._samples):
            self.heard.set()
            self.closed.wait(30)
            return
        for number in itertools.count():
            if number == self._pieces:
                self.heard.set()
                if self._fault:
                    raise self._fault
                return
            yield Sound(self._samples, BEGAN_NS + number * 10_000_000)
            # Asked again, whoever listens has taken it.
            self.heard.set()


class Source:
    def __init__(self, make):
        self._make = make

    def alone(self):
        return self

    def open(self, start_ns, _log=None):
        return self._make(start_ns)


@pytest.fixture
def run(tmp_path, clock, log, health, disk, make_eyes, picture):
    """Runs a self-test of 2 s and returns its report; by default everything is well."""

    async def make(
        *, camera=None, source=None, eyes_for=None, hub=None, length_s=2.0, open_chip=lambda: None, **options
    ) -> SelfTestReport:
        folder = tmp_path / "node"
        folder.mkdir(exist_ok=True)
        ledger = Ledger(tmp_path / "ledger.sqlite")
        storage = Storage(Shelf(folder), ledger, log, statvfs=disk)
        gates = Gates("left", folder, storage, clock, health, hub_is_here=False, open_chip=open_chip)

        async def silence() -> None:
            pass

        whole = {"times": [k / 25 for k in range(60)]}
        test = SelfTest(
            node="left",
            source=source or Source(lambda start_ns: Camera(start_ns, picture, **{**whole, **(camera or {})})),
            eyes_for=eyes_for or (lambda _camera, _first: make_eyes()),
            root=folder,
            gates=gates,
            clock=clock,
            log=log,
            hub_answers=hub or silence,
            **options,
        )
        report = await test.run(length_s)
        ledger.close()
        assert list(folder.iterdir()) == []
        return report

    return make


def of(report):
    return {stage.code: stage for stage in report.stages}


async def test_a_node_that_is_well_passes_every_stage_with_its_numbers(run, log_text):
    report = await run()
    assert [stage.code for stage in report.stages] == STAGES
    assert {stage.verdict for stage in report.stages} == {PASS}
    assert report.passed
    told = of(report)
    assert told["camera"].numbers == {"frames": 50, "frames_per_second": 25, "gaps": 0, "frames_dropped": 0}
    assert (told["encoder"].numbers["segments"], told["encoder"].numbers["frames"]) == (1, 50)
    assert told["encoder"].numbers["megabit_per_s"] > 0
    assert (told["eyes"].numbers["looked"], told["eyes"].numbers["rows"]) == (50, 50)
    assert told["disk"].numbers["write_megabyte_per_s"] > 1
    assert 0 < told["disk"].numbers["slowest_sync_s"] <= told["disk"].numbers["slowest_close_s"]
    assert told["ledger"].numbers == {"segments": 1}
    assert decode(encode(report), SelfTestReport) == report
    assert log_text.getvalue().count("event=self-test ") == len(STAGES)


async def test_it_stops_by_the_frames_own_times_at_the_length_it_was_given(run, video):
    report = await run(source=CameraSource("file", video), length_s=3.0)
    assert (of(report)["camera"].numbers["frames"], of(report)["encoder"].numbers["segments"]) == (75, 2)
    assert report.seconds == 3.0


async def test_a_live_camera_is_stopped_and_not_taken_for_broken(run):
    told = of(await run(camera={"times": [k / 25 for k in range(60)], "live": True}))
    assert {told[code].verdict for code in ("camera", "encoder", "ledger")} == {PASS}
    assert told["encoder"].numbers["frames"] == 50


async def test_a_live_camera_that_stops_by_itself_has_failed_and_what_it_gave_is_judged(run):
    told = of(await run(camera={"times": [k / 25 for k in range(30)], "live": True}))
    assert told["camera"].verdict is FAIL
    assert "the camera stopped giving pictures" in told["camera"].sentence
    assert (told["encoder"].verdict, told["encoder"].numbers["frames"]) == (PASS, 30)


CAMERAS = [
    ({"times": [k / 25 for k in range(30)]}, FAIL, "stopped after 1.2 of 2 s"),
    ({"times": [0, 0.04], "fault": CameraFault("the cable came off")}, FAIL, "the cable came off"),
    ({"times": [k / 20 for k in range(60)]}, FAIL, "20.0 of 25 frames a second"),
    ({"times": [k / 25 for k in range(60) if k not in (20, 30)]}, FAIL, "of 25 frames a second|loses frames: 2"),
    ({"times": [k / 25 for k in range(60)], "dropped": 5}, FAIL, "loses frames: 5 in 2 s"),
    ({"times": []}, FAIL, "stopped after 0.0 of 2 s"),
]


@pytest.mark.parametrize(("camera", "verdict", "words"), CAMERAS)
async def test_a_camera_that_is_not_well_fails_its_stage(run, camera, verdict, words):
    told = of(await run(camera=camera))["camera"]
    assert told.verdict is verdict
    assert any(word in told.sentence for word in words.split("|"))


async def test_a_frame_lost_in_many_is_a_warning(run):
    times = [k / 25 for k in range(300) if k != 100]
    told = of(await run(camera={"times": times}, length_s=10.0))["camera"]
    assert (told.verdict, told.numbers["gaps"]) == (WARN, 1)


async def test_a_camera_that_hangs_fails_and_what_it_gave_is_judged(run):
    hold = threading.Event()
    report = await run(camera={"times": [k / 25 for k in range(20)], "hold": hold}, length_s=1.0, grace_s=0.2)
    hold.set()
    told = of(report)
    assert told["camera"].verdict is FAIL
    assert "hangs after 20 frames" in told["camera"].sentence
    assert told["encoder"].numbers["frames"] == 20
    assert told["ledger"].verdict is PASS


@pytest.mark.parametrize("fault", [CameraFault("there is no camera"), OSError(errno.EBUSY, "there is no camera")])
async def test_a_camera_that_does_not_open_fails_and_the_rest_is_still_told(run, fault):
    def refuse(_start_ns):
        raise fault

    report = await run(source=Source(refuse))
    assert [stage.code for stage in report.stages] == ["camera", *STAGES[5:]]
    assert "there is no camera" in report.stages[0].sentence
    assert not report.passed


async def test_a_camera_that_never_opens_is_not_waited_for(run, monkeypatch):
    monkeypatch.setattr("edge.selftest._REST_S", 0.1)
    hold = threading.Event()
    report = await run(source=Source(lambda _: hold.wait(30)), length_s=0.1, grace_s=0.1)
    assert report.stages[0].verdict is FAIL
    hold.set()


async def test_an_encoder_that_breaks_fails_its_stage_with_the_reason(run, monkeypatch):
    def broken(*_):
        raise RecorderFault("cannot write 00000000.mp4: no room")

    monkeypatch.setattr("edge.record.writing.SegmentWriter.write", broken)
    told = of(await run())
    assert told["encoder"].verdict is FAIL
    assert "only 0 of 50 frames" in told["encoder"].sentence
    assert "no room" in told["encoder"].sentence
    assert told["ledger"].verdict is FAIL


async def test_video_that_cannot_be_played_again_fails_the_encoder(run, monkeypatch):
    honest = Shelf.place

    def spoiling(self, key, suffix):
        if suffix == ".mp4":
            self.open_path(key, suffix).write_bytes(b"not a video")
        return honest(self, key, suffix)

    monkeypatch.setattr(Shelf, "place", spoiling)
    told = of(await run())["encoder"]
    assert told.verdict is FAIL
    assert "cannot be played" in told.sentence


async def test_a_frame_that_is_not_in_the_file_fails_the_encoder(run, monkeypatch):
    monkeypatch.setattr("edge.selftest._frames_in", lambda _video: 49)
    told = of(await run())["encoder"]
    assert told.verdict is FAIL
    assert "only 49 of 50 frames" in told.sentence


async def test_eyes_that_fail_or_cannot_be_made_are_warnings(run, make_eyes):
    told = of(await run(eyes_for=lambda _camera, _first: make_eyes(fails_at=10)))
    assert told["eyes"].verdict is WARN
    assert "looked at only 10 of 50 frames" in told["eyes"].sentence
    assert told["encoder"].verdict is PASS

    def no_weights(_camera, _first):
        raise WrongWeights("the weights are damaged")

    report = await run(eyes_for=no_weights)
    assert of(report)["eyes"].verdict is WARN
    assert report.passed


async def test_eyes_that_saw_less_than_they_could_at_any_time_have_failed(run, make_eyes):
    class Impaired(type(make_eyes())):
        @property
        def impaired(self):
            return "the chip sleeps: people are followed by their motion alone" if 10 < self.looked < 40 else None

    report = await run(eyes_for=lambda _camera, _first: Impaired())
    told = of(report)["eyes"]
    assert (told.verdict, told.sentence) == (FAIL, "the chip sleeps: people are followed by their motion alone")
    assert told.numbers["looked"] == 50
    assert not report.passed


async def test_a_chip_that_is_not_there_fails_the_eyes_that_go_on_without_it(run, hailo_platform, board):
    board.chip = None
    chip = Chip(hailo_platform.models)

    def eyes_for(camera, first):
        return open_eyes("hailo", 24, camera.width, camera.height, camera.frames_per_second, first, chip=chip)

    told = of(await run(eyes_for=eyes_for))
    assert told["eyes"].verdict is FAIL
    assert "no Hailo chip answers" in told["eyes"].sentence
    assert "by their motion alone" in told["eyes"].sentence
    assert told["encoder"].verdict is PASS


async def test_what_no_look_needs_of_the_chip_is_asked_for_before_the_camera_is_opened(run, picture):
    asked = []

    def open_chip():
        asked.append("chip")
        raise ChipMissing("there is no yolov8s_pose for this chip")

    def open_camera(start_ns):
        asked.append("camera")
        return Camera(start_ns, picture, [k / 25 for k in range(60)])

    told = of(await run(source=Source(open_camera), open_chip=open_chip))
    assert asked == ["chip", "camera"]
    assert (told["eyes"].verdict, told["eyes"].sentence) == (FAIL, "there is no yolov8s_pose for this chip")
    assert told["encoder"].verdict is PASS


@pytest.fixture
def listen(run, picture, monkeypatch):
    """Runs a self-test whose pictures wait for what `microphone` hears, or that finds none but the fault it is."""

    async def test(microphone) -> SelfTestReport:
        def plug_in(device):
            assert device == "alsa:hw:1"
            if isinstance(microphone, SoundFault):
                raise microphone
            return microphone

        def paced(number):
            if number == 40 and isinstance(microphone, Microphone):
                assert microphone.heard.wait(20)
            return picture(number)

        monkeypatch.setattr("edge.selftest.open_microphone", plug_in)
        times = [k / 25 for k in range(60)]
        return await run(source=Source(lambda start_ns: Camera(start_ns, paced, times)), sound="alsa:hw:1")

    return test


TONE = 0.1 * np.sin(np.arange(480))


async def test_a_microphone_is_recorded_with_the_picture_and_has_a_stage_of_its_own(listen, until):
    microphone = Microphone(TONE)
    report = await listen(microphone)
    assert [stage.code for stage in report.stages] == [*STAGES[:3], "sound", *STAGES[3:]]
    assert {stage.verdict for stage in report.stages} == {PASS}
    told = of(report)["sound"]
    assert told.numbers["heard_s"] >= 0.01
    assert told.numbers["peak_dbfs"] == pytest.approx(-20, abs=0.1)
    assert "20 dB below full scale" in told.sentence
    until(microphone.closed.is_set)


UNHEARD = {
    "missing": (lambda: SoundFault("there is no microphone hw:1"), "there is no microphone hw:1", 0),
    "unplugged": (lambda: Microphone(TONE, 3, SoundFault("it fell silent")), "it fell silent", 0.03),
    "ending": (lambda: Microphone(TONE, 3), "gives no more sound", 0.03),
    "empty": (lambda: Microphone([]), "gives no sound", 0),
    "muted": (lambda: Microphone(np.zeros(480)), "nothing but silence", None),
}


@pytest.mark.parametrize("name", UNHEARD)
async def test_a_microphone_of_which_nothing_is_heard_fails_its_stage_alone(listen, name):
    make, words, heard_s = UNHEARD[name]
    microphone = make()
    told = of(await listen(microphone))
    if isinstance(microphone, Microphone):
        microphone.closed.set()
    assert [code for code, stage in told.items() if stage.verdict is not PASS] == ["sound"]
    assert told["sound"].verdict is FAIL
    assert words in told["sound"].sentence
    assert heard_s is None or told["sound"].numbers["heard_s"] == heard_s
    assert told["encoder"].numbers["frames"] == 50


async def test_a_coder_of_the_sound_that_fails_fails_the_stage_of_the_sound(listen, monkeypatch):
    microphone = Microphone(TONE)

    class FrailCoder(AacCoder):
        def encode(self, _sound):
            microphone.heard.set()
            raise SoundFault("the sound cannot be coded: Invalid argument")

    monkeypatch.setattr("edge.record.listening.AacCoder", FrailCoder)
    told = of(await listen(microphone))
    microphone.closed.set()
    assert [code for code, stage in told.items() if stage.verdict is not PASS] == ["sound"]
    assert told["sound"].sentence == "the sound cannot be coded: Invalid argument: matches are recorded without sound"


async def test_a_disk_that_writes_too_slowly_fails(run):
    # A day passes between any two looks at the timer.
    ticks = iter(range(0, 10**9, 86_400))
    told = of(await run(timer=lambda: next(ticks)))["disk"]
    assert told.verdict is FAIL
    assert "MB a second" in told.sentence


async def test_a_disk_that_is_slow_to_make_things_safe_is_a_warning(run, monkeypatch):
    monkeypatch.setattr("edge.record.shelf.Shelved", lambda _sync_s, _whole_s: Shelved(1.4, 1.5))
    told = of(await run())["disk"]
    assert (told.verdict, told.numbers["slowest_close_s"], told.numbers["slowest_sync_s"]) == (WARN, 1.5, 1.4)


async def test_a_disk_that_refuses_fails_with_the_reason(run, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("edge.selftest.probe", refuse)
    told = of(await run())["disk"]
    assert told.verdict is FAIL
    assert "Read-only file system" in told.sentence


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_hub_that_does_not_answer_is_a_warning(run, monkeypatch, hangs):
    monkeypatch.setattr("edge.selftest._HUB_S", 0.05)

    async def nobody() -> None:
        if not hangs:
            raise HubUnreachable("the hub at http://hub does not answer")
        await asyncio.Event().wait()

    report = await run(hub=nobody)
    assert of(report)["hub"].verdict is WARN
    assert "does not answer" in of(report)["hub"].sentence
    assert report.passed


async def test_clock_and_board_are_judged_as_before_a_start(run, clock, health):
    clock.reading = ClockReading(
        source=ClockSource.OWN, reference="", offset_ns=None, uncertainty_ns=WORST_UNCERTAINTY_NS
    )
    health.reading = HealthReading(temperature_c=91.0)
    report = await run()
    told = of(report)
    assert (told["clock"].verdict, told["temperature"].verdict, told["camera"].verdict) == (FAIL, FAIL, PASS)
    assert not report.passed


def test_what_a_cut_left_of_a_self_test_is_swept(tmp_path, make_node, ledger):
    left = tmp_path / "self-test" / "segments" / "self-test"
    left.mkdir(parents=True)
    (left / "00000000.mp4").write_bytes(np.zeros(9))
    make_node("file:x.mp4", ledger)._self_test.sweep()
    assert not (tmp_path / "self-test").exists()
