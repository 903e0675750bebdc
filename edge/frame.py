"""One picture of a camera."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DETECT_WIDTH = 1024
"""Widest small copy of a picture in which motion is looked for."""


def detect_factor(width: int) -> int:
    """The whole number by which a picture of this width is made smaller to look for motion."""
    return max(1, -(-width // DETECT_WIDTH))


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: I420 planes (height * 3 // 2, width) uint8, C-contiguous, never written to once handed out; capture
    time in nanoseconds on the node's clock; number since the camera was opened, from 0.

    `detect` are the planes of the same picture made smaller, where the camera does that by itself (the ISP's second
    output): width and height of the main stream divided by `detect_factor`.
    """

    planes: npt.NDArray[np.uint8]
    time_ns: int
    index: int
    detect: npt.NDArray[np.uint8] | None = None
