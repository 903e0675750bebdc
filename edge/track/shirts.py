"""Whether two looks at shirts may show the same one."""

import numpy as np

from edge.detect.detector import Floats

SPREAD = np.array([60.0, 20.0, 20.0])
"""Differences of CIE L, a, b (8-bit scaling) from which on shirts are two teams', light least of all."""
UNSURE = 0.35
"""How unlike a shirt that nobody has seen counts: between the same and another team's."""


def unlike(known: Floats, seen: Floats) -> Floats:
    """How unlike the colours `known` (n, 3) and `seen` (m, 3), CIE L, a, b, are: (n, m) from 0, the same, to 1, another
    team's; `UNSURE` where one of both is NaN."""
    apart = np.sqrt((((known[:, None] - seen) / SPREAD) ** 2).sum(axis=2))
    told: Floats = np.where(np.isnan(apart), UNSURE, np.minimum(apart, 1.0))
    return told
