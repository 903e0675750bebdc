"""The last seconds of a live picture, as HLS with fragmented MP4, in memory only."""

import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from edge.encode import Packet
from wire.rigtime import SECOND, seconds

KEPT = 6
"""Segments that are kept: two more than a player needs, for one that is late."""
_TICKS = 90_000
_TIME_BASE = Fraction(1, _TICKS)
_MUXER = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


@dataclass(frozen=True)
class _Segment:
    number: int
    length_s: float
    data: bytes


class Film:
    """Takes coded pictures from one thread, and gives the playlist and its parts to any.

    A segment goes from one key frame to the next. `name` is of this film alone: its parts' names begin with it. Raises
    `av.FFmpegError` for packets that make no video.
    """

    def __init__(self, name: str, width: int, height: int, frames_per_second: int) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._head = b""
        self._segments: deque[_Segment] = deque(maxlen=KEPT)
        self._number = 0
        self._boxes = _Boxes()
        self._first_ns: int | None = None
        self._key_ns = 0
        self._container = av.open(self._boxes, "w", format="mp4", options=_MUXER)
        self._stream = self._container.add_mux_stream("h264", rate=frames_per_second, width=width, height=height)
        self._stream.time_base = _TIME_BASE

    def add(self, packet: Packet) -> None:
        """Append a coded picture; the first is a key frame."""
        if self._first_ns is None:
            self._first_ns = self._key_ns = packet.time_ns
        coded: av.Packet[Any] = av.Packet(packet.data)
        coded.pts = coded.dts = round((packet.time_ns - self._first_ns) * _TICKS / SECOND)
        coded.time_base = _TIME_BASE
        coded.is_keyframe = packet.key
        coded.stream = self._stream
        self._container.mux(coded)
        if packet.key:
            length_s, self._key_ns = seconds(packet.time_ns - self._key_ns), packet.time_ns
            self._cut(self._boxes.take(), length_s)

    def close(self) -> None:
        """Nothing more will come."""
        self._container.close()

    def _cut(self, whole: list[tuple[bytes, bytes]], length_s: float) -> None:
        head = b"".join(box for kind, box in whole if kind in (b"ftyp", b"moov"))
        data = b"".join(box for kind, box in whole if kind in (b"moof", b"mdat"))
        with self._lock:
            self._head += head
            if data:
                self._segments.append(_Segment(self._number, length_s, data))
                self._number += 1

    @property
    def begun(self) -> bool:
        """Whether there is anything to see yet."""
        with self._lock:
            return bool(self._segments)

    def playlist(self, folder: str) -> str:
        """The media playlist (RFC 8216), whose parts lie in `folder`."""
        with self._lock:
            segments = list(self._segments)
        longest_s = max((segment.length_s for segment in segments), default=1.0)
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{max(1, round(longest_s))}",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f"#EXT-X-MEDIA-SEQUENCE:{segments[0].number if segments else 0}",
            f'#EXT-X-MAP:URI="{folder}/{self.name}-head.mp4"',
        ]
        for segment in segments:
            lines += [f"#EXTINF:{segment.length_s:.3f},", f"{folder}/{self.name}-{segment.number}.m4s"]
        return "\n".join(lines) + "\n"

    def part(self, name: str) -> bytes | None:
        """The head or a segment by its name; None when there is none, or not any more."""
        with self._lock:
            if name == f"{self.name}-head.mp4":
                return self._head or None
            return next((s.data for s in self._segments if name == f"{self.name}-{s.number}.m4s"), None)


class _Boxes:
    """What a muxer writes, box by box (ISO/IEC 14496-12, 4.2)."""

    def __init__(self) -> None:
        self._raw = bytearray()

    def write(self, data: bytes) -> int:
        self._raw += data
        return len(data)

    def take(self) -> list[tuple[bytes, bytes]]:
        """Kind and bytes of every box that is whole."""
        boxes = []
        while len(self._raw) >= 8 and len(self._raw) >= (size := int.from_bytes(self._raw[:4], "big")):
            boxes.append((bytes(self._raw[4:8]), bytes(self._raw[:size])))
            del self._raw[:size]
        return boxes
