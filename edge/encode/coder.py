"""The one interface of every coder: pictures in, coded packets out, a key frame wherever a segment begins."""

from dataclasses import dataclass
from typing import Protocol

from edge.capture.camera import Frame


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture: its bytes in Annex B form, capture time in nanoseconds on the node's clock, and whether a
    player can begin with it."""

    data: bytes
    time_ns: int
    key: bool


class Coder(Protocol):
    """Codes the frames of one camera in order and without reordering: one packet per frame, perhaps a few frames later.

    Nothing but the first frame and those asked for become key frames. Every call raises `RecorderFault` when the codec
    fails.
    """

    codec: str
    """`h264` or `hevc`."""

    @property
    def head(self) -> bytes:
        """The codec's parameter sets, Annex B; known once the coder is made."""

    def encode(self, frame: Frame, *, key: bool) -> list[Packet]:
        """Take in the next frame, a key frame when `key`; the packets that are ready."""

    def flush(self) -> list[Packet]:
        """What is still held back; nothing may be encoded afterwards."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""
