"""A running recording: frames on their way from the camera to durable segments.

One thread per duty: `capture` feeds every frame to `encode` and to `look`, `encode` feeds packets to `write`, `write`
feeds whole segments to `place`, which makes their video durable and feeds them to `close`, which joins each with what
was seen in it; `watch` looks whether they all get on. The queues are short and whoever is too fast waits, so memory
stays flat and no frame is lost in the node. Only a live camera waits for nobody: frames that slow eyes would hold up
are not looked at.

The rule of every fault: the video goes on if anything can. Eyes may fail, a coder is replaced, a segment whose file
fails is cut back to what is whole. What cannot be healed here breaks the recording, and the node ends its process, to
be started again and to go on.

Each stage ends by telling the others, whatever goes wrong before: one that dies in silence would leave the node
recording for ever.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from edge.capture import Camera, Frame
from edge.capture.sound import Microphone
from edge.cost import Cost
from edge.errors import CameraFault, DiskFull, RecorderFault
from edge.ledger import Ledger
from edge.record.closing import Closing
from edge.record.coding import Coding
from edge.record.cut import sequence_of
from edge.record.faults import Faults
from edge.record.listening import Listening
from edge.record.looking import Looking
from edge.record.losses import Losses
from edge.record.placing import Placing
from edge.record.pulse import Pulse, Watched, watch
from edge.record.room import with_room
from edge.record.shelf import Shelf
from edge.record.stamping import FrameClock
from edge.record.writing import Writing
from edge.sight import Eyes
from firmware.clock import Clock
from firmware.log import Log
from wire.ids import NodeId, SessionId
from wire.session import SegmentOffer

_LAST_WORDS_S = 2.5
"""How long the stages that still work have to make safe what they hold, once another hangs."""
_MUCH_FRAMES, _MUCH_VIDEO, _MUCH_WRITTEN, _MUCH_PLACED = 1.0, 0.1, 1 / 2, 1 / 16
"""Shares of what may wait before each stage, at which it lags: all frames, 6 s of video, four segments."""


@dataclass(frozen=True)
class Patience:
    """How long each part of a recording may take over one piece of work before it counts as hanging, in seconds.

    A recorded camera waits for slow eyes; coded video waits in memory for a disk that stands still.
    """

    eyes_s: float = 20.0
    coder_s: float = 10.0
    camera_s: float = 10.0
    disk_s: float = 60.0


PATIENCE = Patience()


class Recording:
    """One session on its way to disk, from `start` until `finished` is called, once, from one of its threads.

    `fault` is the sentence of what went wrong so far; `broken` says that the node cannot record any more in this
    process; `over` that the session has ended, rather than waiting to be gone on with. Frames of the segments up to
    `after` were recorded before and are passed over; `shift_ns` is added to all capture times. `rolling` is called
    once, when the first frame is there: the moment for a sign that picture and sound both catch. `show` is called with
    every frame that is recorded, and must not wait; `let_go` when the camera is closed, if it ever is; `slow` each time
    that the disk stands still for a tenth of the patience with it, `loses` each time that too many frames begin to be
    lost, `falls_deaf` once the sound has failed, and none of them must wait.
    """

    def __init__(
        self,
        *,
        session: SessionId,
        node: NodeId,
        start_ns: int,
        camera: Camera,
        eyes: Eyes,
        shelf: Shelf,
        ledger: Ledger,
        clock: Clock,
        cost: Cost,
        log: Log,
        closed: Callable[[SegmentOffer], None],
        finished: Callable[[], None],
        show: Callable[[Frame], None] = lambda _frame: None,
        let_go: Callable[[], None] = lambda: None,
        make_room: Callable[[], bool] = lambda: False,
        microphone: Microphone | None = None,
        rolling: Callable[[], None] = lambda: None,
        slow: Callable[[], None] = lambda: None,
        loses: Callable[[], None] = lambda: None,
        falls_deaf: Callable[[], None] = lambda: None,
        after: int = -1,
        shift_ns: int = 0,
        patience: Patience = PATIENCE,
    ) -> None:
        self.session = session
        self.start_ns = start_ns
        self.camera = camera
        self.detector = eyes.name
        self.frames = 0
        self.frames_unseen = 0
        """Frames that were recorded but not looked at, because the eyes were too slow."""
        self.broken = False
        self.over = False
        self.stopping = threading.Event()
        self.watching = Pulse()
        """Of whoever looks whether the other threads get on."""
        self._after = after
        self._shift_ns = shift_ns
        self._ledger = ledger
        self._cost = cost
        self._log = log
        self._finished = finished
        self._show = show
        self._let_go = let_go
        self._ended = threading.Event()
        self._end_lock = threading.Lock()
        self._faults = Faults(session, log)
        self._rolling = rolling
        self._make_room = make_room
        self._coding = Coding(camera, start_ns, self._faults)
        self._listening = Listening(microphone, camera, shift_ns, self._faults, falls_deaf) if microphone else None
        self._frame_clock = FrameClock(clock, camera, shift_ns)
        self._looking = Looking(eyes, start_ns, self._faults)
        self._writing = Writing(
            session=session,
            node=node,
            start_ns=start_ns,
            after=after,
            camera=camera,
            shelf=shelf,
            ledger=ledger,
            frame_clock=self._frame_clock,
            faults=self._faults,
            make_room=self._find_room,
            listening=self._listening,
        )
        self._placing = Placing(session=session, node=node, shelf=shelf, make_room=self._find_room, full=self.cut_short)
        self._closing = Closing(
            session=session,
            node=node,
            camera=camera,
            looking=self._looking,
            shelf=shelf,
            ledger=ledger,
            frame_clock=self._frame_clock,
            log=log,
            make_room=self._find_room,
            full=self.cut_short,
            closed=closed,
        )
        self._begun = Pulse()
        """A live camera's first frame, which may have to wait for its rig."""
        self._awaited = Pulse()
        """A live camera's next frame."""
        self._slow = slow
        self._loses = loses
        self._losses = Losses(camera.frames_per_second)
        self._on_disk = [
            self._essential(
                self._writing.pulse,
                patience.disk_s,
                "the disk does not answer",
                self._writing.written.close,
                self._slows,
            ),
            self._essential(
                self._placing.pulse,
                patience.disk_s,
                "the disk does not make video durable",
                self._placing.placed.close,
                self._slows,
            ),
            self._essential(
                self._closing.pulse, patience.disk_s, "the disk does not make anything durable", self.pause, self._slows
            ),
        ]
        self._watched = [
            Watched(self._looking.pulse, patience.eyes_s, lambda: self._looking.give_up(patience.eyes_s)),
            self._essential(self._begun, patience.camera_s + camera.waits_s, "the camera gives no picture", self.pause),
            self._essential(self._awaited, patience.camera_s, "the camera gives no picture", self.pause),
            self._essential(self._coding.pulse, patience.coder_s, "the coder hangs", self._coding.packets.close),
            *self._on_disk,
        ]

    @property
    def fault(self) -> str | None:
        """The sentence of what went wrong last."""
        return self._faults.last

    @property
    def impaired(self) -> str | None:
        """Why its eyes see less than they could, while that is so."""
        return self._looking.impaired

    @property
    def deaf(self) -> str | None:
        """Why it goes on without sound, once its microphone or the sound's coder has failed."""
        return self._listening.fault if self._listening else None

    @property
    def lagging(self) -> str | None:
        """The stage that does not keep up with a live camera at this moment; None when all do. A recorded camera waits,
        so nothing can lag behind it."""
        waiting = {
            "encode": self._coding.frames.fullness / _MUCH_FRAMES,
            "write": self._coding.packets.fullness / _MUCH_VIDEO,
            "place": self._writing.written.fullness / _MUCH_WRITTEN,
            "close": self._placing.placed.fullness / _MUCH_PLACED,
        }
        worst = max(waiting, key=waiting.__getitem__)
        return worst if self.camera.live and waiting[worst] >= 1 else None

    @property
    def slow_disk(self) -> str | None:
        """What a disk costs that stands still or does not keep up with a live camera, while that is so."""
        if self.lagging in ("write", "place") or any(stage.slow for stage in self._on_disk):
            return "the disk is too slow: video waits for it in memory, and frames that find no room there are lost"
        return None

    @property
    def losing(self) -> str | None:
        """What to look at when too many frames are lost, while that is so."""
        if self._losses.much:
            return (
                "frames are being lost: look whether the board is too hot or its supply too weak, which slows it down, "
                "and whether the camera's cable sits well"
            )
        return None

    @property
    def ends_well(self) -> bool:
        """Whether the session ends with the frames taken so far; one that broke has more to come."""
        return self.over and not self.broken

    def now_ns(self) -> int:
        """The time that is recorded now, by the frames' clock."""
        return self._frame_clock.now_ns()

    def start(self) -> None:
        """Set the threads to work."""
        stages = (
            self._capture,
            self._encode,
            self._look,
            self._listen,
            self._write,
            self._place,
            self._close,
            self._watch,
        )
        for stage in stages:
            # Daemons: a driver that hangs must not keep the process alive.
            threading.Thread(target=stage, name=stage.__name__.strip("_"), daemon=True).start()

    def stop(self) -> None:
        """End the session: what was taken is still recorded, then `finished` is called.

        The intention is made durable first, so that no restart takes the session up again.
        """
        self.over = True
        try:
            self._ledger.stop_session(self.session)
        except sqlite3.Error as fault:
            self._faults.note(fault, "ledger-fault")
        finally:
            self.pause()

    def cut_short(self, fault: DiskFull) -> None:
        """End the session because the disk is full: a new start would find it as full."""
        # Said last: on a full disk the ledger may fail as well, which is not what has to be told.
        self.stop()
        self._faults.note(fault, "disk-full")

    def pause(self) -> None:
        """Take no more frames, but leave the session to be gone on with; `finished` is called as after `stop`."""
        self.stopping.set()
        self._coding.frames.close()
        self._looking.frames.close()

    def _capture(self) -> None:
        meter = self._cost.meter("capture")
        last_ns = None
        try:
            with self.camera:
                for frame in self._frames():
                    if last_ns is not None and frame.time_ns <= last_ns:
                        raise CameraFault(f"the camera's frame {frame.index} is not later than the one before")
                    last_ns = frame.time_ns
                    if sequence_of(frame.time_ns, self.start_ns) <= self._after:
                        continue
                    meter.read()
                    self._watch_losses(frame)
                    if not self._coding.frames.put(frame):
                        break
                    self._look_at(frame)
                    self._show(frame)
                    self.frames += 1
                    if self.frames == 1:
                        self._rolling()
                    self._cost.count(frames=1)
                    meter.begin()
            if not self.stopping.is_set():
                self._end_of_pictures(None)
        except Exception as fault:
            self._end_of_pictures(fault)
        finally:
            self.pause()
            meter.read()
            self._let_go()

    def _frames(self) -> Iterator[Frame]:
        pictures = iter(self.camera)
        pulse = self._begun
        while True:
            if self.camera.live:
                with pulse.working():
                    frame = next(pictures, None)
                pulse = self._awaited
            else:
                frame = next(pictures, None)
            if frame is None:
                return
            yield replace(frame, time_ns=frame.time_ns + self._shift_ns) if self._shift_ns else frame

    def _watch_losses(self, frame: Frame) -> None:
        before = self._losses.much
        self._losses.count(frame.time_ns, self.camera.frames_dropped)
        if self._losses.much and not before:
            self._loses()

    def _look_at(self, frame: Frame) -> None:
        # Refused once the eyes have failed or were given up; the recording goes on without them.
        if not self.camera.live:
            self._looking.frames.put(frame)
        elif not self._looking.frames.offer(frame):
            self.frames_unseen += 1

    def _end_of_pictures(self, fault: Exception | None) -> None:
        """A recorded camera ends with its session; a live one never does, but for a fault."""
        if self.camera.live:
            self._break(fault or CameraFault("the camera stopped giving pictures"), "camera-fault")
            return
        self.over = True
        if fault:
            self._faults.note(fault, "camera-fault")

    def _encode(self) -> None:
        try:
            self._coding.run(self._cost)
        except Exception as fault:
            self._break(fault)
        finally:
            # Here and below only now: a session of which a stage failed must not be finished as if it were whole.
            self._coding.packets.close()

    def _look(self) -> None:
        self._looking.run(self._cost)

    def _listen(self) -> None:
        if self._listening:
            self._listening.run(self._coding.packets, self._cost)

    def _write(self) -> None:
        try:
            self._writing.run(self._coding.packets, self._cost)
        except DiskFull as fault:
            self.cut_short(fault)
        except Exception as fault:
            self._break(fault)
        finally:
            self._writing.written.close()

    def _find_room(self) -> bool:
        """Room on a full disk; without any the session is over, and whoever closes its last segment has to know."""
        if self._make_room():
            return True
        self.over = True
        return False

    def _place(self) -> None:
        try:
            self._placing.run(self._writing.written, self._cost)
        except Exception as fault:
            self._break(fault)
        finally:
            self._placing.placed.close()

    def _close(self) -> None:
        try:
            self._closing.run(self._placing.placed, self, self._cost)
            self.pause()
            if self.ends_well:
                with self._closing.pulse.working():
                    with_room(lambda: self._ledger.finish_session(self.session), self._find_room)
        except DiskFull as fault:
            # Salvage finishes it once there is room.
            self.cut_short(fault)
        except Exception as fault:
            self._break(fault)
        finally:
            self._end()

    def _slows(self) -> None:
        # One disk holds them all up: the first of them tells it.
        if sum(stage.slow for stage in self._on_disk) == 1:
            self._slow()

    def _watch(self) -> None:
        watch(self._watched, self._ended, self.watching)

    def _essential(
        self,
        pulse: Pulse,
        patience_s: float,
        what: str,
        cut_off: Callable[[], None],
        slows: Callable[[], None] = lambda: None,
    ) -> Watched:
        """Something without which there is no recording; `cut_off` frees those who wait for it, once it hangs."""

        def hangs() -> None:
            try:
                self._break(RecorderFault(f"{what}: no answer for {patience_s:g} s"))
                cut_off()
                self._ended.wait(_LAST_WORDS_S)
            finally:
                self._end()

        return Watched(pulse, patience_s, hangs, slows)

    def _break(self, fault: Exception, event: str = "recorder-fault") -> None:
        self.broken = True
        try:
            self._faults.note(fault, event)
        finally:
            self.pause()

    def _end(self) -> None:
        with self._end_lock:
            if self._ended.is_set():
                return
            self._ended.set()
        try:
            self.pause()
            self._looking.end()
            if self._listening:
                self._listening.close()
            self._log.event("recording-ended", session=self.session, frames=self.frames, over=self.over)
        finally:
            self._finished()
