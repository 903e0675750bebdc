"""The compiled loops, beside what OpenCV and numpy make of the same numbers."""

import ast
import inspect
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect import blob_loops as of_blobs
from edge.detect import loops as of_pictures
from edge.track import ball_loops as of_balls
from edge.track import loops as of_tracks
from edge.track import row_loops as of_rows
from edge.track import spot_loops as of_spots
from edge.track.patch import shifts

SEEDS = st.integers(0, 10_000)


@pytest.mark.parametrize("module", [of_blobs, of_pictures, of_tracks, of_balls, of_rows, of_spots])
def test_what_is_declared_is_what_is_compiled(module):
    stub = Path(module.__file__).with_name(f"{module.__name__.rpartition('.')[2]}.pyi")
    declared = ast.parse(stub.read_text())
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
    assert of_blobs.shared(a, b) == pytest.approx(common / (sizes[0][:, None] + sizes[1] - common))


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


def test_a_mean_that_grew_beyond_white_is_shown_white():
    white, mean, shown = np.full((4, 40), 255, np.uint8), np.full((4, 40), 300, np.float32), np.zeros((4, 40), np.uint8)
    of_pictures.blend(white, mean, shown, np.zeros_like(white), 0.1, 0.01)
    assert mean == pytest.approx(np.full_like(mean, 295.5))
    assert (shown == 255).all()


@given(SEEDS, st.integers(15, 60))
def test_fewer_rows_are_opencvs_areas(seed, count):
    plane = np.random.default_rng(seed).integers(0, 256, (60, 90), np.uint8)[:, 10:50]
    into = np.empty((count, 40), np.uint8)
    of_pictures.fewer_rows(plane, into)
    wanted = cv2.resize(plane, (40, count), interpolation=cv2.INTER_AREA)
    assert np.abs(into.astype(int) - wanted).max() <= 1


@given(st.integers(0, 255), st.integers(1, 60))
def test_an_even_plane_stays_even_when_it_shrinks(level, count):
    into = np.empty((count, 40), np.uint8)
    of_pictures.fewer_rows(np.full((60, 40), level, np.uint8), into)
    assert (into == level).all()


@pytest.mark.parametrize("into", [(61, 40), (30, 41), (30, 39)])
def test_more_rows_or_another_width_are_refused(into):
    with pytest.raises(ValueError, match="larger picture"):
        of_pictures.fewer_rows(np.zeros((60, 40), np.uint8), np.zeros(into, np.uint8))


def test_a_plane_whose_columns_lie_apart_is_refused():
    with pytest.raises(ValueError, match="larger picture"):
        of_pictures.fewer_rows(np.zeros((60, 80), np.uint8)[:, ::2], np.zeros((30, 40), np.uint8))


@given(SEEDS)
def test_cells_above_their_floor_tell_boxes_by_the_mean_of_their_bins(seed):
    random = np.random.default_rng(seed)
    scores, bins = random.random((2, 5, 7), np.float32), random.normal(0, 3, (44, 5, 7)).astype(np.float32)
    found = of_pictures.cells_above(scores, bins, (0.6, 0.8), 16)
    kind, row, column = np.nonzero(scores > np.array([0.6, 0.8], np.float32)[:, None, None])
    weight = np.exp(bins[:, row, column].reshape(4, 11, -1).astype(float))
    left, up, right, down = 16 * (weight * np.arange(11)[:, None]).sum(axis=1) / weight.sum(axis=1)
    x, y = 16 * (column + 0.5), 16 * (row + 0.5)
    box = np.stack([x - left, y - up, x + right, y + down], axis=1)
    assert found[:, :4] == pytest.approx(box, abs=1e-3)
    assert found[:, 4].tolist() == scores[kind, row, column].tolist()
    assert found[:, 5].tolist() == kind.tolist()


@given(SEEDS)
def test_who_is_apart_is_who_opencv_leaves(seed):
    random = np.random.default_rng(seed)
    some, score = boxes(random, 20), random.random(20)
    corners = np.concatenate([some[:, :2], some[:, 2:] - some[:, :2]], axis=1)
    wanted = cv2.dnn.NMSBoxes(corners.tolist(), score.tolist(), 0.0, 0.2)
    assert of_blobs.apart(some, score, 0.2).tolist() == list(wanted)


@given(SEEDS)
def test_who_is_apart_is_so_from_his_own_kind_only(seed):
    random = np.random.default_rng(seed)
    some, score, kind = boxes(random, 30), random.random(30), random.integers(0, 2, 30)
    left = [row[of_blobs.apart(some[row], score[row], 0.2)] for row in (np.flatnonzero(kind == k) for k in (0, 1))]
    wanted = sorted(np.concatenate(left).tolist(), key=lambda row: -score[row])
    assert of_blobs.apart(some, score, 0.2, kind).tolist() == wanted


@given(SEEDS, st.sampled_from([(0, 0, 60, 40), (40, 20, 100, 60), (20, 10, 80, 50), (40, 0, 100, 40)]))
def test_whole_ones_keep_away_from_edges_inside_the_picture(seed, region):
    some = boxes(np.random.default_rng(seed), 30) - 10
    rows, home = of_blobs.whole_ones(some, region, (100, 60), (120, 80), 2.0)
    x0, y0, x1, y1 = region
    placed = np.clip(some, 0, (120, 80, 120, 80)) / 2 + (x0, y0, x0, y0)
    inner = (placed > (x0 + 2, y0 + 2, -1, -1)) & (placed < (999, 999, x1 - 2, y1 - 2))
    whole = (inner | [x0 == 0, y0 == 0, x1 == 100, y1 == 60]).all(axis=1)
    assert rows.tolist() == np.flatnonzero(whole).tolist()
    assert home == pytest.approx(placed[whole])


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


@given(SEEDS, st.integers(-3, 3), st.integers(-3, 3))
def test_a_shirt_is_found_where_it_went(seed, across, down):
    random = np.random.default_rng(seed)
    before = cv2.GaussianBlur(random.integers(0, 256, (80, 120), np.uint8), (0, 0), 1.5)
    now = np.roll(before, (down, across), (0, 1))
    [moved] = shifts(before, now, np.array([[50.0, 20, 66, 60]]), np.array([[across + 1.0, down - 1.0]]))
    assert moved == pytest.approx((across, down), abs=0.3)


def found_again(moved):
    """Rows of what was."""
    return np.flatnonzero(~np.isnan(moved).any(axis=1)).tolist()


def test_what_has_no_pattern_or_leaves_the_picture_is_not_found():
    even, noise = np.full((80, 120), 90, np.uint8), np.random.default_rng(1).integers(0, 256, (80, 120), np.uint8)
    inside, aside, nowhere = [50.0, 20, 66, 60], [110.0, 20, 130, 60], np.zeros((1, 2))
    assert not found_again(shifts(even, even, np.array([inside]), nowhere))
    assert not found_again(shifts(noise, noise, np.array([aside]), nowhere))
    assert not found_again(shifts(noise, np.roll(noise, 30, 1), np.array([inside]), nowhere))
    assert found_again(shifts(noise, noise, np.array([inside]), nowhere))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e300])
def test_a_place_that_is_none_is_not_found_and_harms_nobody(broken):
    noise = np.random.default_rng(1).integers(0, 256, (80, 120), np.uint8)
    good = [50.0, 20, 66, 60]
    for side in range(4):
        bad = [broken if k == side else v for k, v in enumerate(good)]
        assert found_again(shifts(noise, noise, np.array([bad, good]), np.zeros((2, 2)))) == [1]
    assert found_again(shifts(noise, noise, np.array([good, good]), np.array([[0.0, broken], [0, 0]]))) == [1]
