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

    def since(self, first: int, acceleration: float) -> tuple[npt.NDArray[np.int64], Floats, Floats, Floats]:
        """Frames (n,), smoothed places (n, 2), sizes (n, 2) and scores (n,) from the frame `first` on."""
        frame = np.array(self.frame, np.int64)
        places, sizes = (np.array(values, np.float64).reshape(-1, 2) for values in (self.place, self.size))
        near = frame >= first - CONTEXT_FRAMES
        place = smoothed(frame[near], places[near], np.array(self.variance, np.float64)[near], acceleration)
        new = frame >= first
        return frame[new], place[new[near]], sizes[new], np.array(self.score, np.float64)[new]

    def forget_before(self, first: int) -> None:
        """Drop what no later segment needs."""
        past = sum(frame < first - CONTEXT_FRAMES for frame in self.frame)
        for values in (self.frame, self.place, self.variance, self.size, self.score):
            del values[:past]
