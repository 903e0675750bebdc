import numpy as np

from edge.detect.detector import Detections
from edge.detect.stature import Stature
from edge.track.ball import Balls
from edge.track.ids import tracklet_ids
from wire.tracks import Kind

REGION = (0.0, 0.0, 1920.0, 1080.0)
NOBODY = np.zeros((0, 4))


def candidates(points, radius=4.0, score=0.5):
    boxes = np.array([[x - radius, y - radius, x + radius, y + radius] for x, y in points], np.float64).reshape(-1, 4)
    return Detections(boxes, np.full(len(boxes), score), np.full(len(boxes), int(Kind.BALL)), REGION)


def follow(frames, points, persons=NOBODY, network=lambda k: False):
    """Runs `Balls`; returns it and, per frame, {id: centre} of the believed ones measured in it."""
    balls, seen = Balls(tracklet_ids(), 25.0, Stature(1080)), []
    for k in range(frames):
        balls.advance(k)
        balls.see(candidates(points(k)), persons, network(k))
        seen.append({t.id: t.measured.place[-1] for t in balls.tracks if t.id and t.last_frame == k})
    return balls, seen


def test_a_flying_ball_is_one_hypothesis_with_its_first_frames():
    balls, seen = follow(30, lambda k: [(200 + 15 * k, 600 - 4 * k)])
    assert {i for now in seen for i in now} == {1}
    assert balls.tracks[0].measured.frame[0] == 0
    assert all(seen[5:])


def test_scattered_flicker_is_hardly_ever_believed():
    random = np.random.default_rng(4)
    _, seen = follow(250, lambda k: random.uniform((0, 300), (1920, 1080), (6, 2)))
    assert len({i for now in seen for i in now}) <= 10


def test_what_trembles_on_the_spot_is_not_believed():
    random = np.random.default_rng(5)
    _, seen = follow(100, lambda k: [random.normal(500, 1.0, 2)])
    assert not any(seen)


def test_a_still_ball_is_believed_when_the_network_sees_it_twice():
    _, seen = follow(40, lambda k: [(500, 500)] if k % 6 == 0 else [], network=lambda k: True)
    assert set(seen[36]) == {1}


def test_a_ball_that_stops_keeps_its_id():
    _, seen = follow(90, lambda k: [(200 + 12 * min(k, 30), 600)])
    assert set(seen[-1]) == set(seen[20]) == {1}


def test_two_balls_that_cross_stay_two():
    def points(k):
        return [(200 + 12 * k, 500 + 3 * k), (920 - 12 * k, 500 + 3 * k + 12)]

    _, seen = follow(55, points)
    x = {i: p[0] for i, p in seen[10].items()}
    for number, start in x.items():
        assert (seen[-1][number][0] > 560) == (start < 560)


def test_a_hidden_ball_is_found_again_under_the_same_id():
    _, seen = follow(60, lambda k: [] if 25 <= k < 31 else [(200 + 10 * k, 600)])
    assert not any(seen[25:31])
    assert set(seen[-1]) == set(seen[20])


def test_a_white_shirt_is_no_ball():
    def persons(k):
        return np.array([[280.0 + 5 * k, 440, 320 + 5 * k, 560]])

    balls = Balls(tracklet_ids(), 25.0, Stature(1080))
    for k in range(30):
        balls.advance(k)
        balls.see(candidates([(300 + 5 * k, 480), (305 + 5 * k, 552)]), persons(k), seen_by_network=False)
    assert not any(track.id for track in balls.tracks)
