"""One segment's video: coded packets in fragmented MP4, of which a cut of power costs the last half second at most."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from edge.capture.sound import RATE
from edge.encode import Packet
from edge.encode.sound import SoundPacket
from edge.errors import RecorderFault
from wire.rigtime import SECOND

TICKS = 90_000
"""Ticks a second of the frames' times in the file; the exact times are in `.tracks`."""

_MUXER = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "500000",
    "flush_packets": "1",
}
"""Fragments of half a second, each given to the system as soon as it is whole: FFmpeg would keep 256 KiB to itself,
which is seconds of a quiet picture.
"""
_TIME_BASE = Fraction(1, TICKS)


class SegmentWriter:
    """Writes one segment's packets into `path`; the first, a key frame, has time 0 in the file.

    `sound` is a stream like which the sound's is made, None for a silent segment. Raises `RecorderFault`, after which
    what is complete in the file can still be kept.
    """

    def __init__(
        self,
        path: Path,
        sequence: int,
        codec: str,
        width: int,
        height: int,
        frames_per_second: float,
        sound: av.AudioStream | None = None,
    ) -> None:
        self.path = path
        self.sequence = sequence
        self.times_ns: list[int] = []
        """Capture times of the frames written so far."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(path), "w", format="mp4", options=_MUXER)
        except (av.FFmpegError, OSError) as fault:
            raise RecorderFault(f"cannot write {path}: {fault.strerror}") from fault
        rate = Fraction(frames_per_second).limit_denominator(1001)
        self._stream = self._container.add_mux_stream(codec, rate=rate, width=width, height=height)
        self._stream.time_base = _TIME_BASE
        self._sound = self._container.add_stream_from_template(sound) if sound else None
        self._heard = -1

    def write(self, packet: Packet) -> None:
        """Append a coded frame."""
        first_ns = self.times_ns[0] if self.times_ns else packet.time_ns
        coded = av.Packet(packet.data)
        coded.pts = coded.dts = round((packet.time_ns - first_ns) * TICKS / SECOND)
        coded.time_base = _TIME_BASE
        coded.is_keyframe = packet.key
        coded.stream = self._stream
        self._mux(coded)
        self.times_ns.append(packet.time_ns)

    def write_sound(self, packet: SoundPacket) -> None:
        """Append sound that was heard since the first frame; what was heard before is left out."""
        if self._sound is None or not self.times_ns or packet.time_ns < self.times_ns[0]:
            return
        at = round((packet.time_ns - self.times_ns[0]) * RATE / SECOND)
        # The stamps tremble, but a file's may not run backwards.
        self._heard = max(at, self._heard + 1)
        coded = av.Packet(packet.data)
        coded.pts = coded.dts = self._heard
        coded.duration = 1024
        coded.time_base = Fraction(1, RATE)
        coded.is_keyframe = True
        coded.stream = self._sound
        self._mux(coded)

    def _mux(self, coded: "av.Packet[Any]") -> None:
        try:
            self._container.mux(coded)
        except (av.FFmpegError, OSError) as fault:
            raise RecorderFault(f"cannot write {self.path}: {fault.strerror}") from fault

    def finish(self) -> None:
        """Write what is still held back and close the file, which is not yet durable."""
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as fault:
            raise RecorderFault(f"cannot finish {self.path}: {fault.strerror}") from fault
