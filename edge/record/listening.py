"""The stage that listens, and may fail without the recording."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import av

from edge.capture import Camera
from edge.capture.sound import Microphone
from edge.cost import Cost
from edge.encode import Packet
from edge.encode.sound import AacCoder, SoundPacket
from edge.record.faults import Faults
from edge.record.feed import Feed
from wire.rigtime import SECOND

_PATIENCE_NS = SECOND
"""So much video waits for the sound that belongs to it; a microphone that is later than this is not waited for."""


@dataclass(frozen=True)
class SoundEnds:
    """Stands among the coded frames where the microphone was given up."""

    data: bytes = b""


Coded = Packet | SoundPacket | SoundEnds
"""What is written into segments."""


class Listening:
    """Puts what a microphone hears among the coded frames, and after a fault that nothing more will come.

    `failed` is called after one, whether the microphone's or the coder's; `fault` is its sentence then. Its times are
    those of the camera's frames, to which `shift_ns` is added: a clock that is set parts no sound from its picture.
    """

    def __init__(
        self, microphone: Microphone, camera: Camera, shift_ns: int, faults: Faults, failed: Callable[[], None]
    ) -> None:
        self.fault: str | None = None
        self._coder = _coder()
        self._microphone = microphone
        self._camera = camera
        self._shift_ns = shift_ns
        self._faults = faults
        self._failed = failed

    @property
    def stream(self) -> av.AudioStream | None:
        """Like which a segment's stream of sound is made; None without a coder."""
        return self._coder.stream if isinstance(self._coder, AacCoder) else None

    def run(self, packets: Feed[Coded], cost: Cost) -> None:
        """Listen until `packets` is closed."""
        meter = cost.meter("listen")
        try:
            with self._microphone:
                if isinstance(self._coder, Exception):
                    raise self._coder
                for sound in self._microphone:
                    meter.begin()
                    time_ns = sound.time_ns + self._camera.ahead_ns + self._shift_ns
                    if not all(packets.put(packet) for packet in self._coder.encode(replace(sound, time_ns=time_ns))):
                        return
                    meter.read()
        except Exception as fault:
            self.fault = self._faults.note(fault, "sound-fault")
            self._failed()
        finally:
            packets.put(SoundEnds())
            meter.read()

    def close(self) -> None:
        """Let go of the coder, like whose stream no segment is opened any more."""
        if isinstance(self._coder, AacCoder):
            self._coder.close()


def _coder() -> AacCoder | Exception:
    """A coder, or why there is none: told once the recording runs, which must not fail for it."""
    try:
        return AacCoder()
    except Exception as fault:
        return fault


def in_order(packets: Iterable[Coded], listening: bool) -> Iterator[Coded]:
    """Coded frames and sound by their times: a frame waits for the sound before it, as long as somebody listens."""
    frames: deque[Packet] = deque()
    sounds: deque[SoundPacket] = deque()
    heard_ns = 0
    for packet in packets:
        if isinstance(packet, SoundEnds):
            listening = False
        elif isinstance(packet, SoundPacket):
            sounds.append(packet)
            heard_ns = packet.time_ns
        else:
            frames.append(packet)
        while frames:
            due_ns = frames[0].time_ns
            if listening and due_ns > heard_ns and frames[-1].time_ns - due_ns < _PATIENCE_NS:
                break
            while sounds and sounds[0].time_ns < due_ns:
                yield sounds.popleft()
            yield frames.popleft()
        if isinstance(packet, SoundEnds):
            yield from sounds
            sounds.clear()
            yield packet
    while frames or sounds:
        if sounds and (not frames or sounds[0].time_ns < frames[0].time_ns):
            yield sounds.popleft()
        else:
            yield frames.popleft()
