"""AAC through PyAV, for the sound of a segment."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from edge.capture.sound import RATE, Sound
from edge.errors import SoundFault
from wire.rigtime import SECOND

BITS_PER_SECOND = 64_000
DRIFT = 0.02
"""Share by which one more stamp moves the sound's zero: the device's clock drifts, its stamps tremble."""


@dataclass(frozen=True, slots=True)
class SoundPacket:
    """1024 coded samples and when the first of them was heard, in nanoseconds on the node's clock."""

    data: bytes
    time_ns: int


class AacCoder:
    """Codes a microphone's sound; raises `SoundFault`.

    `stream` tells a container what the packets are.
    """

    def __init__(self) -> None:
        try:
            # A container is what gives a coder a stream that others can be made like.
            self._container = av.open("/dev/null", "w", format="null")
            self.stream = self._container.add_stream("aac", rate=RATE)
            self.stream.layout = "mono"
            self.stream.bit_rate = BITS_PER_SECOND
            self._container.start_encoding()
        except (av.FFmpegError, OSError) as fault:
            raise SoundFault(f"the sound cannot be coded: {fault.strerror}") from fault
        self._samples = 0
        self._zero_ns: float | None = None

    def encode(self, sound: Sound) -> list[SoundPacket]:
        """Take in what was heard next; the packets that are ready."""
        zero_ns = sound.time_ns - self._samples * SECOND / RATE
        self._zero_ns = zero_ns if self._zero_ns is None else self._zero_ns + DRIFT * (zero_ns - self._zero_ns)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.samples[None]), format="fltp", layout="mono")
        frame.sample_rate = RATE
        frame.pts, frame.time_base = self._samples, Fraction(1, RATE)
        self._samples += len(sound.samples)
        try:
            coded = self.stream.encode(frame)
        except (av.FFmpegError, OSError) as fault:
            raise SoundFault(f"the sound cannot be coded: {fault.strerror}") from fault
        zero = self._zero_ns
        return [SoundPacket(bytes(p), round(zero + (p.pts or 0) * SECOND / RATE)) for p in coded]

    def close(self) -> None:
        """Let go of the coder."""
        self._container.close()
