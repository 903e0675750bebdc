import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hub.fuse.smoothing import smooth


@given(st.floats(-8, 8), st.floats(-8, 8), st.integers(20, 80), st.floats(0, 0.99))
def test_an_exact_straight_run_is_returned_at_every_frame(vx, vy, n, shift):
    time = np.arange(n) + shift
    xy = np.column_stack([3 + vx * time / 25, -2 + vy * time / 25])
    paths = smooth(np.zeros(n, np.int64), time, xy, np.tile([0.1, 0.0, 0.1], (n, 1)))
    frame, got = paths.of(0)
    inner = slice(2, -2)
    want = np.column_stack([3 + vx * frame / 25, -2 + vy * frame / 25])
    np.testing.assert_allclose(got[inner], want[inner], atol=0.05)


def test_a_wild_measurement_is_borne():
    time = np.arange(100.0)
    xy = np.column_stack([time * 0.1, np.zeros(100)])
    xy[50] += (0, 12)
    got = smooth(np.zeros(100, np.int64), time, xy, np.tile([0.05, 0.0, 0.05], (100, 1))).of(0)[1]
    assert np.abs(got[:, 1]).max() < 0.3


def test_the_surer_of_two_cameras_counts_more():
    time = np.repeat(np.arange(50.0), 2)
    xy = np.zeros((100, 2))
    xy[::2, 1] = 1.0
    cov = np.tile([0.01, 0.0, 0.01], (100, 1))
    cov[::2, 2] = 1.0
    got = smooth(np.zeros(100, np.int64), time, xy, cov).of(0)[1]
    assert 0 < got[25, 1] < 0.05


def test_paths_do_not_touch_each_other():
    path = np.repeat([0, 1], 30)
    time = np.concatenate([np.arange(30.0), np.arange(10.0, 40.0)])
    xy = np.concatenate([np.zeros((30, 2)), np.full((30, 2), 9.0)])
    paths = smooth(path, time, xy, np.tile([0.1, 0.0, 0.1], (60, 1)))
    assert np.abs(paths.of(0)[1]).max() < 1e-3
    assert np.abs(paths.of(1)[1] - 9).max() < 1e-3
    assert paths.of(1)[0][0] == 10
