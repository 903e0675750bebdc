"""The rows of the segment that is being recorded, until it is closed."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.track.loops import joined
from edge.track.paths import smoothed

CONTEXT_FRAMES = 12
"""Measurements of the segment before that still steady the beginning of the next."""
Frames = npt.NDArray[np.int64]
Entries = tuple[Frames, Floats, Floats, Floats, Floats]
"""Of measured tracks: number (n,), `place` (n, 2), `variance` (n,), `size` (n, 2) and `score` (n,), as in `Series`."""


@dataclass(frozen=True)
class Series:
    """What was measured of one tracklet in the rising frames (n,): `place` (n, 2) of the anchor (foot point, or the
    ball's centre) with its `variance` (n,), the `size` (n, 2) of the box around it, and the `score` (n,)."""

    frame: Frames
    place: Floats
    variance: Floats
    size: Floats
    score: Floats

    def since(self, first: int, acceleration: float, most_apart: int = 1) -> tuple[Frames, Floats, Floats, Floats]:
        """Frames (n,), smoothed places (n, 2), sizes (n, 2) and scores (n,) from the frame `first` on; also of those
        between two measured ones that are at most `most_apart` frames apart."""
        near = slice(int(np.searchsorted(self.frame, first - CONTEXT_FRAMES)), None)
        frame = self.frame[near]
        asked = joined(frame, first, most_apart)
        if not len(asked):
            return asked, np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)
        path = smoothed(frame, self.place[near], self.variance[near], acceleration, asked)
        measured = slice(int(np.searchsorted(frame, first)), None)
        if len(frame[measured]) == len(asked):
            return asked, path, self.size[near][measured], self.score[near][measured]
        width, height, score = (np.interp(asked, frame, part) for part in (*self.size[near].T, self.score[near]))
        return asked, path, np.stack([width, height], axis=1), score


class Journal:
    """What was measured of all tracks, written down frame by frame and read track by track."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, Frames, Floats, Floats, Floats, Floats]] = []

    def add(self, frame: int, number: Frames, place: Floats, variance: Floats, size: Floats, score: Floats) -> None:
        """Measurements in this frame of the tracks `number` (n,), as in `Series`; frames come in rising order. Several
        of one track in one frame are averaged by their variances when they are read."""
        if len(number):
            self._entries.append((frame, number, place, variance, size, score))

    def series(self) -> dict[int, Series]:
        """What was measured, by the track's number."""
        if not self._entries:
            return {}
        frame = np.repeat(
            np.array([entry[0] for entry in self._entries], np.int64), [len(entry[1]) for entry in self._entries]
        )
        columns = [np.concatenate(parts) for parts in list(zip(*self._entries, strict=True))[1:]]
        order = np.argsort(columns[0], kind="stable")
        frame, (number, place, variance, size, score) = frame[order], (column[order] for column in columns)
        last = np.append((np.diff(number) > 0) | (np.diff(frame) > 0), True)
        first = np.flatnonzero(np.insert(last[:-1], 0, True))
        weight = 1 / variance
        together = np.add.reduceat(weight, first)
        place = np.add.reduceat(place * weight[:, None], first, axis=0) / together[:, None]
        number, frame, variance, size, score = number[last], frame[last], 1 / together, size[last], score[last]
        ends = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(number)]
        return {
            int(number[own.start]): Series(frame[own], place[own], variance[own], size[own], score[own])
            for own in (slice(*both) for both in pairwise(ends))
        }

    def forget_before(self, first: int) -> None:
        """Drop what no segment that begins with the frame `first` needs."""
        self._entries = [entry for entry in self._entries if entry[0] >= first - CONTEXT_FRAMES]
