"""The rows of the segment that is being recorded, until it is closed."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.track.paths import smoothed

CONTEXT_FRAMES = 12
"""Measurements of the segment before that still steady the beginning of the next."""


@dataclass
class Measured:
    """What was measured of one tracklet, one entry per frame: the anchor (foot point, or the ball's centre) with its
    variance, the size of the box around it, and the score."""

    frame: list[int] = field(default_factory=list)
    place: list[tuple[float, float]] = field(default_factory=list)
    variance: list[float] = field(default_factory=list)
    size: list[tuple[float, float]] = field(default_factory=list)
    score: list[float] = field(default_factory=list)

    def add(self, frame: int, place: Floats, variance: float, size: Floats, score: float) -> None:
        """One more measurement; a second one in the same frame is averaged with the first by their variances."""
        x, y, w, h = float(place[0]), float(place[1]), float(size[0]), float(size[1])
        if self.frame and self.frame[-1] == frame:
            share = self.variance[-1] / (self.variance[-1] + variance)
            before = self.place[-1]
            self.place[-1] = (before[0] + share * (x - before[0]), before[1] + share * (y - before[1]))
            self.variance[-1] *= 1 - share
            self.size[-1] = (w, h)
            self.score[-1] = score
            return
        self.frame.append(frame)
        self.place.append((x, y))
        self.variance.append(variance)
        self.size.append((w, h))
        self.score.append(score)

    def since(
        self, first: int, acceleration: float, most_apart: int = 1
    ) -> tuple[npt.NDArray[np.int64], Floats, Floats, Floats]:
        """Frames (n,), smoothed places (n, 2), sizes (n, 2) and scores (n,) from the frame `first` on; also of those
        between two measured ones that are at most `most_apart` frames apart."""
        frame = np.array(self.frame, np.int64)
        near = frame >= first - CONTEXT_FRAMES
        frame = frame[near]
        place, size = (np.array(values, np.float64).reshape(-1, 2)[near] for values in (self.place, self.size))
        variance, score = (np.array(values, np.float64)[near] for values in (self.variance, self.score))
        asked = _joined(frame, most_apart)
        asked = asked[asked >= first]
        if not len(asked):
            return asked, np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)
        path = smoothed(frame, place, variance, acceleration, asked)
        sizes = np.stack([np.interp(asked, frame, side) for side in size.T], axis=1)
        return asked, path, sizes, np.interp(asked, frame, score)

    def forget_before(self, first: int) -> None:
        """Drop what no later segment needs."""
        past = sum(frame < first - CONTEXT_FRAMES for frame in self.frame)
        for values in (self.frame, self.place, self.variance, self.size, self.score):
            del values[:past]


def _joined(frame: npt.NDArray[np.int64], most_apart: int) -> npt.NDArray[np.int64]:
    """These rising frames and all between neighbours that are at most so many apart."""
    apart = np.diff(frame, append=frame[-1:] + 1)
    steps = np.where(apart <= most_apart, apart, 1)
    nth = np.arange(int(steps.sum())) - np.repeat(np.cumsum(steps) - steps, steps)
    joined: npt.NDArray[np.int64] = np.repeat(frame, steps) + nth
    return joined
