"""Making people unrecognisable in a picture."""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from hub.blur.boxes import Box
from hub.picture import Picture, Plane

_ROWS, _COLUMNS = 4, 3
"""What is left of a box: so few values hold neither a face nor a number, and cannot be sharpened back."""


def obscure(picture: Picture, boxes: Iterable[Box]) -> None:
    """Replace what is in the boxes by a handful of smoothly joined mean colours, in place."""
    for box in boxes:
        _smear(picture[0], box.left, box.top, box.right, box.bottom)
        for plane in picture[1:]:
            _smear(plane, box.left // 2, box.top // 2, box.right // 2, box.bottom // 2)


def planes_within(flat: npt.NDArray[np.uint8], width: int, height: int) -> Picture:
    """The planes of a yuv420p picture of even size that lie one behind the other in `flat`."""
    whole, half = width * height, (width // 2) * (height // 2)
    luma = flat[:whole].reshape(height, width)
    blue, red = (flat[at : at + half].reshape(height // 2, width // 2) for at in (whole, whole + half))
    return Picture(luma, blue, red)


def _smear(plane: Plane, left: int, top: int, right: int, bottom: int) -> None:
    part = plane[top:bottom, left:right]
    if not part.size:
        return
    height, width = part.shape
    few = cv2.resize(part, (min(_COLUMNS, width), min(_ROWS, height)), interpolation=cv2.INTER_AREA)
    part[:] = cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR)
