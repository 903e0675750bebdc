"""Whether a recording loses more frames than a stray one now and then."""

from collections import deque

from wire.rigtime import SECOND

_LATELY_S = 10
"""Long enough that a share of its frames means something (250 at 25 a second), and soon over once it has got better."""
_MUCH = 0.02
"""One frame in fifty: a ball in flight is then missed some time every two seconds. A healthy board loses a few in a
match; one that holds itself back because of heat loses a third."""
_LITTLE = _MUCH / 2
"""Below it the losing is over: between the two nothing changes, so that an alarm does not come and go."""


class Losses:
    """What was lost lately of a recording of so many frames a second."""

    def __init__(self, frames_per_second: float) -> None:
        self.much = False
        """Whether too much of it is being lost."""
        self._due = frames_per_second * _LATELY_S
        self._lately: deque[tuple[int, int]] = deque()
        """When frames were found to be missing, in ns, and how many."""
        self._all = 0

    def count(self, time_ns: int, lost: int) -> None:
        """Take note of a frame, by its time, before which `lost` of the recording's frames are missing."""
        if lost > self._all:
            self._lately.append((time_ns, lost - self._all))
            self._all = lost
        while self._lately and self._lately[0][0] <= time_ns - _LATELY_S * SECOND:
            self._lately.popleft()
        share = sum(missing for _, missing in self._lately) / self._due
        self.much = share > (_LITTLE if self.much else _MUCH)
