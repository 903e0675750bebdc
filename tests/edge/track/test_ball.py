import numpy as np
import pytest

from edge.detect.background import Front
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


def follow(frames, points, persons=lambda k: NOBODY, network=lambda k: False, radius=4.0):
    """Runs `Balls`; returns it and, per frame, {id: centre} of the believed ones measured in it."""
    balls, seen = Balls(tracklet_ids(), 25.0, Stature(1080)), []
    for k in range(frames):
        balls.advance(k)
        balls.see(candidates(points(k), radius), persons(k), network(k))
        seen.append({int(t["id"]): tuple(t["recent"][-1]) for t in measured_in(balls, k) if t["id"]})
    return balls, seen


def measured_in(balls, frame):
    return [track for track in balls.tracks if track["last_frame"] == frame]


def test_a_flying_ball_is_one_hypothesis_with_its_first_frames():
    balls, seen = follow(30, lambda k: [(200 + 15 * k, 600 - 4 * k)])
    assert {i for now in seen for i in now} == {1}
    series = balls.measured.series()
    assert series.frame[series.number == balls.tracks["number"][0]][0] == 0
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


def test_what_the_network_sees_in_pictures_that_follow_each_other_is_seen_once():
    _, seen = follow(40, lambda k: [(500, 500)] if k < 10 else [], network=lambda k: True)
    assert not any(seen)


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


def person_at(k):
    return np.array([[280.0 + 5 * k, 440, 320 + 5 * k, 560]])


def test_a_white_shirt_is_no_ball():
    _, seen = follow(30, lambda k: [(300 + 5 * k, 480)], persons=person_at)
    assert not any(seen)


def front_with(point, radius=4.0):
    """What `Balls.search` looks through: a disc at `point` on nothing."""
    luma = np.zeros((1080, 1920), np.uint8)
    left, top = (round(at - 4 * radius) for at in point)
    y, x = np.mgrid[top : top + round(8 * radius), left : left + round(8 * radius)]
    far = np.hypot(x + 0.5 - point[0], y + 0.5 - point[1])
    luma[y, x] = np.round(90 * np.clip(radius + 0.5 - far, 0, 1))
    return Front(luma, np.zeros_like(luma), 1, np.zeros(2))


def test_nothing_is_found_while_nobody_can_tell_what_stands_in_front():
    balls = Balls(tracklet_ids(), 25.0, Stature(1080))
    balls.advance(0)
    balls.see(candidates([(310, 552)]), NOBODY, seen_by_network=False)
    balls.advance(1)
    balls.search(None, NOBODY)
    assert not measured_in(balls, 1)
    balls.search(front_with((310, 552)), NOBODY)
    assert len(measured_in(balls, 1)) == 1


def follow_feet(frames, alone):
    """A ball at somebody's feet, a blob for itself in the frames `alone`; per frame, whether it was measured there."""
    balls, seen = Balls(tracklet_ids(), 25.0, Stature(1080)), []
    for k in range(frames):
        balls.advance(k)
        point = (310 + 5 * k, 552)
        balls.see(candidates([point] if alone(k) else []), person_at(k), seen_by_network=False)
        balls.search(front_with(point), person_at(k))
        seen.append([t for t in measured_in(balls, k) if np.hypot(*(t["recent"][-1] - point)) < 2])
    return seen


def test_a_dribbled_ball_is_followed_through_the_frames_in_which_it_touches_the_foot():
    seen = follow_feet(40, lambda k: k % 3 == 0)
    assert np.mean([bool(tracks) for tracks in seen]) > 0.9
    assert seen[-1][0]["id"]
    assert sum(track["number"] == seen[-1][0]["number"] for tracks in seen for track in tracks) > 35


def test_a_sock_that_never_leaves_the_leg_is_no_ball():
    seen = follow_feet(40, lambda k: k in (0, 20))
    assert not any(track["id"] for tracks in seen for track in tracks)


def test_a_sock_that_is_seen_alone_now_and_then_is_no_ball_however_long_it_is_followed():
    seen = follow_feet(300, lambda k: k % 6 == 0)
    assert not any(track["id"] for tracks in seen for track in tracks)


def test_what_was_a_foot_for_long_is_believed_soon_after_it_becomes_the_ball_that_is_kicked():
    balls, kicked = Balls(tracklet_ids(), 25.0, Stature(1080)), 80
    for k in range(kicked + 10):
        point = (310 + 5 * k + 6 * max(0, k - kicked), 552)
        balls.advance(k)
        balls.see(candidates([point] if k > kicked or k % 12 == 0 else []), person_at(k), seen_by_network=False)
        balls.search(front_with(point), person_at(k))
        assert k > kicked or not balls.believed.any()
    assert balls.believed.any()


@pytest.mark.parametrize(("height", "remains"), [(540, False), (555, True)])
def test_what_stays_on_a_shin_is_given_up_and_what_stays_at_the_foot_is_not(height, remains):
    balls = Balls(tracklet_ids(), 25.0, Stature(1080))
    for k in range(80):
        balls.advance(k)
        persons = person_at(k) if k > 10 else NOBODY
        balls.see(candidates([(310 + 5 * k, height)]), persons, seen_by_network=False)
        balls.search(front_with((310 + 5 * k, height)), persons)
        if k == 10:
            assert balls.tracks["id"].tolist() == [1]
    assert (1 in balls.tracks["id"]) == remains
    assert not len(balls.over)


def test_the_network_is_not_believed_about_a_shin_beside_the_box():
    _, seen = follow(60, lambda k: [(300 + 5 * k - 40, 540)] if k % 6 == 0 else [], person_at, network=lambda k: True)
    assert not any(seen)


def test_a_fast_ball_keeps_its_id_when_it_crosses_a_player():
    _, seen = follow(30, lambda k: [(100 + 16 * k, 500)], persons=lambda k: np.array([[330.0, 440, 370, 560]]))
    assert set(seen[-1]) == {1}
    assert all(seen[8:])


def test_a_ball_in_the_air_may_move_faster_than_the_ground_behind_it_allows():
    _, seen = follow(12, lambda k: [(100 + 65 * k, 250)], radius=7.0)
    assert set(seen[-1]) == {1}


def test_what_the_network_takes_for_a_ball_at_somebodys_body_is_not_believed():
    _, seen = follow(60, lambda k: [(300 + 5 * k, 552)] if k % 6 == 0 else [], person_at, network=lambda k: True)
    assert not any(seen)


def test_what_the_network_sees_too_large_for_the_ground_does_not_lie_there():
    _, seen = follow(40, lambda k: [(500, 500)] if k % 6 == 0 else [], network=lambda k: True, radius=8.0)
    assert not any(seen)


def test_a_believed_ball_on_its_way_is_where_to_look_and_a_still_or_unproven_one_hardly():
    flying, _ = follow(30, lambda k: [(200 + 15 * k, 600 - 4 * k)])
    still, _ = follow(40, lambda k: [(500, 500)] if k % 6 == 0 else [], network=lambda k: True)
    newborn, _ = follow(3, lambda k: [(200 + 15 * k, 600 - 4 * k)])
    [place], [much] = flying.chances
    assert place == pytest.approx((200 + 15 * 29, 600 - 4 * 29), abs=4)
    for less in (still, newborn):
        assert 0 < less.chances[1].max() < 0.5 * much
    assert follow(1, lambda k: [])[0].chances[0].shape == (0, 2)
