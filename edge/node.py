"""The camera node: one camera, at most one recording, and everything that waits to be handed over."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TypeVar, cast

from edge.capture import Camera, CameraSource, Frame
from edge.capture.sound import Microphone, open_microphone
from edge.cost import Cost, NodeCost
from edge.errors import AlreadyRecording, CameraFault, NotRecording, SoundFault
from edge.ledger import Ledger, SessionRow
from edge.preview import jpeg
from edge.record import PATIENCE, Patience, Recording, Shelf
from edge.sight import Eyes
from firmware.clock import Clock
from firmware.log import Log
from wire.ids import NodeId, SessionId
from wire.rigtime import MILLISECOND
from wire.session import NodeStatus, SegmentState, StartRecording

T = TypeVar("T")
EyesFor = Callable[[Camera, int], Eyes]
"""Makes the eyes of one session for an opened camera, from a segment of this number on."""
_CLOCK_PATIENCE_S = 20.0
"""How long a session that goes on waits for a clock that is behind it: chrony needs some ten seconds."""
_GLANCE_S = 0.2


def software() -> str:
    """This program's name and version, as a node reports it."""
    return f"touchline {version('touchline')}"


class Node:
    """Starts and stops recordings and says how the node is; lives in one event loop.

    `segment_closed` is called in that loop whenever there is something to offload. `sound` names a microphone.
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
        segment_closed: Callable[[], None],
        sound: str | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self.node = node
        self.broken = asyncio.Event()
        """Set when the node cannot do its duty any more and its process should end."""
        self._source = source
        self._eyes_for = eyes_for
        self._detector = detector
        self._shelf = shelf
        self._ledger = ledger
        self._clock = clock
        self._cost = cost
        self._log = log
        self._segment_closed = segment_closed
        self._sound = sound
        self._patience = patience
        self._starting: SessionId | None = None
        self._recording: Recording | None = None
        self._resuming: SessionId | None = None
        self._ended = asyncio.Event()
        self._ended.set()
        # One at a time: a camera can be opened only once, and two starts must not race.
        self._camera_lock = asyncio.Lock()
        self._size = (0, 0, 0.0)
        self._fault: str | None = None

    async def start(self, order: StartRecording) -> NodeStatus:
        """Begin a recording; raises `AlreadyRecording` or `CameraFault`."""
        loop = asyncio.get_running_loop()
        async with self._camera_lock:
            if self._recording:
                raise AlreadyRecording(f"node {self.node} is already recording session {self._recording.session}")
            if self._resuming:
                raise AlreadyRecording(f"node {self.node} is about to go on with session {self._resuming}")
            if any(row.session == order.session for row in await asyncio.to_thread(self._ledger.sessions)):
                raise AlreadyRecording(f"session {order.session} was recorded before: give the next one a new id")
            self._starting = order.session
            try:
                self._set_going(await _aside(lambda: self._begin(order, loop)))
            finally:
                self._starting = None
        self._log.event("recording-started", session=order.session, start_ns=order.start_ns)
        return await self.status()

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
        behind_ns = max(0, end_ns - self._clock.now_ns())
        async with self._camera_lock:
            if not self._resuming:
                await asyncio.to_thread(self._ledger.finish_session, session.session)
                self._segment_closed()
                return
            self._set_going(await _aside(lambda: self._go_on(session, after, behind_ns, loop)))
            self._resuming = None
        self._log.event("recording-resumed", session=session.session, after=after, behind_ms=behind_ns // MILLISECOND)

    def _set_going(self, recording: Recording) -> None:
        self._recording = recording
        self._fault = None
        self._ended.clear()
        recording.start()

    async def stop(self) -> NodeStatus:
        """End the recording and wait until its last segment is safe; raises `NotRecording`.

        A recording that is still being started ends as soon as it has begun.
        """
        if self._resuming:
            await asyncio.to_thread(self._ledger.stop_session, self._resuming)
            self._resuming = None
            return await self.status()
        if self._starting:
            async with self._camera_lock:
                pass
        if not self._recording:
            raise NotRecording(f"node {self.node} is not recording")
        await asyncio.to_thread(self._recording.stop)
        await self._ended.wait()
        return await self.status()

    async def leave(self) -> None:
        """Make safe what was recorded; the session is gone on with when the node is there again."""
        if self._recording:
            self._recording.pause()
            await self._ended.wait()

    async def status(self) -> NodeStatus:
        """What the node says of itself; 0 x 0 pixels before its camera was opened for the first time."""
        waiting = await asyncio.to_thread(self._ledger.count, SegmentState.CLOSED, SegmentState.SENT)
        recording = self._recording
        width, height, rate = self._size
        return NodeStatus(
            node=self.node,
            software=software(),
            width_px=width,
            height_px=height,
            frames_per_second=rate,
            recording=recording.session if recording else self._starting or self._resuming,
            frames=recording.frames if recording else 0,
            frames_dropped=recording.camera.frames_dropped if recording else 0,
            segments_waiting=waiting,
            detector=recording.detector if recording else self._detector,
            fault=recording.fault if recording else self._fault,
        )

    async def preview(self) -> bytes:
        """The camera's picture as JPEG: the last one recorded, or one taken for this purpose. Raises `CameraFault`."""
        frame = self._recording.latest if self._recording else None
        if frame is None:
            async with self._camera_lock:
                frame = await _aside(self._glance)
        return await asyncio.to_thread(jpeg, frame)

    async def sessions(self) -> list[SessionRow]:
        """Every session this node has recorded."""
        return await asyncio.to_thread(self._ledger.sessions)

    def cost(self) -> NodeCost:
        """What the node's work has cost so far."""
        return self._cost.report(self.node)

    def _glance(self) -> Frame:
        with self._source.alone().open(self._clock.now_ns(), self._log) as camera:
            self._know(camera)
            for frame in camera:
                return frame
        raise CameraFault("the camera shows no picture")

    def _know(self, camera: Camera) -> None:
        self._size = (camera.width, camera.height, camera.frames_per_second)

    def _begin(self, order: StartRecording, loop: asyncio.AbstractEventLoop) -> Recording:
        with self._opened(order.start_ns) as camera:
            eyes = self._eyes_for(camera, 0)
            self._ledger.begin_session(
                SessionRow(
                    session=order.session,
                    node=self.node,
                    start_ns=order.start_ns,
                    width_px=camera.width,
                    height_px=camera.height,
                    frames_per_second=camera.frames_per_second,
                    detector=eyes.name,
                )
            )
            return self._recording_of(order.session, order.start_ns, camera, eyes, loop)

    def _go_on(self, session: SessionRow, after: int, behind_ns: int, loop: asyncio.AbstractEventLoop) -> Recording:
        with self._opened(session.start_ns) as camera:
            eyes = self._eyes_for(camera, after + 1)
            # A recorded camera counts from the session's zero, whatever the time is now.
            shift_ns = behind_ns if camera.live else 0
            return self._recording_of(session.session, session.start_ns, camera, eyes, loop, after, shift_ns)

    @contextlib.contextmanager
    def _opened(self, start_ns: int) -> Iterator[Camera]:
        """The opened camera, closed again only where something goes wrong with it."""
        camera = self._source.open(start_ns, self._log)
        try:
            self._know(camera)
            yield camera
        except BaseException:
            camera.__exit__()
            raise

    def _recording_of(
        self,
        session: SessionId,
        start_ns: int,
        camera: Camera,
        eyes: Eyes,
        loop: asyncio.AbstractEventLoop,
        after: int = -1,
        shift_ns: int = 0,
    ) -> Recording:
        return Recording(
            session=session,
            node=self.node,
            start_ns=start_ns,
            camera=camera,
            eyes=eyes,
            shelf=self._shelf,
            ledger=self._ledger,
            clock=self._clock,
            cost=self._cost,
            log=self._log,
            closed=lambda _offer: _tell(loop, self._segment_closed),
            finished=lambda: _tell(loop, self._finish),
            microphone=self._microphone(session),
            after=after,
            shift_ns=shift_ns,
            patience=self._patience,
        )

    def _microphone(self, session: SessionId) -> Microphone | None:
        """The microphone of the settings; a missing one is logged, and keeps no video from being recorded."""
        if self._sound is None:
            return None
        try:
            return open_microphone(self._sound)
        except SoundFault as fault:
            self._log.event("sound-fault", session=session, fault=fault)
            return None

    def _finish(self) -> None:
        if self._recording:
            self._fault = self._recording.fault
            if self._recording.broken:
                self.broken.set()
            self._recording = None
        # What was closed before may have to be offered again, now as the session's last.
        self._segment_closed()
        self._ended.set()


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    # A loop that is closed already has no one left to tell.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)


async def _aside(work: Callable[[], T]) -> T:
    """Run `work` in a daemon thread: unlike the loop's own threads, one that hangs in a camera's driver does not keep
    the process from ending."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, fault: Exception | None) -> None:
        if outcome.done():
            return
        if fault is not None:
            outcome.set_exception(fault)
        else:
            outcome.set_result(cast(T, result))

    def run() -> None:
        try:
            result = work()
        except Exception as fault:
            caught = fault
            _tell(loop, lambda: settle(None, caught))
        else:
            _tell(loop, lambda: settle(result, None))

    threading.Thread(target=run, name="camera", daemon=True).start()
    return await outcome
