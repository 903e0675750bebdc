"""The stage that codes frames."""

import sys

from edge.capture import Camera
from edge.cost import Cost
from edge.encode import Coder, Packet
from edge.errors import CoderFault
from edge.frame import Frame
from edge.record.cut import sequence_of
from edge.record.faults import Faults
from edge.record.feed import Feed
from edge.record.listening import Coded
from edge.record.pulse import Pulse

_DEPTH = 2
"""Frames that wait before the coder; 8 MB each at 3072 x 1728."""
_HELD_BYTES = 48 << 20
"""Coded video that may wait for a disk that stands still: a minute at 6 Mbit/s."""
_MOST_RENEWALS = 3
"""Coders that may fail in one after the other before the recorder gives up."""


def _weight(packet: Coded) -> int:
    return len(packet.data) + sys.getsizeof(packet)


class Coding:
    """Takes `frames`, gives `packets`; a key frame begins each segment. A coder that fails is replaced in place."""

    def __init__(self, camera: Camera, start_ns: int, faults: Faults) -> None:
        self.frames: Feed[Frame] = Feed(_DEPTH)
        self.packets: Feed[Coded] = Feed(_HELD_BYTES, _weight)
        self.pulse = Pulse()
        self._camera = camera
        self._start_ns = start_ns
        self._faults = faults
        self._coder: Coder | None = None
        self._renewals = 0
        self._sequence: int | None = None

    def run(self, cost: Cost) -> None:
        """Code until `frames` ends; raises `CoderFault` when no coder will do.

        `packets` is left open, to be closed once everyone knows why it ended.
        """
        meter = cost.meter("encode")
        try:
            for frame in self.frames:
                meter.begin()
                with self.pulse.working():
                    coded = self._code(frame)
                meter.read()
                if not all(self.packets.put(packet) for packet in coded):
                    return
            meter.begin()
            if self._coder:
                with self.pulse.working():
                    coded = self._coder.flush()
                for packet in coded:
                    self.packets.put(packet)
        finally:
            if self._coder:
                self._coder.close()
            meter.read()

    def _code(self, frame: Frame) -> list[Packet]:
        sequence = sequence_of(frame.time_ns, self._start_ns)
        key = sequence != self._sequence
        self._sequence = sequence
        try:
            self._coder = self._coder or self._camera.coder()
            coded = self._coder.encode(frame, key=key)
        except CoderFault as fault:
            return self._renewed(frame, fault)
        self._renewals = 0
        return coded

    def _renewed(self, frame: Frame, fault: CoderFault) -> list[Packet]:
        """Go on with a new coder from this very frame on; what the old one held back is lost."""
        self._renewals += 1
        if self._renewals > _MOST_RENEWALS:
            raise fault
        self._faults.note(fault, "coder-fault")
        if self._coder:
            self._coder.close()
            self._coder = None
        try:
            self._coder = self._camera.coder()
            return self._coder.encode(frame, key=True)
        except CoderFault as again:
            return self._renewed(frame, again)
