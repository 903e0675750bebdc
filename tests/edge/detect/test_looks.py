import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect.detector import Detections, without_doubles
from edge.detect.looks import MOST_SCALE, NEAR, PASS_PIXELS, STEP, Look, closest, uniform
from edge.detect.network import brought_home
from edge.detect.picture import planes_of, small_bgr, small_rgb
from edge.detect.stature import Stature
from wire.tracks import Kind


def persons(boxes):
    box = np.array(boxes, np.float64)
    return Detections(box, np.full(len(box), 0.8), np.full(len(box), int(Kind.PERSON)), (0, 0, 1920, 1080))


def in_a_square(part):
    """A look of a network that sees 640 x 640."""
    sides = (part[2] - part[0], part[3] - part[1])
    return Look(part, *(max(2, 2 * round(320 * side / max(sides))) for side in sides))


sides = st.integers(16, 2200).map(lambda v: 2 * v)


@given(sides, sides)
def test_every_look_fits_the_network_and_costs_about_the_same(width, height):
    look = closest((10, 20, 10 + width, 20 + height))
    assert look.region == (10, 20, 10 + width, 20 + height)
    assert look.width % STEP == look.height % STEP == 0
    assert look.width * look.height > 0
    if min(width, height) > 200:
        assert look.width * look.height < 1.3 * PASS_PIXELS
        assert max(look.scale) < 1.2 * MOST_SCALE


@given(st.integers(320, 2200).map(lambda v: 2 * v), st.integers(180, 1300).map(lambda v: 2 * v))
def test_uniform_tiles_cover_the_picture_near_enough_and_none_is_alike(width, height):
    whole, *tiles = uniform(width, height, in_a_square)
    assert whole.region == (0, 0, width, height)
    assert len(set(tiles)) == len(tiles)
    seen = np.zeros((height, width), bool)
    for look in tiles or [whole]:
        x0, y0, x1, y1 = look.region
        assert all(v % 2 == 0 for v in look.region)
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert min(look.scale) > 0.99 * NEAR
        seen[y0:y1, x0:x1] = True
    assert seen.all()


def test_neighbouring_tiles_have_a_share_in_common():
    _, left, right = uniform(1920, 1080, in_a_square)
    assert left.region[2] - right.region[0] > 0.1 * (right.region[2] - right.region[0])


def test_what_a_look_cuts_is_left_to_the_look_that_sees_it_whole():
    look = Look((100, 0, 500, 300), 200, 150)
    inside, cut_left, cut_below, at_the_top = [20, 20, 40, 80], [0, 20, 15, 80], [50, 100, 70, 150], [90, 0, 99, 30]
    box = np.array([cut_left, inside, cut_below, at_the_top], np.float64)
    kind = np.full(4, int(Kind.PERSON))
    found = brought_home(look, box, np.array([0.9, 0.5, 0.8, 0.6]), kind, 1920, 1080)
    assert found.box.tolist() == [[280, 0, 298, 60], [140, 40, 180, 160]]
    assert found.score.tolist() == [0.6, 0.5]
    assert found.region == look.region


def test_planes_share_memory_with_the_picture_and_hold_it_all():
    picture = np.arange(12 * 6 // 4 * 4 * 9 // 6, dtype=np.uint8)[: 6 * 8 * 3 // 2].reshape(9, 8)
    luma, blue, red = planes_of(picture)
    assert (luma.shape, blue.shape, red.shape) == ((6, 8), (3, 4), (3, 4))
    assert np.shares_memory(luma, picture)
    assert (np.concatenate([p.ravel() for p in (luma, blue, red)]) == picture.ravel()).all()


def test_a_resized_part_has_the_colours_of_the_part(stage):
    picture = stage.picture([(200, 400, 300, (40, 40, 200))], noise=0)
    shirt = small_bgr(picture, (180, 180, 220, 230), 32, 32)
    assert np.median(shirt.reshape(-1, 3), axis=0) == pytest.approx((40, 40, 200), abs=12)
    assert (small_rgb(picture, (180, 180, 220, 230), 32, 32) == shirt[..., ::-1]).all()


def test_of_overlapping_boxes_the_strongest_remains():
    box = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10]], np.float64)
    assert without_doubles(box, np.array([0.5, 0.9, 0.2]), 0.5).tolist() == [1, 2]


def test_stature_learns_how_persons_grow_towards_the_camera():
    stature = Stature(1080)
    random = np.random.default_rng(3)
    for _ in range(30):
        foot = random.uniform(250, 1000, 20)
        tall = (0.17 * foot - 10) * random.normal(1, 0.05, 20)
        stature.learn(np.stack([foot * 0, foot - tall, foot * 0 + 20, foot], axis=1))
    rows = np.array([300.0, 600.0, 900.0])
    assert stature.at(rows) == pytest.approx(0.17 * rows - 10, rel=0.06)


def test_a_look_goes_where_its_picture_was_pushed():
    look = Look((100, 40, 740, 400), 640, 360)
    assert look.moved(np.array([2.6, -3.4])) == Look((103, 37, 743, 397), 640, 360)
