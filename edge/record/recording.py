"""A running recording: four threads that take frames from the camera to durable segments, and one that watches.

`capture` feeds every frame to `encode` and to `look`; both cut at the same frames; `close` joins a segment's video and
sight. The queues are short and whoever is too fast waits, so memory stays flat and no frame is lost in the node; only
eyes that hang are waited for no longer (`watch`), and the recording goes on without them.

Each stage ends by telling the others, whatever goes wrong before: one that dies in silence would leave the node
recording for ever.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from edge.capture import Camera, Frame
from edge.cost import Cost
from edge.errors import CameraFault, EdgeError
from edge.ledger import Ledger
from edge.record.cut import sequence_of
from edge.record.encoder import SegmentWriter
from edge.record.feed import Feed
from edge.record.shelf import VIDEO, Shelf
from edge.sight import Eyes, SegmentSight
from firmware.clock import Clock
from firmware.log import Log
from wire.ids import NodeId, SessionId
from wire.rigtime import nanoseconds
from wire.session import SegmentKey
from wire.tracks import SegmentTracks

_DEPTH = 2
"""Frames that wait before a slower stage; 8 MB each at 3072 x 1728."""
_EYES_GRACE_S = 2.5
"""How long a stopped recording waits for eyes that do not answer: a node stops within 5 s."""
_EYES_PATIENCE_S = 20.0
"""How long the eyes may take over one frame; slower than this is hanging, and the camera has waited meanwhile."""
_GLANCES = 20
"""Times the watcher looks at the eyes before it gives them up: a process that slept as a whole has missed only one."""
_LOOK_AROUND_S = 0.1


@dataclass(frozen=True)
class _Written:
    writer: SegmentWriter
    last: bool


@dataclass(frozen=True)
class _Seen:
    sequence: int
    sight: SegmentSight


class Recording:
    """One session on its way to disk, from `start` until `finished` is called, once, from one of its threads.

    `fault` is the sentence of what went wrong so far; `broken` says that the node cannot record any more. Eyes that
    take more than `eyes_patience_s` seconds over one frame are given up, and what follows has empty tracks.
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
        closed: Callable[[], None],
        finished: Callable[[], None],
        eyes_patience_s: float = _EYES_PATIENCE_S,
    ) -> None:
        self.session = session
        self.node = node
        self.start_ns = start_ns
        self.camera = camera
        self.detector = eyes.name
        self.frames = 0
        self.latest: Frame | None = None
        self.fault: str | None = None
        self.broken = False
        self._eyes = eyes
        self._shelf = shelf
        self._ledger = ledger
        self._clock = clock
        self._cost = cost
        self._log = log
        self._closed = closed
        self._finished = finished
        self._eyes_patience_s = eyes_patience_s
        self._eyes_step = 0
        """Odd while the eyes are at work, even while they wait; only the thread that looks counts it on."""
        self._eyes_ended = threading.Event()
        self._stopping = threading.Event()
        self._to_encode: Feed[Frame] = Feed(_DEPTH)
        self._to_look: Feed[Frame] = Feed(_DEPTH)
        # Few items of a few kilobytes; bounded so that a disk that stands still is felt by the encoder.
        self._written: Feed[_Written] = Feed(_DEPTH)
        self._seen: Feed[_Seen] = Feed(2 * _DEPTH)

    def start(self) -> None:
        """Set the threads to work."""
        for stage in (self._capture, self._encode, self._look, self._watch, self._close):
            # Daemons: a driver that hangs must not keep the process alive.
            threading.Thread(target=stage, name=stage.__name__.strip("_"), daemon=True).start()

    def stop(self) -> None:
        """Take no more frames; what was taken is still recorded, then `finished` is called."""
        self._stopping.set()
        self._to_encode.close()
        self._to_look.close()

    def _capture(self) -> None:
        meter = self._cost.meter("capture")
        last_ns = None
        try:
            with self.camera:
                for frame in self.camera:
                    if last_ns is not None and frame.time_ns <= last_ns:
                        raise CameraFault(f"the camera's frame {frame.index} is not later than the one before")
                    last_ns = frame.time_ns
                    meter.read()
                    if not self._to_encode.put(frame):
                        break
                    # Refused once the eyes have failed or were given up; the recording goes on without them.
                    self._to_look.put(frame)
                    self.latest = frame
                    self.frames += 1
                    self._cost.count(frames=1)
                    meter.begin()
        except Exception as fault:
            self._note(fault, "camera-fault")
        finally:
            self._to_encode.close()
            self._to_look.close()
            meter.read()

    def _encode(self) -> None:
        meter = self._cost.meter("encode")
        writer: SegmentWriter | None = None
        try:
            for frame in self._to_encode:
                meter.begin()
                sequence = sequence_of(frame.time_ns, self.start_ns)
                if writer and writer.sequence != sequence:
                    writer.finish()
                    self._written.put(_Written(writer, last=False))
                    writer = None
                if not writer:
                    writer = self._open_segment(sequence, frame.time_ns)
                writer.write(frame)
                meter.read()
            meter.begin()
            if writer:
                writer.finish()
                self._written.put(_Written(writer, last=True))
        except Exception as fault:
            self._break(fault)
        finally:
            self._written.close()
            meter.read()

    def _open_segment(self, sequence: int, time_ns: int) -> SegmentWriter:
        key = SegmentKey(self.session, self.node, sequence)
        self._ledger.open_segment(key, time_ns)
        camera = self.camera
        path = self._shelf.open_path(key, VIDEO)
        return SegmentWriter(path, sequence, camera.width, camera.height, camera.frames_per_second)

    def _look(self) -> None:
        meter = self._cost.meter("look")
        looking: int | None = None
        try:
            for frame in self._to_look:
                meter.begin()
                sequence = sequence_of(frame.time_ns, self.start_ns)
                if looking is not None and looking != sequence:
                    self._tell_sight(looking)
                looking = sequence
                with self._eyes_at_work():
                    self._eyes.look(frame)
                meter.read()
            meter.begin()
            if looking is not None:
                self._tell_sight(looking)
        except Exception as fault:
            self._note(fault, "eyes-fault")
        finally:
            self._end_sight()
            meter.read()

    def _tell_sight(self, sequence: int) -> None:
        with self._eyes_at_work():
            sight = self._eyes.close_segment(sequence)
        self._seen.put(_Seen(sequence, sight))

    @contextlib.contextmanager
    def _eyes_at_work(self) -> Iterator[None]:
        self._eyes_step += 1
        try:
            yield
        finally:
            self._eyes_step += 1

    def _end_sight(self) -> None:
        """The eyes see nothing for the rest of the session."""
        self._eyes_ended.set()
        self._to_look.close()
        self._seen.close()

    def _watch(self) -> None:
        step = glances = 0
        while not self._eyes_ended.wait(self._eyes_patience_s / _GLANCES):
            if self._eyes_step != step:
                step, glances = self._eyes_step, 0
            elif step % 2:
                glances += 1
            if glances == _GLANCES:
                fault = f"the eyes hang: no answer for {self._eyes_patience_s:g} s, the recording goes on without them"
                try:
                    self._note(EdgeError(fault), "eyes-fault")
                finally:
                    self._end_sight()

    def _close(self) -> None:
        meter = self._cost.meter("close")
        try:
            for written in self._written:
                meter.begin()
                self._shelve(written)
                meter.read()
            meter.begin()
            if not self.broken:
                self._ledger.finish_session(self.session)
        except Exception as fault:
            self._break(fault)
        finally:
            try:
                self.stop()
                self._end_sight()
                meter.read()
                self._log.event("recording-ended", session=self.session, frames=self.frames)
            finally:
                self._finished()

    def _shelve(self, written: _Written) -> None:
        writer = written.writer
        key = SegmentKey(self.session, self.node, writer.sequence)
        frames = len(writer.times_ns)
        sight = self._sight_of(writer.sequence)
        if not _sensible(sight, frames):
            self._note(EdgeError(f"the eyes saw what cannot be in segment {writer.sequence}"), "eyes-fault")
            sight = SegmentSight.empty()
        tracks = SegmentTracks(
            session=self.session,
            node=self.node,
            sequence=writer.sequence,
            width_px=self.camera.width,
            height_px=self.camera.height,
            detector=self.detector,
            tracklets=sight.tracklets,
            frame_times_ns=np.asarray(writer.times_ns, np.int64),
            frame=sight.frame,
            tracklet=sight.tracklet,
            box=sight.box,
            score=sight.score,
        )
        offer = self._shelf.close(
            self._ledger,
            key,
            tracks,
            frame_ns=nanoseconds(1 / self.camera.frames_per_second),
            uncertainty_ns=self._clock.uncertainty_ns(),
            last=written.last,
        )
        detections = len(sight.frame)
        self._cost.count(
            segments=1, detections=detections, video_bytes=offer.video_bytes, tracks_bytes=offer.tracks_bytes
        )
        self._log.event(
            "segment-closed",
            session=self.session,
            segment=writer.sequence,
            frames=frames,
            detections=detections,
            video_bytes=offer.video_bytes,
            tracks_bytes=offer.tracks_bytes,
            last=offer.last,
        )
        self._closed()

    def _sight_of(self, sequence: int) -> SegmentSight:
        patience_s = _EYES_GRACE_S
        while not self._seen.drained:
            seen = self._seen.take(_LOOK_AROUND_S)
            if seen and seen.sequence == sequence:
                return seen.sight
            if not seen and self._stopping.is_set():
                patience_s -= _LOOK_AROUND_S
                if patience_s <= 0:
                    self._end_sight()
                    self._note(EdgeError("the eyes did not answer in time"), "eyes-fault")
                    break
        return SegmentSight.empty()

    def _note(self, fault: Exception, event: str) -> None:
        self.fault = str(fault) if isinstance(fault, EdgeError) else f"{event}: {type(fault).__name__}: {fault}"
        self._log.event(event, session=self.session, fault=self.fault)

    def _break(self, fault: Exception) -> None:
        self.broken = True
        try:
            self._note(fault, "recorder-fault")
        finally:
            self.stop()
            self._written.close()
            self._end_sight()


def _sensible(sight: SegmentSight, frames: int) -> bool:
    rows = len(sight.frame)
    if not rows:
        return len(sight.tracklet) == len(sight.box) == len(sight.score) == 0
    return (
        sight.tracklet.shape == sight.score.shape == (rows,)
        and sight.box.shape == (rows, 4)
        and bool(np.isfinite(sight.box).all() and np.isfinite(sight.score).all())
        and int(sight.frame.min()) >= 0
        and int(sight.frame.max()) < frames
        and {t.id for t in sight.tracklets} >= set(sight.tracklet.tolist())
    )
