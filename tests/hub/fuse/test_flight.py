import numpy as np
import pytest

from hub.fuse.flight import stretches
from hub.fuse.ground import Points, on_ground


def sighted(camera, path, noise_px=0.5):
    pixel = camera.project(path) + np.random.default_rng(1).normal(0, noise_px, (len(path), 2))
    xy, cov = on_ground(camera, pixel, np.ones_like(pixel), 0.11)
    n = len(path)
    none = np.zeros(n, np.int64)
    return Points(
        np.arange(n, dtype=float),
        xy,
        cov,
        none + 1,
        none,
        np.full((n, 3), np.nan),
        pixel,
        np.ones((n, 2)),
        none,
        np.ones(n),
    )


def located(found, n):
    out = np.full((n, 3), np.nan)
    for stretch in found:
        k = np.arange(n)
        k = k[(k >= stretch.first) & (k <= stretch.last)]
        out[k] = stretch.at(k.astype(float))
    return out


@pytest.mark.parametrize(("climb", "depth"), [(7.0, 2.0), (9.0, -3.0), (6.0, 0.0)])
def test_a_flight_is_told_from_one_point_of_view(mast, climb, depth):
    t = np.arange(0, 2 * climb / 9.81, 0.04)
    path = np.column_stack([-8 + 9 * t, 2 + depth * t, 0.11 + climb * t - 4.905 * t**2])
    points = sighted(mast.cameras[1], path)
    gap = np.hypot(*(located(stretches(points, mast.cameras), len(path)) - path)[:, :2].T)
    on_grass = np.hypot(*(points.xy - path[:, :2]).T)
    assert on_grass.max() > 5
    assert np.nanmax(gap) < 1.5
    assert np.nanmean(gap) < 0.7


def test_a_rolling_ball_stays_on_the_grass(mast):
    t = np.arange(60) / 25
    path = np.column_stack([-8 + 8 * t - 0.7 * t**2, 2 + t, np.full(60, 0.11)])
    found = stretches(sighted(mast.cameras[1], path), mast.cameras)
    assert not any(stretch.flying for stretch in found)
    gap = np.hypot(*(located(found, 60) - path)[:, :2].T)
    assert np.nanmax(gap) < 0.4
