"""What colour each track's shirt has, as far as it is known by now."""

import numpy as np

from edge.detect.detector import Floats
from edge.track.paths import Rows

SPREAD = np.array([60.0, 30.0, 30.0])
"""Differences of CIE L, a, b (8-bit scaling) from which on shirts are two teams': one shirt's differ by a quarter of
that, and more in light, for shade."""
UNSURE = 0.35
"""How unlike a shirt nobody has seen counts: between the same and another team's."""
KNOWN_LOOKS = 3.0
"""A colour is fully trusted after so many looks …"""
MEMORY_LOOKS = 12.0
"""… and follows what is seen with so long a memory: a face or a number that was hit once is forgotten."""


class Shirts:
    """Running mean colours of n tracks: `lab` (n, 3) CIE L, a, b, and `looks` (n,) how often each was seen."""

    def __init__(self) -> None:
        self.lab = np.zeros((0, 3))
        self.looks = np.zeros(0)

    def add(self, lab: Floats) -> None:
        """Tracks that begin with these colours (k, 3), NaN where none was seen."""
        seen = ~np.isnan(lab[:, 0])
        self.lab = np.concatenate([self.lab, np.where(seen[:, None], lab, 0.0)])
        self.looks = np.concatenate([self.looks, seen.astype(np.float64)])

    def keep(self, rows: Rows) -> None:
        """Forget all but these rows."""
        self.lab, self.looks = self.lab[rows], self.looks[rows]

    def learn(self, rows: Rows, lab: Floats) -> None:
        """Take in the colours (k, 3) seen of these rows, NaN where nothing was."""
        seen = ~np.isnan(lab[:, 0])
        rows, lab = rows[seen], lab[seen]
        self.looks[rows] += 1
        self.lab[rows] += (lab - self.lab[rows]) / np.minimum(self.looks[rows], MEMORY_LOOKS)[:, None]

    def unlike(self, rows: Rows, lab: Floats) -> Floats:
        """How unlike the shirts of these rows the colours (m, 3) are: (k, m) from 0, the same, to 1, another team's."""
        return unlike(self.lab[rows], self.looks[rows], lab)


def unlike(known: Floats, looks: Floats, lab: Floats) -> Floats:
    """How unlike the colours (n, 3), `known` from so many looks (n,), the colours `lab` (m, 3) are: (n, m) 0 to 1."""
    apart = np.linalg.norm((known[:, None] - np.nan_to_num(lab)[None]) / SPREAD, axis=2)
    sure = np.minimum(looks / KNOWN_LOOKS, 1.0)[:, None] * ~np.isnan(lab[:, 0])
    mixed: Floats = UNSURE + sure * (np.minimum(apart, 1.0) - UNSURE)
    return mixed
