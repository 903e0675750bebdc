"""The stage that listens, and may fail without the recording."""

from collections import deque
from collections.abc import Iterable, Iterator

from edge.capture.sound import Microphone
from edge.cost import Cost
from edge.encode import Packet
from edge.encode.sound import AacCoder, SoundPacket
from edge.record.faults import Faults
from edge.record.feed import Feed
from wire.rigtime import SECOND

_PATIENCE_NS = SECOND
"""So much video waits for the sound that belongs to it; a microphone that is later than this is not waited for."""


class Listening:
    """Puts what a microphone hears among the coded frames; deaf once the microphone or the coder fails."""

    def __init__(self, microphone: Microphone, faults: Faults) -> None:
        self.coder = AacCoder()
        self.deaf = False
        self._microphone = microphone
        self._faults = faults

    def run(self, packets: Feed[Packet | SoundPacket], cost: Cost) -> None:
        """Listen until `packets` is closed."""
        meter = cost.meter("listen")
        try:
            with self._microphone:
                for sound in self._microphone:
                    meter.begin()
                    if not all(packets.put(packet) for packet in self.coder.encode(sound)):
                        return
                    meter.read()
        except Exception as fault:
            self._faults.note(fault, "sound-fault")
        finally:
            self.deaf = True
            self.coder.close()
            meter.read()


def in_order(packets: Iterable[Packet | SoundPacket], listening: Listening | None) -> Iterator[Packet | SoundPacket]:
    """Coded frames and sound by their times: a frame waits for the sound before it, as long as somebody listens."""
    frames: deque[Packet] = deque()
    sounds: deque[SoundPacket] = deque()
    heard_ns = 0
    for packet in packets:
        if isinstance(packet, SoundPacket):
            sounds.append(packet)
            heard_ns = packet.time_ns
        else:
            frames.append(packet)
        while frames:
            due_ns = frames[0].time_ns
            late = frames[-1].time_ns - due_ns >= _PATIENCE_NS
            if not (listening is None or listening.deaf or due_ns <= heard_ns or late):
                break
            while sounds and sounds[0].time_ns < due_ns:
                yield sounds.popleft()
            yield frames.popleft()
    while frames or sounds:
        if sounds and (not frames or sounds[0].time_ns < frames[0].time_ns):
            yield sounds.popleft()
        else:
            yield frames.popleft()
