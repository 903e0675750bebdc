"""Memory for pictures, used again and again."""

import weakref
from collections import deque

import numpy as np
import numpy.typing as npt


class Pictures:
    """Blank pictures of one size, from the memory of those that nobody looks at any more.

    Fresh memory of that size comes from the system page by page, which takes several times as long as to fill it. There
    are never more than were looked at together once. May be used by several threads.
    """

    def __init__(self, width: int, height: int) -> None:
        self._shape = height * 3 // 2, width
        self._free: deque[bytearray] = deque()

    def blank(self) -> npt.NDArray[np.uint8]:
        """I420 planes (height * 3 // 2, width) that hold anything, and are nobody else's as long as somebody refers to
        them or a view of them."""
        try:
            memory = self._free.pop()
        except IndexError:
            memory = bytearray(self._shape[0] * self._shape[1])
        planes: npt.NDArray[np.uint8] = np.ndarray(self._shape, np.uint8, memory)
        weakref.finalize(planes, self._free.append, memory).atexit = False
        return planes
