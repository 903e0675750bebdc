import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment

from edge.track.assign import assigned

SIDES = st.tuples(st.integers(1, 12), st.integers(1, 12))
# Whole numbers draw often, as costs at their gate do.
COSTS = st.one_of(st.floats(-3, 10), st.integers(-2, 2).map(float))


@given(arrays(np.float64, SIDES, elements=COSTS))
def test_the_pairs_are_whole_and_cost_no_more_than_scipys(cost):
    rows, columns = assigned(cost)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows) == min(cost.shape)
    assert cost[rows, columns].sum() == pytest.approx(cost[linear_sum_assignment(cost)].sum(), abs=1e-9)


def test_either_side_may_be_the_shorter():
    cost = np.array([[5.0, 1.0, 9.0], [1.0, 2.0, 9.0]])
    for either in (cost, cost.T):
        rows, columns = assigned(either)
        assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])
