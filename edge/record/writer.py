"""One segment's video: coded packets in fragmented MP4, of which a cut of power costs the last half second at most."""

from fractions import Fraction
from pathlib import Path

import av

from edge.encode import Packet
from edge.errors import RecorderFault
from wire.rigtime import SECOND

TICKS = 90_000
"""Ticks a second of the frames' times in the file; the exact times are in `.tracks`."""

_MUXER = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
_TIME_BASE = Fraction(1, TICKS)


class SegmentWriter:
    """Writes one segment's packets into `path`; the first, a key frame, has time 0 in the file.

    Raises `RecorderFault`, after which what is complete in the file can still be kept.
    """

    def __init__(
        self, path: Path, sequence: int, codec: str, width: int, height: int, frames_per_second: float
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

    def write(self, packet: Packet) -> None:
        """Append a coded frame."""
        first_ns = self.times_ns[0] if self.times_ns else packet.time_ns
        coded = av.Packet(packet.data)
        coded.pts = coded.dts = round((packet.time_ns - first_ns) * TICKS / SECOND)
        coded.time_base = _TIME_BASE
        coded.is_keyframe = packet.key
        coded.stream = self._stream
        try:
            self._container.mux(coded)
        except (av.FFmpegError, OSError) as fault:
            raise RecorderFault(f"cannot write {self.path}: {fault.strerror}") from fault
        self.times_ns.append(packet.time_ns)

    def finish(self) -> None:
        """Write what is still held back and close the file, which is not yet durable."""
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as fault:
            raise RecorderFault(f"cannot finish {self.path}: {fault.strerror}") from fault
