"""The rows of the segment that is being recorded, until it is closed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.track.row_loops import averaged, since

CONTEXT_FRAMES = 12
"""Measurements of the segment before that still steady the beginning of the next."""
LEAST_ACCELERATION = 1e-6
"""Pixels per frame²: what never turns at all is a straight line."""
Frames = npt.NDArray[np.int64]
Entries = tuple[Frames, Floats, Floats, Floats, Floats]
"""Of measured tracks: number (n,), `place` (n, 2), `variance` (n,), `size` (n, 2) and `score` (n,), as in `Series`."""


@dataclass(frozen=True)
class Rows:
    """Rows of several tracks, one track's after the other's: how many each has, `count` (k,), their rising frames (n,),
    the `place` (n, 2) of the anchor, the `size` (n, 2) of the box around it, and the `score` (n,)."""

    count: npt.NDArray[np.intp]
    frame: Frames
    place: Floats
    size: Floats
    score: Floats


@dataclass(frozen=True)
class Series:
    """What was measured of all tracks, one after the other by their rising `number` (n,), each in rising frames (n,):
    `place` (n, 2) of the anchor (foot point, or the ball's centre) with its `variance` (n,), the `size` (n, 2) of the
    box around it, and the `score` (n,)."""

    number: Frames
    frame: Frames
    place: Floats
    variance: Floats
    size: Floats
    score: Floats

    def since(self, first: int, numbers: Frames, acceleration: Floats, most_apart: int = 1) -> Rows:
        """The rows of the tracks `numbers` (k,) from the frame `first` on; also in the frames between two measured ones
        that are at most `most_apart` apart.

        Places are smoothed forwards and backwards: least squares of the residuals against accelerations of the standard
        deviations `acceleration` (k,), px per frame² (Whittaker's smoother with second differences).
        """
        stiffness = np.maximum(acceleration, LEAST_ACCELERATION) ** -2
        columns = self.number, self.frame, self.place, self.variance, self.size, self.score
        return Rows(*since(*columns, numbers, stiffness, first, CONTEXT_FRAMES, most_apart))


class Journal:
    """What was measured of all tracks, written down frame by frame and read track by track."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, Frames, Floats, Floats, Floats, Floats]] = []

    def add(self, frame: int, number: Frames, place: Floats, variance: Floats, size: Floats, score: Floats) -> None:
        """Measurements in this frame of the tracks `number` (n,), as in `Series`; frames come in rising order. Several
        of one track in one frame are averaged by their variances when they are read."""
        if len(number):
            self._entries.append((frame, number, place, variance, size, score))

    def series(self) -> Series:
        """What was measured, track by track."""
        if not self._entries:
            none = np.zeros(0, np.int64)
            return Series(none, none, np.zeros((0, 2)), np.zeros(0), np.zeros((0, 2)), np.zeros(0))
        at, *parts = zip(*self._entries, strict=True)
        number, place, variance, size, score = (np.concatenate(part) for part in parts)
        frame = np.repeat(np.array(at, np.int64), [len(part) for part in parts[0]])
        order = np.argsort(number, kind="stable")
        return Series(*averaged(order, number, frame, place, variance, size, score))

    def forget_before(self, first: int) -> None:
        """Drop what no segment that begins with the frame `first` needs."""
        self._entries = [entry for entry in self._entries if entry[0] >= first - CONTEXT_FRAMES]
