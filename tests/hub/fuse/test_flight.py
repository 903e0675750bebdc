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
        none + 1,
    )


def flown(start, velocity, drag=0.012):
    """A ball in the air until it is down again: gravity, and drag by the square of its speed."""
    at, v = np.array(start, float), np.array(velocity, float)
    path = [at]
    for step in range(1, 400):
        v = v - (0.01 * drag * np.hypot(np.hypot(v[0], v[1]), v[2])) * v - (0, 0, 0.0981)
        at = at + 0.01 * v
        if at[2] < 0.11:
            break
        if step % 4 == 0:
            path.append(at)
    return np.array(path)


def located(found, n):
    out = np.full((n, 3), np.nan)
    for stretch in found:
        k = np.arange(n)
        k = k[(k >= stretch.first) & (k <= stretch.last)]
        out[k] = stretch.at(k.astype(float))
    return out


@pytest.mark.parametrize(("climb", "depth"), [(7.0, 2.0), (9.0, -3.0), (6.0, 0.0)])
def test_a_flight_is_told_from_one_point_of_view(mast, climb, depth):
    path = flown((-8, 2, 0.11), (11, depth, climb))
    points = sighted(mast.cameras[1], path)
    gap = np.hypot(*(located(stretches(points, mast.cameras), len(path)) - path)[:, :2].T)
    on_grass = np.hypot(*(points.xy - path[:, :2]).T)
    assert on_grass.max() > 5
    assert np.nanmax(gap) < 1.5
    assert np.nanmean(gap) < 0.7


def test_a_shot_first_seen_in_mid_flight_is_as_high_as_it_is(mast):
    path = flown((-8, 2, 0.11), (19, -2, 7.0))[9:]
    found = stretches(sighted(mast.cameras[1], path), mast.cameras)
    assert path[0, 2] > 1.8
    assert found[0].open_start
    gap = np.hypot(*(located(found, len(path)) - path)[:, :2].T)
    assert np.nanmax(gap) < 1.5


def test_a_rolling_ball_stays_on_the_grass(mast):
    t = np.arange(60) / 25
    path = np.column_stack([-8 + 8 * t - 0.7 * t**2, 2 + t, np.full(60, 0.11)])
    found = stretches(sighted(mast.cameras[1], path), mast.cameras)
    assert not any(stretch.flying for stretch in found)
    gap = np.hypot(*(located(found, 60) - path)[:, :2].T)
    assert np.nanmax(gap) < 0.4
