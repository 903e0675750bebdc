"""The camera as the node knows it: a source of frames, each with the time it was captured."""

from collections.abc import Iterator
from typing import Protocol, Self

from edge.encode import Coder
from edge.frame import Frame


class Camera(Protocol):
    """An opened camera: iterate it for its frames, close it by leaving its `with` block.

    Width and height are even. Iteration ends when the source does; whatever goes wrong raises `CameraFault` with a
    sentence that names the source. A live one that is iterated anew begins with what it shows then.
    """

    width: int
    height: int
    frames_per_second: float
    """The nominal rate; the truth is in the frames' times."""
    frames_dropped: int
    """Frames the camera is known to have lost since its iteration began."""
    live: bool
    """Whether it shows what happens now, and goes on whether its frames are taken or not: the end of its pictures is
    then always a fault, which a new start of the process may heal."""
    waits_s: float
    """How long it may hold its first frame back until its rig is in step, in seconds."""

    @property
    def ahead_ns(self) -> int:
        """How far the node's clock is ahead of the time since boot for all of a recording, as it was when it was first
        asked for."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def coder(self) -> Coder:
        """A coder for this camera's frames; raises `CoderFault`."""
