"""The camera node: one camera, at most one recording, and everything that waits to be handed over."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from importlib.metadata import version
from typing import NoReturn

from edge.aside import aside, tell
from edge.capture import Camera, CameraSource
from edge.capture.opening import opened
from edge.capture.peeked import PeekedCamera
from edge.capture.sound import Microphone, WatchedMicrophone, open_microphone
from edge.cost import Cost, NodeCost
from edge.errors import (
    AlreadyRecording,
    CameraFault,
    DiskFull,
    GateClosed,
    NotRecording,
    SelfTesting,
    SoundFault,
)
from edge.gates import Gates
from edge.ledger import Ledger, SessionRow
from edge.preview import jpeg
from edge.record import PATIENCE, Patience, Recording, Shelf, salvage
from edge.record.manifest import Manifests
from edge.record.stamping import unshifted_ns
from edge.selftest import SelfTest
from edge.sight import Eyes, NoEyes
from edge.storage import Level, Storage, StorageState
from edge.viewing import Guide, Live, Load, Lookout, Viewfinder
from firmware.clock import Clock
from firmware.health import Health
from firmware.log import Log
from firmware.panel import BEEPS, Panel
from firmware.panel.signals import (
    ALARM,
    FAILED,
    FAULT,
    KNOCKED,
    PASSED,
    READY,
    RECORDING,
    STARTED,
    STOPPED,
    TROUBLED,
    WARNING,
)
from wire.ids import NodeId, SessionId
from wire.readiness import GateReport, SelfTestReport, Verdict
from wire.rigtime import MILLISECOND, SECOND, seconds
from wire.session import NodeStatus, SegmentState, StartRecording, Sync

EyesFor = Callable[[Camera, int], Eyes]
"""Makes the eyes of one session for an opened camera, from a segment of this number on."""
_CLOCK_PATIENCE_S = 20.0
"""How long a session that goes on waits for a clock that is behind it: chrony needs some ten seconds."""
_GLANCE_S = 0.2
_MOST_LEAD_NS = SECOND
"""How far ahead an order may set a session's zero: a hub does by half of this."""
_MANIFEST_S = 2.5
"""How long the end of a recording waits for its manifest, which the next start completes."""


def software() -> str:
    """This program's name and version, as a node reports it."""
    return f"touchline {version('touchline')}"


class Node:
    """Starts and stops recordings and says how the node is; lives in one event loop.

    `segment_closed` is called in that loop whenever there is something to offload. `sound` names a microphone, `sync`
    is the camera's part in its rig.
    """

    def __init__(
        self,
        *,
        node: NodeId,
        source: CameraSource,
        eyes_for: EyesFor,
        detector: str,
        shelf: Shelf,
        ledger: Ledger,
        clock: Clock,
        cost: Cost,
        log: Log,
        gates: Gates,
        storage: Storage,
        manifests: Manifests,
        self_test: SelfTest,
        panel: Panel,
        segment_closed: Callable[[], None],
        health: Health,
        sound: str | None = None,
        sync: Sync = Sync.OFF,
        patience: Patience = PATIENCE,
    ) -> None:
        self.node = node
        self.broken = asyncio.Event()
        """Set when the node cannot do its duty any more and its process should end."""
        self.viewfinder = Viewfinder(source, clock, log, self._know)
        self.guide = Guide(self.viewfinder, panel, log)
        self.lookout = Lookout(shelf.root, self.viewfinder, self._knocked, log)
        self.live = Live(self.viewfinder, self._load, cost, log)
        self._source = source
        self._eyes_for = eyes_for
        self._detector = detector
        self._shelf = shelf
        self._ledger = ledger
        self._clock = clock
        self._cost = cost
        self._log = log
        self._gates = gates
        self._storage = storage
        self._manifests = manifests
        self._self_test = self_test
        self._panel = panel
        self._segment_closed = segment_closed
        self._health = health
        self._sound = sound
        self._sync = sync
        self._patience = patience
        self._starting: SessionId | None = None
        self._recording: Recording | None = None
        self._resuming: SessionId | None = None
        self._testing = False
        self._asked_to_stop = False
        self._cut_short: SessionId | None = None
        """The last session that ended with a fault: the disk may have been too full for all of it."""
        self._ended = asyncio.Event()
        self._ended.set()
        self._size = (0, 0, 0.0)
        self._fault: str | None = None
        self._stepped: str | None = None
        self._unheard: str | None = None
        """Why the recording that runs has no microphone, where it should."""
        self._seen: tuple[Recording, int] | None = None
        """What `gets_on` was shown last."""

    @property
    def session(self) -> SessionId | None:
        """The session that is being recorded, begun or gone on with."""
        return self._recording.session if self._recording else self._starting or self._resuming

    async def begun(self) -> SessionId | None:
        """The same, once a start that is under way is over: the ledger knows this session."""
        if self._starting:
            async with self.viewfinder.claimed():
                pass
        return self.session

    async def start(self, order: StartRecording) -> NodeStatus:
        """Begin a recording; raises `AlreadyRecording`, `SelfTesting` or `GateClosed`."""
        loop = asyncio.get_running_loop()
        self._leave_the_test_alone()
        async with self._camera_alone():
            if any(row.session == order.session for row in await asyncio.to_thread(self._ledger.sessions)):
                raise AlreadyRecording(f"session {order.session} was recorded before: give the next one a new id")
            self._starting = order.session
            try:
                async with opened(self._source, order.start_ns, self._log, keep=True) as camera:
                    self._know(camera)
                    report, eyes = await self._ask_gates(camera, order.planned_minutes, order.override)
                    if report.closed:
                        self._refuse(report)
                    self._set_going(await aside(lambda: self._begin(order, camera, eyes, report, loop)))
            except CameraFault as fault:
                self._refuse(await self._gates.ask_without(fault, order.planned_minutes, order.override))
            finally:
                self._starting = None
        self._log.event("recording-started", session=order.session, start_ns=order.start_ns)
        return await self.status()

    async def gates(self, planned_minutes: float | None = None) -> GateReport:
        """What the gates would say of a start now; raises `AlreadyRecording` or `SelfTesting`."""
        self._leave_the_test_alone()
        async with self._camera_alone():
            try:
                async with opened(self._source.alone(), self._clock.now_ns(), self._log, keep=False) as camera:
                    self._know(camera)
                    return (await self._ask_gates(camera, planned_minutes, ()))[0]
            except CameraFault as fault:
                return await self._gates.ask_without(fault, planned_minutes)

    async def self_test(self, length_s: float = 10.0) -> SelfTestReport:
        """Record so many seconds for nobody, and judge them; raises `AlreadyRecording` or `SelfTesting`."""
        self.check_idle()
        self._testing = True
        try:
            async with self._camera_alone():
                report = await self._self_test.run(length_s)
        finally:
            self._testing = False
        self._panel.beep(PASSED if report.passed else FAILED)
        return report

    async def resume(self, session: SessionRow) -> None:
        """Go on with a session that the end of an earlier process broke off; raises `CameraFault`.

        A clock that is behind what was recorded already is waited for; one that stays behind is shifted, since no time
        may come twice.
        """
        loop = asyncio.get_running_loop()
        self._resuming = session.session
        after, end_ns = await asyncio.to_thread(self._ledger.reach, session.session)
        patience_s = _CLOCK_PATIENCE_S
        while self._resuming and self._clock.now_ns() <= end_ns and patience_s > 0:
            await asyncio.sleep(_GLANCE_S)
            patience_s -= _GLANCE_S
        async with self.viewfinder.claimed():
            if not self._resuming:
                await asyncio.to_thread(self._ledger.finish_session, session.session)
                self._segment_closed()
                return
            # Lost video cannot be had again; being in step can.
            async with opened(self._source.at_once(), session.start_ns, self._log, keep=True) as camera:
                self._know(camera)
                behind_ns = max(0, end_ns - unshifted_ns(self._clock, camera))
                going = await aside(lambda: self._go_on(session, after, behind_ns, camera, loop))
                self._set_going(going, resumed=True)
            if not self._resuming:
                # The order to stop came while the camera was being opened.
                await asyncio.to_thread(going.stop)
            self._resuming = None
        self._log.event("recording-resumed", session=session.session, after=after, behind_ms=behind_ns // MILLISECOND)

    def tell_broken_off(self, session: SessionRow, stood_ns: int) -> None:
        """Tell that a session was not gone on with, since it had stood still for so long."""
        self._fault = (
            f"session {session.session} was broken off {stood_ns // (60 * SECOND)} minutes before this start, too long "
            "ago to be gone on with, and is over: start a new recording if the match goes on"
        )
        self._log.event("recording-broken-off", session=session.session, stood_s=stood_ns // SECOND)
        self._panel.beep(WARNING)
        self._panel.light(TROUBLED)

    def _set_going(self, recording: Recording, *, resumed: bool = False) -> None:
        self._recording = recording
        self._fault = None
        self._asked_to_stop = False
        self._stepped = None
        self._ended.clear()
        self.viewfinder.lend()
        self.guide.end()
        self.lookout.begin(resumed=resumed)
        recording.start()
        self._panel.light(RECORDING)

    async def stop(self) -> NodeStatus:
        """End the recording and wait until its last segment is safe; raises `NotRecording`.

        A recording that is still being started ends as soon as it has begun.
        """
        if self._resuming:
            await asyncio.to_thread(self._ledger.stop_session, self._resuming)
            # It may have begun to record meanwhile, and is then stopped as any recording is.
            if self._resuming:
                self._resuming = None
                return await self.status()
        await self.begun()
        if not self._recording:
            raise NotRecording(f"node {self.node} is not recording")
        self._asked_to_stop = True
        await asyncio.to_thread(self._recording.stop)
        await self._ended.wait()
        return await self.status()

    async def leave(self) -> None:
        """Make safe what was recorded; the session is gone on with when the node is there again."""
        self.guide.end()
        if self._recording:
            self._recording.pause()
            await self._ended.wait()
        await self.viewfinder.close()

    async def storage_told(self, state: StorageState) -> None:
        """End the recording while its last segment can still be closed, when the disk is full; once it has room again,
        close what found none."""
        recording = self._recording
        if recording and state.level is Level.FULL and not recording.stopping.is_set():
            await asyncio.to_thread(recording.cut_short, DiskFull(state.sentence))
        if self._cut_short and state.level in (Level.OK, Level.LOW) and not (self.session or self._testing):
            await self._make_up_for(self._cut_short)

    async def _make_up_for(self, session: SessionId) -> None:
        """Close what a session that was cut short has left open, as the next start of the process would."""

        def close() -> None:
            # The ledger may have been too full for that, too.
            self._ledger.stop_session(session)
            salvage(self._shelf, self._ledger, self._log, self._clock.now_ns())
            self._manifests.mend()

        # No recording begins meanwhile: what it has only just opened would be taken for what was left.
        async with self.viewfinder.claimed():
            if self.session:
                return
            await aside(close)
            self._cut_short = None
        self._segment_closed()

    async def status(self) -> NodeStatus:
        """What the node says of itself; 0 x 0 pixels before its camera was opened for the first time."""
        waiting = await asyncio.to_thread(self._ledger.count, SegmentState.CLOSED, SegmentState.SENT)
        recording = self._recording
        width, height, rate = self._size
        alarms = [self.lookout.state().alarm, self._stepped]
        fault = recording.fault if recording else self._fault
        if recording:
            deaf = self._unheard or recording.deaf
            alarms += [recording.impaired, recording.slow_disk, recording.losing]
            alarms += [f"recorded without sound: {deaf}"] if deaf else []
            # An alarm as long as it lasts, and what went wrong afterwards: never both at once.
            fault = None if fault == recording.deaf else fault
        return NodeStatus(
            node=self.node,
            software=software(),
            width_px=width,
            height_px=height,
            frames_per_second=rate,
            recording=self.session,
            frames=recording.frames if recording else 0,
            frames_dropped=recording.camera.frames_dropped if recording else 0,
            frames_unseen=recording.frames_unseen if recording else 0,
            segments_waiting=waiting,
            detector=recording.detector if recording else self._detector,
            sync=self._sync,
            fault=fault,
            alarms=tuple(alarm for alarm in alarms if alarm),
        )

    def point(self) -> None:
        """Help to point the camera from now on; raises `AlreadyRecording` or `SelfTesting`."""
        self._leave_the_test_alone()
        self._leave_the_recording_alone()
        self.guide.begin()

    def now_ns(self) -> int:
        """The time of what happens now: the one that is being recorded, or the node's clock's."""
        return self._recording.now_ns() if self._recording else self._clock.now_ns()

    def clock_stepped(self, step_ns: int) -> None:
        """Tell that the node's clock was set, forward by so much."""
        self._log.event("clock-stepped", ms=step_ns // MILLISECOND, recording=self._recording is not None)
        if self._recording:
            way = "forward" if step_ns > 0 else "back"
            self._stepped = (
                f"the clock was set {way} by {abs(seconds(step_ns)):.2f} s, and this recording keeps the time from "
                "before: it may not fit the other cameras'; start anew when there is time"
            )
            self._panel.beep(WARNING)

    def _disk_slows(self) -> None:
        self._log.event("disk-slow", session=self.session)
        self._panel.beep(WARNING)

    def _frames_lost(self) -> None:
        lost = self._recording.camera.frames_dropped if self._recording else None
        self._log.event("frames-lost", session=self.session, so_far=lost)
        self._panel.beep(WARNING)

    async def preview(self) -> bytes:
        """The camera's newest picture as JPEG; raises `CameraFault` or `SelfTesting`."""
        self._leave_the_test_alone()
        return await asyncio.to_thread(jpeg, await self.viewfinder.picture())

    def check_idle(self) -> None:
        """Raises `AlreadyRecording` or `SelfTesting` while the node does something that must not be cut off."""
        self._leave_the_test_alone()
        if self.session:
            raise AlreadyRecording(f"node {self.node} is recording session {self.session}: stop it first")

    def gets_on(self) -> bool:
        """Whether it has proven since the last call that it can do its duty: it is not broken, and the threads of what
        it records are still watched over, which the watch shows every half second."""
        recording = self._recording
        before, self._seen = self._seen, (recording, recording.watching.step) if recording else None
        return not self.broken.is_set() and (self._seen is None or self._seen != before)

    def cost(self) -> NodeCost:
        """What the node's work has cost so far."""
        return self._cost.report(self.node)

    def _load(self) -> Load:
        recording = self._recording
        return Load(
            frames_lost=recording.camera.frames_dropped + recording.frames_unseen if recording else 0,
            lagging=recording.lagging if recording else None,
            health=self._health.read(),
        )

    def _know(self, camera: Camera) -> None:
        self._size = (camera.width, camera.height, camera.frames_per_second)
        self._storage.expect(camera.width * camera.height * camera.frames_per_second)

    def _leave_the_test_alone(self) -> None:
        # Nobody should wait behind it: whoever asks is told, and may ask again.
        if self._testing:
            raise SelfTesting(f"node {self.node} is testing itself: try again in half a minute")

    def _leave_the_recording_alone(self) -> None:
        if self._recording:
            raise AlreadyRecording(f"node {self.node} is already recording session {self._recording.session}")
        if self._resuming:
            raise AlreadyRecording(f"node {self.node} is about to go on with session {self._resuming}")

    @contextlib.asynccontextmanager
    async def _camera_alone(self) -> AsyncIterator[None]:
        """The camera for whoever is inside; raises `AlreadyRecording`."""
        async with self.viewfinder.claimed():
            self._leave_the_recording_alone()
            await self.viewfinder.back()
            yield

    async def _ask_gates(
        self, camera: PeekedCamera, planned_minutes: float | None, override: Sequence[str]
    ) -> tuple[GateReport, Eyes]:
        woken: list[Eyes] = []

        def wake_eyes() -> str:
            woken.append(self._eyes_for(camera, 0))
            return woken[0].name

        report = await self._gates.ask(
            peek=camera.peek,
            waits_s=camera.waits_s,
            wake_eyes=wake_eyes,
            planned_minutes=planned_minutes,
            override=override,
        )
        if woken:
            return report, woken[0]
        return report, NoEyes(next(gate.sentence for gate in report.gates if gate.code == "detector"))

    def _refuse(self, report: GateReport) -> NoReturn:
        self._log.event("gate-closed", gates=" ".join(gate.code for gate in report.closed), says=report.sentence)
        self._panel.beep(BEEPS.get(report.closed[0].beep, FAILED))
        raise GateClosed(report)

    def _begin(
        self,
        order: StartRecording,
        camera: PeekedCamera,
        eyes: Eyes,
        report: GateReport,
        loop: asyncio.AbstractEventLoop,
    ) -> Recording:
        row = SessionRow(
            session=order.session,
            node=self.node,
            start_ns=order.start_ns,
            width_px=camera.width,
            height_px=camera.height,
            frames_per_second=camera.frames_per_second,
            detector=eyes.name,
        )
        self._ledger.begin_session(row)
        self._manifests.begin(row, str(self._source), camera.details, camera.peeked[-1] if camera.peeked else None)
        well = all(gate.verdict is Verdict.PASS for gate in report.gates)
        # Of a clock that is behind by more than an order's lead every frame would be from before the zero, and belong
        # to a first segment that never ends.
        behind_ns = order.start_ns - unshifted_ns(self._clock, camera)
        shift_ns = behind_ns if camera.live and behind_ns > _MOST_LEAD_NS else 0
        if shift_ns:
            self._log.event("clock-behind", session=order.session, behind_ms=behind_ns // MILLISECOND)
        return self._recording_of(row, camera, eyes, loop, well=well, shift_ns=shift_ns)

    def _go_on(
        self,
        session: SessionRow,
        after: int,
        behind_ns: int,
        camera: PeekedCamera,
        loop: asyncio.AbstractEventLoop,
    ) -> Recording:
        try:
            eyes = self._eyes_for(camera, after + 1)
        except Exception as fault:
            eyes = NoEyes(str(fault))
        self._manifests.begin(session, str(self._source), camera.details, None)
        # A recorded camera counts from the session's zero, whatever the time is now.
        shift_ns = behind_ns if camera.live else 0
        return self._recording_of(session, camera, eyes, loop, after=after, shift_ns=shift_ns)

    def _recording_of(
        self,
        session: SessionRow,
        camera: Camera,
        eyes: Eyes,
        loop: asyncio.AbstractEventLoop,
        *,
        well: bool = True,
        after: int = -1,
        shift_ns: int = 0,
    ) -> Recording:
        return Recording(
            session=session.session,
            node=self.node,
            start_ns=session.start_ns,
            camera=camera,
            eyes=eyes,
            shelf=self._shelf,
            ledger=self._ledger,
            clock=self._clock,
            cost=self._cost,
            log=self._log,
            closed=lambda _offer: tell(loop, self._segment_closed),
            finished=lambda: self._sign_off(loop),
            show=self.viewfinder.show,
            let_go=lambda: tell(loop, self.viewfinder.returned),
            make_room=self._storage.make_room,
            microphone=self._microphone(session.session),
            rolling=lambda: self._sound_the_start(well and self._unheard is None),
            slow=lambda: tell(loop, self._disk_slows),
            loses=lambda: tell(loop, self._frames_lost),
            falls_deaf=lambda: tell(loop, lambda: self._fall_deaf(session.session)),
            after=after,
            shift_ns=shift_ns,
            patience=self._patience,
        )

    def _microphone(self, session: SessionId) -> Microphone | None:
        """The microphone of the settings; one that is missing is told, and keeps no video from being recorded."""
        self._unheard = None
        if self._sound is None:
            return None
        try:
            return WatchedMicrophone(open_microphone(self._sound))
        except SoundFault as fault:
            self._log.event("sound-fault", session=session, fault=fault)
            self._unheard = str(fault)
            return None

    def _fall_deaf(self, session: SessionId) -> None:
        # A microphone that hung may say so only when the next recording runs already.
        if self._recording and self._recording.session == session:
            self._panel.beep(WARNING)

    def _knocked(self, alarm: str | None) -> None:
        if alarm:
            self._panel.beep(KNOCKED)
        if self._recording:
            self._panel.light(TROUBLED if alarm else RECORDING)

    def _sound_the_start(self, well: bool) -> None:
        self._panel.beep(STARTED)
        if not well:
            self._panel.beep(WARNING)

    def _sign_off(self, loop: asyncio.AbstractEventLoop) -> None:
        """The recording's last word, said by one of its threads: by none that a disk without an answer could hold."""
        if recording := self._recording:
            told = threading.Thread(
                target=self._manifests.end,
                args=(recording.session, recording.camera.frames_dropped),
                kwargs={"over": recording.ends_well},
                name="manifest",
                daemon=True,
            )
            told.start()
            told.join(_MANIFEST_S)
        tell(loop, self._finish)

    def _finish(self) -> None:
        if self._recording:
            self._fault = self._recording.fault
            if self._fault and self._recording.ends_well:
                self._cut_short = self._recording.session
            if self._recording.broken:
                self.broken.set()
            self.lookout.end()
            self._show_the_end(self._recording)
            self._recording = None
        # What was closed before may have to be offered again, now as the session's last.
        self._segment_closed()
        self._ended.set()

    def _show_the_end(self, recording: Recording) -> None:
        if recording.broken or (recording.fault and not self._asked_to_stop):
            self._panel.beep(ALARM)
        elif recording.over:
            self._panel.beep(STOPPED)
            if recording.fault:
                self._panel.beep(WARNING)
        self._panel.light(FAULT if recording.broken else TROUBLED if recording.fault else READY)
