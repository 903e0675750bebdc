import numpy as np
import pytest

from edge.detect.background import Background, _median_of_five
from edge.detect.motion import MotionDetector
from edge.detect.picture import planes_of
from edge.frame import Frame
from wire.tracks import Kind

BLUE = (200, 60, 40)


def run(stage, pictures):
    detector = MotionDetector(stage.width, stage.height, 25.0)
    return [detector.detect(Frame(p, k * 40_000_000, k)) for k, p in enumerate(pictures)], detector


def balls_near(found, x, y, reach=4.0):
    balls = found.of(Kind.BALL)
    return np.hypot(*((balls.box[:, :2] + balls.box[:, 2:]) / 2 - (x, y)).T) < reach


def test_a_flying_ball_is_a_candidate_in_nearly_every_frame(stage):
    path = [(100 + 9 * k, 350 - 3 * k) for k in range(70)]
    found, _ = run(stage, [stage.picture(balls=[(x, y, 3.0)]) for x, y in path])
    hits = [balls_near(f, x, y).any() for f, (x, y) in zip(found, path, strict=True)]
    assert np.mean(hits[25:]) > 0.95


def test_a_cloud_does_not_flood_the_picture(stage):
    lights = [1.0] * 30 + [1.0 - 0.012 * k for k in range(25)] + [0.7] * 10
    found, _ = run(stage, [stage.picture(light=light) for light in lights])
    assert max(len(f.box) for f in found) <= 2


def test_somebody_is_still_found_while_the_light_changes(stage):
    frames = 50
    people = [[(200 + 6 * k, 400, 100, BLUE)] for k in range(frames)]
    found, _ = run(stage, [stage.picture(p, light=1.0 - 0.006 * k) for k, p in enumerate(people)])
    x, foot, *_ = people[-1][0]
    boxes = found[-1].of(Kind.PERSON).box
    assert any(abs((b[0] + b[2]) / 2 - x) < 10 and abs(b[3] - foot) < 8 for b in boxes)


def test_the_place_somebody_left_is_grass_again(stage):
    still, walks = [(300, 400, 100, BLUE)] * 15, [(300 + 6 * k, 400, 100, BLUE) for k in range(45)]
    found, detector = run(stage, [stage.picture([person]) for person in still + walks])
    middle = (detector.blobs.box[:, 0] + detector.blobs.box[:, 2]) / 2
    assert not ((middle > 260) & (middle < 340) & (detector.blobs.area > 100)).any()
    assert found[-1].of(Kind.PERSON).box.size


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_kept_stays_in_front_and_what_is_not_fades(stage, kept):
    detector = MotionDetector(stage.width, stage.height, frames_per_second=5.0)
    for k in range(170):
        balls = [(400.0, 300.0, 4.0)] if k > 65 else []
        if kept and detector.background.learns:
            detector.kept = np.array([[390.0, 290, 410, 310]])
        detector.detect(Frame(stage.picture(balls=balls), k * 200_000_000, k))
    near = np.hypot(*(detector.blobs.centre - (400, 300)).T) < 8
    assert near.any() == kept


def test_the_exchange_network_gives_the_median():
    values = np.random.default_rng(0).integers(0, 256, (5, 40, 40), dtype=np.uint8)
    assert (_median_of_five(list(values)) == np.median(values, axis=0)).all()


def test_swarms_of_flickering_leaves_are_no_balls_and_a_ball_beside_them_is(stage):
    random = np.random.default_rng(3)
    leaves = random.uniform((600, 60), (690, 110), (60, 2))
    pictures = []
    for k in range(70):
        moved = leaves[random.permutation(60)[:30]]
        pictures.append(stage.picture(balls=[*((x, y, 2.0) for x, y in moved), (100 + 6 * k, 300, 3.0)]))
    found, _ = run(stage, pictures)
    balls = [f.of(Kind.BALL).box for f in found[30:]]
    assert np.mean([(box[:, 1] < 150).sum() for box in balls]) < 1.5
    assert all(balls_near(f, 100 + 6 * k, 300).any() for k, f in list(enumerate(found))[30:])


def test_a_camera_that_makes_the_small_copy_itself_spares_the_node_from_shrinking_the_picture(stage):
    """The full picture's luma is then not even looked at, and what is found is the same."""
    painter = type(stage)(640, 360)
    alone, served = (Background(1280, 720, 25.0) for _ in range(2))
    none = np.zeros((0, 4))
    for k in range(30):
        small = painter.picture([(200 + 6 * k, 330, 80, BLUE)])
        luma, *chromas = (plane.repeat(2, axis=0).repeat(2, axis=1) for plane in planes_of(small))
        wide = np.concatenate([plane.reshape(-1) for plane in chromas]).reshape(360, 1280)
        mine = alone.look(np.vstack([luma, wide]), none)
        theirs = served.look(np.vstack([np.zeros_like(luma), wide]), none, small)
    assert alone.factor == served.factor == 2
    assert mine.mask.any()
    for name in ("mask", "luma", "behind"):
        assert np.array_equal(getattr(mine, name), getattr(theirs, name))


def test_what_was_there_all_the_time_does_not_differ_from_the_scene_and_what_came_does(stage):
    _, detector = run(stage, [stage.picture(balls=[(300, 300, 4.0), (110 + 10 * k, 400, 4.0)]) for k in range(50)])
    old, new = [296, 296, 304, 304], [596, 396, 604, 404]
    assert detector.differs(np.array([old, new], np.float64)).tolist() == [False, True]


def test_before_the_scene_is_known_anything_may_differ(stage):
    _, detector = run(stage, [stage.picture()])
    assert detector.differs(np.array([[10.0, 10, 20, 20]])).tolist() == [True]
