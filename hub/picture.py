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
