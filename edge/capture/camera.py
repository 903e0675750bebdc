"""The camera as the node knows it: a source of frames, each with the time it was captured."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: I420 planes (height * 3 // 2, width) uint8, C-contiguous, never written to once handed out; capture
    time in nanoseconds on the node's clock; number since the camera was opened, from 0.

    `detect` are the planes of the same picture made smaller, where the camera does that by itself (the ISP's second
    output): width and height of the main stream divided by one whole number.
    """

    planes: npt.NDArray[np.uint8]
    time_ns: int
    index: int
    detect: npt.NDArray[np.uint8] | None = None


class Camera(Protocol):
    """An opened camera: iterate it for its frames, close it by leaving its `with` block.

    Width and height are even. Iteration ends when the source does; whatever goes wrong raises `CameraFault` with a
    sentence that names the source.
    """

    width: int
    height: int
    frames_per_second: float
    """The nominal rate; the truth is in the frames' times."""
    frames_dropped: int
    """Frames the camera is known to have lost since it was opened."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...
