"""Who goes with whom: the pairs that cost least together."""

import lap
import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats

Rows = npt.NDArray[np.intp]


def assigned(cost: Floats) -> tuple[Rows, Rows]:
    """Rows and columns of `cost` (n, m) in pairs, as many as the shorter side allows, so that their sum is least."""
    columns, _ = lap.lapjv(cost, extend_cost=True, return_cost=False)
    rows = np.flatnonzero(columns >= 0)
    return rows, columns[rows].astype(np.intp)
