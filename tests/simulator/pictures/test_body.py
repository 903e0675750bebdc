import numpy as np
import pytest

from simulator.pictures.body import (
    ELEVATIONS_DEG,
    PHASES,
    PX_PER_M,
    STATURE_M,
    VIEWS,
    Garment,
    Posture,
    nearest_elevation,
    template,
)


def rows_of(shape, garment):
    return np.nonzero(shape.garment == garment)[0]


@pytest.mark.parametrize("view", range(0, VIEWS, 3))
@pytest.mark.parametrize("posture", [Posture.STAND, Posture.WALK, Posture.RUN])
def test_a_standing_or_moving_figure_is_as_tall_as_a_person_with_its_head_up(posture, view):
    shape = template(posture, 2, view, 0)
    rows = np.flatnonzero(shape.garment.any(axis=1))
    tall_m = (rows[-1] - rows[0] + 1) / PX_PER_M
    assert STATURE_M - 0.22 < tall_m < STATURE_M + 0.15
    assert rows_of(shape, Garment.HAIR).mean() < rows_of(shape, Garment.SHIRT).mean()
    assert rows_of(shape, Garment.SHIRT).mean() < rows_of(shape, Garment.SHORTS).mean()
    assert rows_of(shape, Garment.SHORTS).mean() < rows_of(shape, Garment.SHOE).mean()


def test_a_face_shows_from_the_front_and_the_number_from_behind():
    front, behind = template(Posture.STAND, 0, 3 * VIEWS // 4, 0), template(Posture.STAND, 0, VIEWS // 4, 0)
    assert (front.garment == Garment.FACE).sum() > 2 * (behind.garment == Garment.FACE).sum()
    assert front.back is None
    assert behind.back is not None


def test_the_number_reads_from_left_to_right_in_every_view_that_shows_it():
    shown = 0
    for view in range(VIEWS):
        shape = template(Posture.RUN, 3, view, 1)
        if shape.back is not None:
            shown += 1
            assert shape.back[0, 0] > 0
            assert shape.back[1, 1] > 0
            inside = shape.back @ (0.5, 0.5, 1.0)
            assert shape.garment[int(inside[1]), int(inside[0])] == Garment.SHIRT
    assert 4 <= shown <= 8


def test_a_runner_to_the_left_mirrors_one_to_the_right_half_a_stride_later():
    right = template(Posture.RUN, 1, 0, 0)
    left = template(Posture.RUN, 1 + PHASES // 2, VIEWS // 2, 0)
    assert (left.garment == right.garment[:, ::-1]).all()


def test_lying_bodies_are_low():
    shape = template(Posture.LIE, 0, 0, 0)
    rows = np.flatnonzero(shape.garment.any(axis=1))
    assert (rows[-1] - rows[0]) / PX_PER_M < 0.8


def test_the_nearest_elevation_is_chosen():
    assert [ELEVATIONS_DEG[nearest_elevation(v)] for v in (0, 14, 60)] == [5.0, 13.0, 36.0]
