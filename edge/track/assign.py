"""Who goes with whom: the pairs that cost least together."""

import lap

from edge.detect.detector import Floats


def assigned(cost: Floats) -> list[tuple[int, int]]:
    """Rows and columns of `cost` (n, m) in pairs, as many as the shorter side allows, so that their sum is least."""
    columns, _ = lap.lapjv(cost, extend_cost=True, return_cost=False)
    return [(row, int(column)) for row, column in enumerate(columns) if column >= 0]
