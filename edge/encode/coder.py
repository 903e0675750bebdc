"""The one interface of every coder: pictures in, coded packets out, a key frame wherever a segment begins."""

from dataclasses import dataclass
from typing import Protocol

from edge.frame import Frame


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture: its codec (`h264` or `hevc`), its bytes in Annex B form, capture time in nanoseconds on the
    node's clock, and whether a player can begin with it; such a one brings the codec's parameter sets."""

    codec: str
    data: bytes
    time_ns: int
    key: bool


class Coder(Protocol):
    """Codes the frames of one camera in order and without reordering: one packet per frame, perhaps a few frames later.

    Every call raises `CoderFault` when the codec fails; a new coder can then go on where this one stood.
    """

    def encode(self, frame: Frame, *, key: bool) -> list[Packet]:
        """Take in the next frame, a key frame when `key`; the packets that are ready."""

    def flush(self) -> list[Packet]:
        """What is still held back; nothing may be encoded afterwards."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""
