"""A picture as its planes, the way video has it."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]


class Picture(NamedTuple):
    """Planes of YUV 4:2:0 in video range: luma (h, w), blue and red difference (h / 2, w / 2).

    A plane's rows may be padded: it is a view whose pixels lie side by side along a row, and no more is promised.
    """

    luma: Plane
    blue: Plane
    red: Plane

    @property
    def width_px(self) -> int:
        """Of luma."""
        return int(self.luma.shape[1])

    @property
    def height_px(self) -> int:
        """Of luma."""
        return int(self.luma.shape[0])

    @classmethod
    def of_stack(cls, planes: Plane) -> "Picture":
        """Views into contiguous I420 planes (h * 3 / 2, w) that lie one under the other."""
        height, width = planes.shape[0] * 2 // 3, planes.shape[1]
        flat, area = planes.reshape(-1), width * height
        shape = (height // 2, width // 2)
        blue, red = (flat[start : start + area // 4].reshape(shape) for start in (area, area + area // 4))
        return cls(planes[:height], blue, red)

    @classmethod
    def empty(cls, width: int, height: int) -> "Picture":
        """Planes for a picture of that even size, with anything in them."""
        half = (height // 2, width // 2)
        return cls(np.empty((height, width), np.uint8), np.empty(half, np.uint8), np.empty(half, np.uint8))
