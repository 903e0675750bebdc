import numpy as np
import pytest

from hub.fuse.ball import choose
from hub.fuse.ground import BALL_RADIUS_M, Points, on_ground
from hub.fuse.legs import clinging

FRAMES = np.arange(200)


def sighted(camera, pixel, time, tracklet, score, size):
    xy, cov = on_ground(camera, pixel, np.ones_like(pixel), BALL_RADIUS_M)
    n = len(pixel)
    return Points(
        time=np.asarray(time, float),
        xy=xy,
        cov=cov,
        camera=np.ones(n, np.int64),
        tracklet=np.broadcast_to(np.asarray(tracklet, np.int64), (n,)),
        lab=np.full((n, 3), np.nan),
        pixel=pixel,
        size=np.broadcast_to(size, (n, 2)),
        segment=np.zeros(n, np.int64),
        score=np.full(n, score),
        model=np.ones(n, np.int64),
    )


def joined(*parts):
    return Points(*(np.concatenate([getattr(p, name) for p in parts]) for name in Points.__dataclass_fields__))


@pytest.fixture
def camera(mast):
    return mast.cameras[1]


@pytest.fixture
def runner(camera):
    """Somebody's places (frames, 2) and what the camera saw of him."""
    place = np.column_stack([-8 + 0.09 * FRAMES, 4 + 2 * np.sin(FRAMES / 30)])
    foot = camera.project(np.column_stack([place, np.zeros(len(place))]))
    head = camera.project(np.column_stack([place, np.full(len(place), 1.8)]))
    tall = foot[:, 1] - head[:, 1]
    return place, sighted(camera, foot, FRAMES, 0, 0.9, np.column_stack([0.4 * tall, tall]))


def sock(camera, person):
    """A shin that swings as its owner runs, sure to be a ball as far as the network knows."""
    tall = person.size[:, 1]
    swing = np.column_stack([0.2 * np.sin(FRAMES / 4) * tall, -0.16 * tall])
    return sighted(camera, person.pixel + swing, FRAMES, 7, 0.94, (8.0, 8.0))


def test_a_sock_clings_and_a_ball_that_is_dribbled_does_not(camera, runner):
    place, person = runner
    ahead = np.column_stack([place + np.array([0.5, -0.2]), np.full(len(place), BALL_RADIUS_M)])
    ball = sighted(camera, camera.project(ahead), FRAMES, 3, 0.6, (8.0, 8.0))
    share = clinging(joined(ball, sock(camera, person)), person)
    assert share[:200].max() < 0.3
    assert share[200:].min() > 0.9


def test_pieces_of_a_rolling_ball_are_preferred_to_a_sock_seen_throughout(camera, runner, pitch):
    _, person = runner
    seen = FRAMES[FRAMES % 50 < 32]
    path = np.column_stack([12 - 0.1 * seen, -6 + 0.05 * seen, np.full(len(seen), BALL_RADIUS_M)])
    ball = sighted(camera, camera.project(path), seen, seen // 50, 0.54, (8.0, 8.0))
    chosen = choose(joined(ball, sock(camera, person)), person, pitch)
    assert chosen[: len(seen)].all()
    assert not chosen[len(seen) :].any()


def test_nobody_in_sight_means_that_nothing_clings(camera, runner):
    _, person = runner
    assert not clinging(sock(camera, person), person.take(np.zeros(0, np.int64))).any()
