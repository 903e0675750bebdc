"""The stage that writes coded frames into segments."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.capture import Camera
from edge.cost import Cost
from edge.encode import Packet
from edge.errors import RecorderFault
from edge.ledger import Ledger
from edge.record.cut import sequence_of
from edge.record.faults import Faults
from edge.record.feed import Feed
from edge.record.fragments import cut_to_fragments
from edge.record.listening import Coded, Listening, SoundEnds, in_order
from edge.record.pulse import Pulse
from edge.record.room import full, is_full, with_room
from edge.record.shelf import VIDEO, Shelf
from edge.record.stamping import FrameClock
from edge.record.writer import SegmentWriter
from wire.ids import NodeId, SessionId
from wire.session import SegmentKey

_MOST_FAILURES = 3
"""Segments that may fail one after the other before the recorder gives up."""
_AHEAD = 8
"""Written segments that may wait for a disk that is slow to make them durable."""


@dataclass(frozen=True)
class Written:
    """A segment's finished video, not yet durable, and the capture times of its frames; whether it is the newest of
    all."""

    sequence: int
    times_ns: list[int]
    last: bool


class Writing:
    """Takes packets, gives `written` segments.

    A segment whose file fails is cut back to what is whole in it, and the recording goes on with the next one. On a
    full disk `make_room` is asked for room; where it has none the stage ends with `DiskFull`.
    """

    def __init__(
        self,
        *,
        session: SessionId,
        node: NodeId,
        start_ns: int,
        after: int,
        camera: Camera,
        shelf: Shelf,
        ledger: Ledger,
        frame_clock: FrameClock,
        faults: Faults,
        make_room: Callable[[], bool],
        listening: Listening | None,
    ) -> None:
        self.written: Feed[Written] = Feed(_AHEAD)
        self.pulse = Pulse()
        self._session = session
        self._node = node
        self._start_ns = start_ns
        self._done = after
        """The highest sequence that may not be begun again."""
        self._camera = camera
        self._shelf = shelf
        self._ledger = ledger
        self._frame_clock = frame_clock
        self._faults = faults
        self._make_room = make_room
        self._listening = listening
        self._failures = 0

    def run(self, packets: Feed[Coded], cost: Cost) -> None:
        """Write until `packets` ends; raises `DiskFull`, or `RecorderFault` when nothing can be written any more.

        `written` is left open, to be closed once everyone knows why it ended.
        """
        meter = cost.meter("write")
        writer: SegmentWriter | None = None
        try:
            for packet in in_order(packets, self._listening is not None):
                meter.begin()
                with self.pulse.working():
                    writer = self._take(packet, writer)
                meter.read()
            meter.begin()
            if writer:
                with self.pulse.working():
                    self._finish(writer, last=True)
        except Exception:
            # What the file still holds back goes to the disk: the next start keeps all of it that is whole.
            with contextlib.suppress(Exception):
                if writer:
                    writer.finish()
            raise
        finally:
            packets.close()
            meter.read()

    def _take(self, packet: Coded, writer: SegmentWriter | None) -> SegmentWriter | None:
        if isinstance(packet, Packet):
            return self._take_frame(packet, writer)
        if isinstance(packet, SoundEnds):
            self._listening = None
            return writer
        try:
            if writer:
                writer.write_sound(packet)
        except RecorderFault as fault:
            self._save(writer, fault)
            return None
        return writer

    def _take_frame(self, packet: Packet, writer: SegmentWriter | None) -> SegmentWriter | None:
        sequence = sequence_of(packet.time_ns, self._start_ns)
        if writer and packet.key and sequence != writer.sequence:
            self._finish(writer, last=False)
            writer = None
        if not writer and not (packet.key and sequence > self._done):
            # The rest of a segment that failed.
            return None
        if not writer:
            stamping = self._frame_clock.read()
            with_room(lambda: self._ledger.open_segment(self._key(sequence), packet.time_ns, stamping), self._make_room)
            self._done = sequence
        try:
            writer = writer or self._open(sequence, packet)
            writer.write(packet)
        except RecorderFault as fault:
            self._save(writer, fault)
            return None
        return writer

    def _key(self, sequence: int) -> SegmentKey:
        return SegmentKey(self._session, self._node, sequence)

    def _path(self, sequence: int) -> Path:
        return self._shelf.open_path(self._key(sequence), VIDEO)

    def _open(self, sequence: int, first: Packet) -> SegmentWriter:
        camera = self._camera
        return SegmentWriter(
            self._path(sequence),
            sequence,
            first.codec,
            camera.width,
            camera.height,
            camera.frames_per_second,
            self._listening.stream if self._listening else None,
        )

    def _finish(self, writer: SegmentWriter, *, last: bool) -> None:
        try:
            writer.finish()
        except RecorderFault as fault:
            self._save(writer, fault)
        else:
            self._failures = 0
            self.written.put(Written(writer.sequence, writer.times_ns, last))

    def _save(self, writer: SegmentWriter | None, fault: RecorderFault) -> None:
        """Keep what is whole of a segment whose file failed, or take it out of the ledger."""
        self._faults.note(fault, "write-fault")
        with contextlib.suppress(RecorderFault):
            if writer:
                writer.finish()
        path = self._path(self._done)
        try:
            frames = len(cut_to_fragments(path))
            if not frames:
                path.unlink(missing_ok=True)
        except OSError as worse:
            raise fault from worse
        if writer and frames:
            self.written.put(Written(writer.sequence, writer.times_ns[:frames], last=False))
        else:
            with_room(lambda: self._ledger.forget_segment(self._key(self._done)), self._make_room)
        self._failures += 1
        if is_full(fault.__cause__) and not self._make_room():
            raise full()
        if self._failures > _MOST_FAILURES:
            raise fault
