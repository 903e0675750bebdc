"""The shirts that were seen, and whether two looks may show the same one."""

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.track import loops
from edge.track.row_loops import medians

SPREAD = (60.0, 20.0, 20.0)
"""Differences of CIE L, a, b (8-bit scaling) from which on shirts are two teams', light least of all."""
UNSURE = 0.35
"""How unlike a shirt that nobody has seen counts: between the same and another team's."""

Numbers = npt.NDArray[np.int64]
Lab = tuple[int, int, int]


class ShirtsSeen:
    """The colours that were seen of everybody's shirt in the segment that is being recorded, by the tracks' numbers."""

    def __init__(self) -> None:
        self._numbers: list[Numbers] = [np.zeros(0, np.int64)]
        self._colours: list[Floats] = [np.zeros((0, 3))]

    def add(self, numbers: Numbers, colours: Floats) -> None:
        """The colours (n, 3), CIE L, a, b, of these tracks' shirts (n,), NaN where there was nothing to be seen."""
        known = ~np.isnan(colours[:, 0])
        self._numbers.append(numbers[known])
        self._colours.append(colours[known])

    def close(self, alive: Numbers) -> dict[int, Lab]:
        """The median of each shirt's colours; of those `alive` (n,), one that is not seen in the next segment keeps the
        colour it had last."""
        everybody = np.concatenate(self._numbers)
        colours = np.concatenate(self._colours)[np.argsort(everybody, kind="stable")]
        numbers, count = np.unique(everybody, return_counts=True)
        go_on, last = np.isin(numbers, alive), np.cumsum(count) - 1
        self._numbers, self._colours = [numbers[go_on]], [colours[last[go_on]]]
        middle = np.rint(medians(colours, count)).astype(int).tolist()
        return {number: (light, a, b) for number, (light, a, b) in zip(numbers.tolist(), middle, strict=True)}


def unlike(known: Floats, seen: Floats) -> Floats:
    """How unlike the colours `known` (n, 3) and `seen` (m, 3), CIE L, a, b, are: (n, m) from 0, the same, to 1, another
    team's; `UNSURE` where one of both is NaN."""
    return loops.unlike(known, seen, SPREAD, UNSURE)
