"""The compiled loops, beside what OpenCV and numpy make of the same numbers."""

import ast
import inspect
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect import loops as of_pictures
from edge.track import loops as of_tracks
from edge.track.ball import HYPOTHESIS, WITHIN
from edge.track.patch import shifts
from edge.track.paths import Paths
from edge.track.people import TRACK

SEEDS = st.integers(0, 10_000)


@pytest.mark.parametrize("module", [of_pictures, of_tracks])
def test_what_is_declared_is_what_is_compiled(module):
    declared = ast.parse(Path(module.__file__).with_name("loops.pyi").read_text())
    functions = {it.name: [a.arg for a in it.args.args] for it in declared.body if isinstance(it, ast.FunctionDef)}
    compiled = {name: it for name, it in vars(module).items() if not name.startswith("_") and callable(it)}
    assert {name: list(inspect.signature(it).parameters) for name, it in compiled.items()} == functions
    assert all(ast.get_docstring(it) for it in declared.body if isinstance(it, ast.FunctionDef))


def boxes(random, count):
    corner, size = random.uniform(0, 90, (count, 2)), random.uniform(1, 40, (count, 2))
    return np.concatenate([corner, corner + size], axis=1)


@given(SEEDS)
def test_shared_is_intersection_over_union(seed):
    random = np.random.default_rng(seed)
    a, b = boxes(random, 5), boxes(random, 7)
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    sizes = [(each[:, 2:] - each[:, :2]).prod(axis=1) for each in (a, b)]
    assert of_pictures.shared(a, b) == pytest.approx(common / (sizes[0][:, None] + sizes[1] - common))


@given(SEEDS)
def test_a_torso_is_hidden_by_a_nearer_box_that_covers_more_than_that_share_of_it(seed):
    all_boxes = boxes(np.random.default_rng(seed), 7)
    told = of_tracks.hidden(all_boxes, 0.2, 0.5, 0.25)
    for one, (x0, y0, x1, y1) in enumerate(all_boxes):
        torso = np.array([[x0, y0 + 0.2 * (y1 - y0), x1, y0 + 0.5 * (y1 - y0)]])
        nearer = all_boxes[all_boxes[:, 3] > y1]
        low, high = np.maximum(torso[:, :2], nearer[:, :2]), np.minimum(torso[:, 2:], nearer[:, 2:])
        covered = np.maximum(high - low, 0).prod(axis=1) / (torso[0, 2:] - torso[0, :2]).prod()
        assert told[one] == (covered > 0.25).any()


@given(SEEDS)
def test_torsos_are_sampled_at_even_steps_and_never_outside_of_the_picture(seed):
    random = np.random.default_rng(seed)
    luma, blue, red = (random.integers(16, 236, size, np.uint8) for size in ((60, 80), (30, 40), (30, 40)))
    all_boxes = boxes(random, 5) - 15
    told = of_tracks.torsos(luma, blue, red, all_boxes, (0.2, 0.1, 0.8, 0.5), 4)
    for (x0, y0, x1, y1), samples in zip(all_boxes, told, strict=True):
        x = np.clip(np.linspace(x0 + 0.2 * (x1 - x0), x0 + 0.8 * (x1 - x0), 4).astype(int), 0, 79)
        y = np.clip(np.linspace(y0 + 0.1 * (y1 - y0), y0 + 0.5 * (y1 - y0), 4).astype(int), 0, 59)
        light = (luma[np.ix_(y, x)].ravel().astype(float) - 16) * 255 / 219
        assert np.abs(samples[:, 0] - light).max() <= 1
        assert np.array_equal(samples[:, 1], red[np.ix_(y // 2, x // 2)].ravel())
        assert np.array_equal(samples[:, 2], blue[np.ix_(y // 2, x // 2)].ravel())


@given(SEEDS)
def test_differs_marks_other_colours_brighter_and_much_darker_pixels(seed):
    random = np.random.default_rng(seed)
    luma, blue, red, darkest, usual_blue, usual_red = random.integers(0, 256, (6, 9, 37), np.uint8)
    brightest, mask = random.integers(darkest, 256).astype(np.uint8), np.empty_like(luma)
    most = int(random.integers(0, 256))
    of_pictures.differs(luma, blue, red, darkest, brightest, usual_blue, usual_red, most, mask)
    off = cv2.absdiff(blue, usual_blue).astype(int) + cv2.absdiff(red, usual_red)
    assert np.array_equal(mask == 255, (luma < darkest) | (luma > brightest) | (off > most))
    assert set(np.unique(mask)) <= {0, 255}


@given(SEEDS, st.integers(1, 5), st.integers(0, 4), st.integers(0, 4))
def test_above_is_what_opencv_leaves_of_a_picture_less_its_enlarged_background(seed, factor, right, down):
    random = np.random.default_rng(seed)
    behind = random.integers(0, 200, (12, 20), np.uint8)
    # What does not fill another motion pixel is as its neighbour is.
    right, down = min(right, factor - 1), min(down, factor - 1)
    wide = cv2.resize(behind, (20 * factor, 12 * factor), interpolation=cv2.INTER_LINEAR)
    wide = cv2.copyMakeBorder(wide, 0, down, 0, right, cv2.BORDER_REPLICATE)
    luma = random.integers(0, 256, wide.shape, np.uint8)
    x0, y0 = int(random.integers(0, 15 * factor + 1 + right)), int(random.integers(0, 8 * factor + 1 + down))
    window = of_pictures.above(luma, behind, factor, x0, y0, x0 + 5 * factor, y0 + 4 * factor, 0.0, 0.0)
    wanted = cv2.subtract(luma, wide)[y0 : y0 + 4 * factor, x0 : x0 + 5 * factor]
    assert np.abs(window.astype(int) - wanted).max() <= 1


def test_a_mean_that_grew_beyond_white_is_shown_white():
    white, mean, shown = np.full((4, 40), 255, np.uint8), np.full((4, 40), 300, np.float32), np.zeros((4, 40), np.uint8)
    of_pictures.blend(white, mean, shown, np.zeros_like(white), 0.1, 0.01)
    assert mean == pytest.approx(np.full_like(mean, 295.5))
    assert (shown == 255).all()


@given(SEEDS)
def test_the_best_window_is_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    need, ball_need = random.uniform(0, 1, (2, 6, 9))
    sees, sees_ball = random.uniform(0, 1, (2, 2, 6))
    shapes = np.array([(0, 2, 3), (0, 3, 1), (1, 1, 4)])
    row, column = ((-1, -1), (int(random.integers(6)), int(random.integers(9))))[seed % 2]
    worth = {}
    for nth, (level, h, w) in enumerate(shapes.tolist()):
        value = sees[level][:, None] * need + sees_ball[level][:, None] * ball_need
        for y in range(6 - h + 1):
            for x in range(9 - w + 1):
                holds = y <= row < y + h and x <= column < x + w and sees[level, row] >= 0.3
                if row < 0 or holds:
                    worth[nth, y, x] = value[y : y + h, x : x + w].sum()
    found = of_pictures.best_window(need, ball_need, sees, sees_ball, shapes, row, column, 0.3)
    assert worth.get(found, 0.0) == pytest.approx(max(worth.values(), default=0.0))


@given(SEEDS, st.integers(2, 5))
def test_normed_sums_of_products_are_opencvs_correlation(seed, half):
    random = np.random.default_rng(seed)
    front, side = random.integers(0, 256, (20, 24), np.uint8), 2 * half + 1
    part = random.integers(0, 256, (side, side), np.uint8)
    level = part - part.mean()
    match = cv2.matchTemplate(front.astype(np.float32), np.float32(level / np.linalg.norm(level)), cv2.TM_CCORR)
    of_pictures.norm(front, side, match)
    assert match == pytest.approx(cv2.matchTemplate(front, part, cv2.TM_CCOEFF_NORMED), abs=1e-4)


@given(SEEDS, st.integers(-3, 3), st.integers(-3, 3))
def test_a_shirt_is_found_where_it_went(seed, across, down):
    random = np.random.default_rng(seed)
    before = cv2.GaussianBlur(random.integers(0, 256, (80, 120), np.uint8), (0, 0), 1.5)
    now = np.roll(before, (down, across), (0, 1))
    rows, moved = shifts(before, now, np.array([[50.0, 20, 66, 60]]), np.array([[across + 1.0, down - 1.0]]))
    assert rows.tolist() == [0]
    assert moved[0] == pytest.approx((across, down), abs=0.3)


def test_what_has_no_pattern_or_leaves_the_picture_is_not_found():
    even, noise = np.full((80, 120), 90, np.uint8), np.random.default_rng(1).integers(0, 256, (80, 120), np.uint8)
    inside, aside, nowhere = [50.0, 20, 66, 60], [110.0, 20, 130, 60], np.zeros((1, 2))
    assert not len(shifts(even, even, np.array([inside]), nowhere)[0])
    assert not len(shifts(noise, noise, np.array([aside]), nowhere)[0])
    assert not len(shifts(noise, np.roll(noise, 30, 1), np.array([inside]), nowhere)[0])
    assert len(shifts(noise, noise, np.array([inside]), nowhere)[0])


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e300])
def test_a_place_that_is_none_is_not_found_and_harms_nobody(broken):
    noise = np.random.default_rng(1).integers(0, 256, (80, 120), np.uint8)
    good = [50.0, 20, 66, 60]
    for side in range(4):
        bad = [broken if k == side else v for k, v in enumerate(good)]
        assert shifts(noise, noise, np.array([bad, good]), np.zeros((2, 2)))[0].tolist() == [1]
    assert shifts(noise, noise, np.array([good, good]), np.array([[0.0, broken], [0, 0]]))[0].tolist() == [1]


@given(st.lists(st.integers(0, 60), unique=True, max_size=20).map(sorted), st.integers(0, 60), st.integers(1, 5))
def test_joined_frames_fill_short_gaps_only(frame, first, most_apart):
    wanted = {between for one, other in pairwise(frame) if other - one <= most_apart for between in range(one, other)}
    asked = of_tracks.joined(np.array(frame, np.int64), first, most_apart)
    assert asked.tolist() == [one for one in sorted(wanted | set(frame)) if one >= first]


def hypotheses(random, count):
    balls = np.zeros(count, HYPOTHESIS)
    balls["id"] = random.integers(0, 2, count) * random.integers(1, 90, count)
    balls["hits"], balls["alone"] = random.integers(1, 4, count), random.integers(0, 3, count)
    balls["last_frame"] = random.integers(90, 101, count)
    balls["diameter"], balls["tall"] = random.uniform(3, 20, count), random.uniform(20, 160, count)
    balls["recent_frame"] = np.sort(random.integers(80, 101, (count, WITHIN)), axis=1)
    balls["recent"] = random.uniform(0, 90, (count, WITHIN, 2))
    return balls


def paths(random, count):
    found = Paths()
    found.add(random.uniform(0, 90, (count, 2)), random.uniform(1, 9, count), random.uniform(1, 9, count))
    found.speed[:] = random.uniform(-3, 3, (count, 2))
    return found


def tracks(random, count):
    persons = np.zeros(count, TRACK)
    persons["id"] = random.integers(0, 2, count)
    persons["last_frame"], persons["unseen"] = random.integers(90, 101, count), random.integers(0, 9, count)
    persons["start"], persons["size"] = random.uniform(0, 90, (count, 2)), random.uniform(10, 60, (count, 2))
    persons["carried"], persons["moved"] = 3, random.integers(0, 2, count)
    return persons


def corrected(place, speed, cov, measured, variance):
    """One point's place, speed and covariance after Kalman's correction, by its matrices."""
    before = np.array([[cov[0], cov[1]], [cov[1], cov[2]]])
    gain = before @ [1.0, 0.0] / (cov[0] + variance)
    after = before - np.outer(gain, [1.0, 0.0]) @ before
    off = measured - place
    return place + gain[0] * off, speed + gain[1] * off, np.array([after[0, 0], after[0, 1], after[1, 1]])


@given(SEEDS)
def test_who_is_not_believed_is_overdue_twice_as_soon(seed):
    persons = tracks(np.random.default_rng(seed), 30)
    share = np.where(persons["id"] > 0, 1, 2)
    gone = (100 - persons["last_frame"] > 7 // share) | (persons["unseen"] >= 8 // share)
    assert of_tracks.overdue(persons, 100, 7, 8).tolist() == gone.tolist()


@given(SEEDS)
def test_where_somebody_stood_corrects_his_track(seed):
    random = np.random.default_rng(seed)
    persons, them, rows = tracks(random, 6), paths(random, 6), random.permutation(6)[:4]
    before, feet = persons.copy(), random.uniform(0, 90, (4, 2))
    place, speed, cov = (part.copy() for part in (them.place, them.speed, them.cov))
    found = of_tracks.stood(persons, them.place, them.speed, them.cov, rows, feet, 100, 0.1, 1.0, 4, 1.5)
    assert found == pytest.approx((0.1 * before["size"][rows, 1]) ** 2 + 1)
    for row, foot, variance in zip(rows, feet, found, strict=True):
        place[row], speed[row], cov[row] = corrected(place[row], speed[row], cov[row], foot, variance)
    assert them.place == pytest.approx(place)
    assert them.speed == pytest.approx(speed)
    assert them.cov == pytest.approx(cov)
    assert (persons["last_frame"][rows] == 100).all()
    assert (persons["carried"][rows] == 0).all()
    assert (persons["evidence"][rows] == before["evidence"][rows] + 4).all()
    far = np.linalg.norm(place - before["start"], axis=1) > 1.5 * before["size"][:, 1]
    assert persons["moved"][rows].tolist() == (before["moved"] | far)[rows].tolist()
    others = np.delete(np.arange(6), rows)
    assert (persons[others] == before[others]).all()


def test_a_filter_learns_the_speed():
    persons, them = np.zeros(1, TRACK), Paths()
    persons["size"] = 20.0
    them.add(np.array([[0.0, 0.0]]), np.array([4.0]), np.array([25.0]))
    for k in range(1, 40):
        them.step(np.array([0.3]))
        foot = np.array([[5.0 * k, -2.0 * k]])
        of_tracks.stood(persons, them.place, them.speed, them.cov, np.array([0]), foot, k, 0.1, 0.0, 1, 1.5)
    assert them.speed[0] == pytest.approx((5, -2), abs=0.4)


@given(SEEDS)
def test_a_ball_is_given_up_the_sooner_the_less_speaks_for_it(seed):
    random = np.random.default_rng(seed)
    balls, them = hypotheses(random, 30), paths(random, 30)
    balls["sightings"] = random.integers(0, 2, 30)
    seen, proven = balls["sightings"] > 0, (balls["sightings"] > 0) | (balls["id"] > 0)
    lies = seen & (np.linalg.norm(them.speed, axis=1) < 0.1 * balls["diameter"])
    patience = np.where(lies, 8, np.where(proven, 5, np.where(balls["hits"] < 3, 2, 4)))
    found = of_tracks.lost(balls, them.speed, 100, 0.1, 3, 5, 8)
    assert found.tolist() == (100 - balls["last_frame"] > patience).tolist()


@given(SEEDS)
def test_a_ball_goes_on_only_as_far_as_it_may(seed):
    random = np.random.default_rng(seed)
    balls, them, centre = hypotheses(random, 5), paths(random, 5), random.uniform(0, 90, (4, 2))
    barred, passing = random.integers(0, 2, 4, np.uint8), random.integers(0, 2, 5, np.uint8)
    cost = of_tracks.costs(balls, them.place, them.cov, centre, barred, passing, 4.0, 0.1, 0.5, 10.0)
    furthest = 0.5 * balls["tall"]
    gate = np.minimum(4 * np.sqrt(them.cov[:, 0]) + 0.1 * balls["tall"], furthest)
    far = np.linalg.norm(them.place[:, None] - centre, axis=2) / np.where(balls["hits"] < 2, furthest, gate)[:, None]
    may = (far < 1) & ((barred == 0) | (passing[:, None] == 1))
    assert cost == pytest.approx(np.where(may, far - 2.0 * (balls["id"] > 0)[:, None], 10.0))


@given(SEEDS)
def test_the_believed_are_sought_first(seed):
    balls = hypotheses(np.random.default_rng(seed), 9)
    unseen = 100 - balls["last_frame"]
    due = np.flatnonzero((unseen > 0) & (unseen <= 6) & ((balls["id"] > 0) | (balls["alone"] > 0)))
    first = due[np.lexsort((-balls["alone"][due], balls["id"][due] == 0))][:4]
    assert of_tracks.sought(balls, 100, 6, 4).tolist() == first.tolist()


@given(SEEDS)
def test_what_is_measured_is_written_down_once_a_frame(seed):
    random = np.random.default_rng(seed)
    balls, them, rows = hypotheses(random, 6), paths(random, 6), random.permutation(6)[:4]
    before = balls.copy()
    filters = [part.copy() for part in (them.place, them.speed, them.cov)]
    centre, at_person = random.uniform(0, 90, (4, 2)), random.integers(0, 2, 4, np.uint8)
    found = of_tracks.measured(balls, them.place, them.speed, them.cov, rows, centre, at_person, 100, 0.25, 0.3)
    assert found == pytest.approx((0.25 * before["diameter"][rows]) ** 2 + 0.3)
    for nth, row in enumerate(rows):
        was, now, gap = before[row], balls[row], 100 - before[row]["last_frame"]
        assert (now["hits"], now["last_frame"]) == (was["hits"] + 1, 100)
        assert now["at_person"] == was["at_person"] + at_person[nth]
        fresh = was["recent_frame"][-1] < 100
        kept = was["recent_frame"][1:] if fresh else was["recent_frame"][:-1]
        assert now["recent_frame"].tolist() == [*kept, 100]
        assert now["recent"][-1].tolist() == centre[nth].tolist()
        assert now["recent"][0].tolist() == was["recent"][int(fresh)].tolist()
        if was["hits"] == 1 and gap > 0:
            assert them.place[row].tolist() == centre[nth].tolist()
            speed = (centre[nth] - filters[0][row] + filters[1][row]) / gap
            assert them.speed[row] == pytest.approx(speed)
        else:
            place, speed, cov = corrected(*(part[row] for part in filters), centre[nth], found[nth])
            assert them.place[row] == pytest.approx(place)
            assert them.speed[row] == pytest.approx(speed)
            assert them.cov[row] == pytest.approx(cov)


def test_records_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="mismatch"):
        of_tracks.sought(np.zeros(3, [("number", np.int64)]), 100, 6, 4)
