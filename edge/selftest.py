"""The self-test: a short recording as the real one would be, judged stage by stage and then thrown away."""

import asyncio
import math
import shutil
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Self

import av

from edge.aside import aside
from edge.capture import Camera, CameraSource
from edge.capture.sound import RATE, WatchedMicrophone, open_microphone
from edge.cost import Cost
from edge.encode import Coder
from edge.errors import EdgeError, HubUnreachable, SoundFault
from edge.frame import Frame
from edge.gates import Gates, ask
from edge.gates.checks import failed, passed, probe, warned
from edge.ledger import Ledger, SegmentRow, SessionRow
from edge.record import Recording, Shelf
from edge.record.shelf import VIDEO
from edge.sight import Eyes, NoEyes, SegmentSight
from edge.storage.storage import SLOW_S
from firmware.clock import RigClock
from firmware.log import Log
from wire.ids import NodeId, SessionId
from wire.readiness import Finding, SelfTestReport, Verdict
from wire.rigtime import nanoseconds, seconds
from wire.session import SegmentState

SESSION = SessionId("self-test")
GRACE_S = 30.0
"""How much longer than its video a self-test may take before it is called hanging."""
_STOP_S = 5.0
_REST_S = 60.0
"""For opening the camera, and for playing what was recorded."""
_HUB_S = 5.0
_PROBE = b"\x5a" * (16 << 20)
_ENOUGH = 0.95
"""The share of its nominal rate that a camera has to give."""
_LOST_SHARE = 0.01
_HEADROOM = 2.0
"""A disk has to write so many times faster than video comes in: the hub is served from it, too."""
_GAP = 1.5
"""A frame later than so many frame times after the one before says that some are missing between them."""


class SelfTest:
    """Tests one node's camera, encoder, eyes, disk, ledger, hub, clock and board, in a folder of its own below `root`.

    `hub_answers` raises `HubUnreachable` when the hub does not; `sound` names a microphone, which is then recorded and
    judged with the camera; `timer` counts seconds; `grace_s` is how much longer than its video a test may take before
    it is called hanging.
    """

    def __init__(
        self,
        *,
        node: NodeId,
        source: CameraSource,
        eyes_for: Callable[[Camera, int], Eyes],
        root: Path,
        gates: Gates,
        clock: RigClock,
        log: Log,
        hub_answers: Callable[[], Awaitable[None]],
        sound: str | None = None,
        timer: Callable[[], float] = time.perf_counter,
        grace_s: float = GRACE_S,
    ) -> None:
        self._node = node
        self._source = source
        self._eyes_for = eyes_for
        self._folder = root / "self-test"
        self._gates = gates
        self._clock = clock
        self._log = log
        self._hub_answers = hub_answers
        self._sound = sound
        self._timer = timer
        self._grace_s = grace_s

    def sweep(self) -> None:
        """Throw away what a self-test that was cut off has left."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def run(self, length_s: float) -> SelfTestReport:
        """Record `length_s` seconds of video, judge them, and leave nothing behind."""
        at_ns = self._clock.now_ns()
        trial, hub, board = await asyncio.gather(self._trial(length_s), self._hub(), ask(self._gates.board()))
        await asyncio.to_thread(self.sweep)
        report = SelfTestReport(node=self._node, at_ns=at_ns, seconds=length_s, stages=(*trial, hub, *board))
        for stage in report.stages:
            self._log.event("self-test", stage=stage.code, verdict=stage.verdict, says=stage.sentence, **stage.numbers)
        return report

    async def _hub(self) -> Finding:
        try:
            async with asyncio.timeout(_HUB_S):
                await self._hub_answers()
        except (HubUnreachable, TimeoutError) as fault:
            return warned("hub", f"{str(fault) or 'the hub does not answer'}: video waits on this node until it does")
        return passed("hub", "the hub answers")

    async def _trial(self, length_s: float) -> list[Finding]:
        try:
            async with asyncio.timeout(length_s + self._grace_s + _REST_S):
                return await aside(lambda: self._record(length_s))
        except TimeoutError:
            return [failed("camera", "the camera does not open, and does not say why: check its cable")]
        except (EdgeError, OSError) as fault:
            return [failed("camera", str(fault))]

    def _record(self, length_s: float) -> list[Finding]:
        self.sweep()
        self._folder.mkdir(parents=True)
        ledger = Ledger(self._folder / "ledger.sqlite")
        try:
            # Before the camera: its pictures do not wait.
            chip_fault = self._open_chip()
            start_ns = self._clock.now_ns()
            camera = _WatchedCamera(self._source.alone().open(start_ns, self._log), nanoseconds(length_s))
            eyes = _TimedEyes(self._wake(camera), self._timer, chip_fault)
            ledger.begin_session(
                SessionRow(
                    session=SESSION,
                    node=self._node,
                    start_ns=start_ns,
                    width_px=camera.width,
                    height_px=camera.height,
                    frames_per_second=camera.frames_per_second,
                    detector=eyes.name,
                )
            )
            ear = _Ear(self._sound) if self._sound else None
            shelf, cost, done = Shelf(self._folder), Cost(), threading.Event()
            # From here on the recording closes the camera.
            recording = Recording(
                session=SESSION,
                node=self._node,
                start_ns=start_ns,
                camera=camera,
                eyes=eyes,
                shelf=shelf,
                ledger=ledger,
                clock=self._clock,
                cost=cost,
                log=self._log,
                closed=lambda _offer: None,
                finished=done.set,
                microphone=ear.microphone if ear else None,
            )
            camera.stop = recording.stop
            recording.start()
            hung = not done.wait(length_s + self._grace_s)
            if hung:
                recording.stop()
                done.wait(_STOP_S)
            rows = ledger.segments()
            return [
                _judge_camera(camera, recording, length_s, hung),
                self._judge_encoder(shelf, rows, recording, camera),
                _judge_eyes(eyes, recording.frames, cost.report(self._node).detections),
                *([_judge_sound(ear, recording.deaf)] if ear else []),
                self._judge_disk(shelf, rows, camera),
                _judge_ledger(ledger, rows, recording),
            ]
        finally:
            ledger.close()

    def _open_chip(self) -> str | None:
        """Ask for all that the eyes may need of the chip: an empty pitch asks for no pose."""
        try:
            self._gates.open_chip()
        except Exception as fault:
            return str(fault)
        return None

    def _wake(self, camera: Camera) -> Eyes:
        try:
            return self._eyes_for(camera, 0)
        except Exception as fault:
            return NoEyes(str(fault))

    def _judge_encoder(
        self, shelf: Shelf, rows: list[SegmentRow], recording: Recording, camera: "_WatchedCamera"
    ) -> Finding:
        try:
            shown = sum(_frames_in(shelf.path(row.key, VIDEO)) for row in rows)
        except (av.FFmpegError, OSError) as fault:
            return failed("encoder", f"what was recorded cannot be played: {fault.strerror}")
        numbers = {"segments": len(rows), "frames": shown, "megabit_per_s": _bytes_per_second(rows, camera) * 8 / 1e6}
        if shown != recording.frames:
            said = f": {recording.fault}" if recording.fault else ""
            return failed("encoder", f"only {shown} of {recording.frames} frames can be played again{said}", **numbers)
        return passed("encoder", f"all {shown} frames can be played again", **numbers)

    def _judge_disk(self, shelf: Shelf, rows: list[SegmentRow], camera: "_WatchedCamera") -> Finding:
        began = self._timer()
        try:
            probe(self._folder, _PROBE)
        except OSError as fault:
            return failed("disk", f"the disk cannot be written: {fault.strerror}")
        written = len(_PROBE) / max(self._timer() - began, 1e-9)
        needed = _HEADROOM * _bytes_per_second(rows, camera)
        close_s = max((closing.whole_s for closing in shelf.shelved), default=0.0)
        sync_s = max((closing.sync_s for closing in shelf.shelved), default=0.0)
        numbers = {"write_megabyte_per_s": written / 1e6, "slowest_close_s": close_s, "slowest_sync_s": sync_s}
        if written < needed:
            sentence = f"the disk writes {written / 1e6:.1f} MB a second, and {needed / 1e6:.1f} are needed: change it"
            return failed("disk", sentence, **numbers)
        if close_s > SLOW_S:
            return warned("disk", f"the disk is slow: a segment took {close_s:.1f} s to be safe", **numbers)
        return passed("disk", f"the disk writes {written / 1e6:.0f} MB a second", **numbers)


class _WatchedCamera:
    """A camera that is stopped after `length_ns` of video, and what was noticed of its frames meanwhile."""

    def __init__(self, camera: Camera, length_ns: int) -> None:
        self.width = camera.width
        self.height = camera.height
        self.frames_per_second = camera.frames_per_second
        self.frames_dropped = camera.frames_dropped
        self.live = camera.live
        self.waits_s = camera.waits_s
        self.stop: Callable[[], None] = lambda: None
        self.frames = 0
        self.gaps = 0
        self.span_ns = 0
        """From the first frame to the last."""
        self._camera = camera
        self._length_ns = length_ns

    @property
    def ahead_ns(self) -> int:
        return self._camera.ahead_ns

    def coder(self) -> Coder:
        return self._camera.coder()

    def __enter__(self) -> Self:
        self._camera.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._camera.__exit__(*exc)

    def __iter__(self) -> Iterator[Frame]:
        first_ns = last_ns = None
        longest_ns = nanoseconds(_GAP / self.frames_per_second)
        for frame in self._camera:
            first_ns = frame.time_ns if first_ns is None else first_ns
            self.span_ns = frame.time_ns - first_ns
            if self.span_ns >= self._length_ns:
                self.stop()
                return
            self.gaps += last_ns is not None and frame.time_ns - last_ns > longest_ns
            last_ns = frame.time_ns
            self.frames += 1
            self.frames_dropped = self._camera.frames_dropped
            yield frame


class _TimedEyes:
    """Eyes, how many frames they looked at in how many seconds, and whether they saw less than they could."""

    def __init__(self, eyes: Eyes, timer: Callable[[], float], impaired: str | None) -> None:
        self.name = eyes.name
        self.looked = 0
        self.seconds = 0.0
        self.impaired = impaired
        """Why at any time, the last time: eyes that get over it once will not do so for a whole match."""
        self._eyes = eyes
        self._timer = timer

    def look(self, frame: Frame) -> None:
        began = self._timer()
        self._eyes.look(frame)
        self.seconds += self._timer() - began
        self.looked += 1
        self.impaired = self._eyes.impaired or self.impaired

    def close_segment(self, sequence: int) -> SegmentSight:
        return self._eyes.close_segment(sequence)


class _Ear:
    """The microphone of a setting; None when it does not open, for the reason `fault` gives."""

    def __init__(self, sound: str) -> None:
        self.fault: str | None = None
        self.microphone: WatchedMicrophone | None = None
        try:
            self.microphone = WatchedMicrophone(open_microphone(sound))
        except SoundFault as fault:
            self.fault = str(fault)


def _frames_in(video: Path) -> int:
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


def _bytes_per_second(rows: list[SegmentRow], camera: _WatchedCamera) -> float:
    return sum(row.offer.video_bytes for row in rows if row.offer) / max(seconds(camera.span_ns), 1e-3)


def _judge_camera(camera: _WatchedCamera, recording: Recording, length_s: float, hung: bool) -> Finding:
    span_s = seconds(camera.span_ns)
    rate = camera.frames / span_s if span_s else 0.0
    numbers = {
        "frames": camera.frames,
        "frames_per_second": rate,
        "gaps": camera.gaps,
        "frames_dropped": camera.frames_dropped,
    }
    if hung:
        return failed("camera", f"the camera hangs after {camera.frames} frames: check its cable", **numbers)
    if span_s < length_s:
        said = f": {recording.fault}" if recording.fault else ""
        return failed("camera", f"the camera stopped after {span_s:.1f} of {length_s:g} s{said}", **numbers)
    if rate < _ENOUGH * camera.frames_per_second:
        sentence = f"the camera gives {rate:.1f} of {camera.frames_per_second:g} frames a second"
        return failed("camera", sentence, **numbers)
    lost = max(camera.gaps, camera.frames_dropped)
    if lost > _LOST_SHARE * camera.frames:
        return failed("camera", f"the camera loses frames: {lost} in {span_s:.0f} s", **numbers)
    if lost:
        return warned("camera", f"the camera lost {lost} frames in {span_s:.0f} s", **numbers)
    return passed("camera", f"the camera gives {rate:.1f} frames a second and loses none", **numbers)


def _judge_eyes(eyes: _TimedEyes, frames: int, rows: int) -> Finding:
    per_frame_ms = eyes.seconds / max(1, eyes.looked) * 1000
    numbers = {"looked": eyes.looked, "rows": rows, "ms_per_frame": per_frame_ms}
    if eyes.name == NoEyes.name:
        return warned("eyes", "the detector cannot be made: matches are recorded without it", **numbers)
    if eyes.impaired:
        return failed("eyes", eyes.impaired, **numbers)
    if eyes.looked < frames:
        return warned("eyes", f"the detector looked at only {eyes.looked} of {frames} frames", **numbers)
    return passed("eyes", f"the detector {eyes.name} takes {per_frame_ms:.0f} ms a frame", **numbers)


def _judge_sound(ear: _Ear, deaf: str | None) -> Finding:
    samples, peak = (ear.microphone.samples, ear.microphone.peak) if ear.microphone else (0, 0.0)
    peak_dbfs = 20 * math.log10(peak) if peak else None
    numbers = {"heard_s": samples / RATE, "peak_dbfs": peak_dbfs}
    if fault := ear.fault or deaf:
        return failed("sound", f"{fault}: matches are recorded without sound", **numbers)
    if not samples:
        return failed("sound", "the microphone opens, but gives no sound: plug it in anew", **numbers)
    if peak_dbfs is None:
        return failed("sound", "the microphone gives nothing but silence: `alsamixer` shows if it is muted", **numbers)
    return passed("sound", f"the microphone hears: {abs(peak_dbfs):.0f} dB below full scale at its loudest", **numbers)


def _judge_ledger(ledger: Ledger, rows: list[SegmentRow], recording: Recording) -> Finding:
    closed = bool(rows) and all(row.state is SegmentState.CLOSED for row in rows)
    # A session that broke off waits to be gone on with, and has no last segment.
    ends = [False] * (len(rows) - 1) + [recording.ends_well]
    told = [bool(row.offer and row.offer.last) for row in rows] == ends and ledger.sessions()[0].finished is ends[-1]
    verdict = Verdict.PASS if closed and told else Verdict.FAIL
    sentence = "every segment is in the ledger" if verdict is Verdict.PASS else "the ledger does not hold every segment"
    return Finding(code="ledger", verdict=verdict, sentence=sentence, numbers={"segments": float(len(rows))})
