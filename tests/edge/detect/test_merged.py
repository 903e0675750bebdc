"""Several looks at one frame: each person and ball is handed on once, and whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.detect.detector import Detections, overlap
from edge.detect.network import DOUBLE, merged
from wire.tracks import Kind

LEFT, RIGHT = (0.0, 0.0, 600.0, 400.0), (500.0, 0.0, 1100.0, 400.0)


def found(region, *rows):
    """Rows of (box, score, kind) as one look found them."""
    box = np.array([row[0] for row in rows], np.float64).reshape(-1, 4)
    return Detections(
        box, np.array([row[1] for row in rows]), np.array([int(row[2]) for row in rows], np.int64), region
    )


def test_who_is_seen_by_two_looks_is_one_and_the_surer_box_stays():
    both = merged(
        [
            found(LEFT, ((520, 100, 550, 180), 0.6, Kind.PERSON)),
            found(RIGHT, ((521, 101, 551, 181), 0.8, Kind.PERSON)),
        ]
    )
    assert both.box.tolist() == [[521, 101, 551, 181]]
    assert both.region == (0, 0, 1100, 400)


def test_a_part_that_a_tiles_edge_cut_gives_way_to_the_whole_person_even_if_surer():
    whole, part = (570, 100, 640, 300), (570, 100, 597, 200)
    assert merged([found(LEFT, (part, 0.9, Kind.PERSON)), found(RIGHT, (whole, 0.5, Kind.PERSON))]).box.tolist() == [
        list(whole)
    ]


def test_somebody_small_in_front_of_somebody_large_away_from_any_edge_stays():
    large, small = (280, 100, 380, 380), (300, 150, 330, 210)
    everywhere = (0.0, 0.0, 1100.0, 400.0)
    both = merged([found(LEFT, (small, 0.9, Kind.PERSON)), found(everywhere, (large, 0.8, Kind.PERSON))])
    assert both.box.tolist() == [list(small), list(large)]


def test_a_ball_at_somebodys_feet_at_a_tiles_edge_stays():
    person, ball = (560, 100, 640, 390), (570, 380, 578, 388)
    both = merged([found(LEFT, (ball, 0.4, Kind.BALL)), found(RIGHT, (person, 0.8, Kind.PERSON))])
    assert sorted(both.kind.tolist()) == [Kind.PERSON, Kind.BALL]


def test_one_look_alone_stays_as_it_was_and_none_needs_to_find_anything():
    look = found(LEFT, ((10, 10, 30, 60), 0.9, Kind.PERSON), ((40, 10, 60, 60), 0.5, Kind.PERSON))
    assert merged([look]).box.tolist() == look.box.tolist()
    assert len(merged([found(LEFT), found(RIGHT)]).box) == 0


boxes = st.tuples(*[st.floats(0, 1000)] * 2, *[st.floats(4, 100)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
row_of = st.tuples(boxes, st.floats(0.1, 1), st.sampled_from(list(Kind)))


@given(st.lists(st.lists(row_of, max_size=6), min_size=1, max_size=4))
def test_what_is_left_is_ordered_without_doubles_and_nothing_is_invented(looks):
    both = merged([found((0.0, 0.0, 1100.0, 1100.0), *rows) for rows in looks])
    all_rows = {(*box, score, kind) for rows in looks for box, score, kind in rows}
    assert {(*box, score, kind) for box, score, kind in zip(both.box, both.score, both.kind, strict=True)} <= all_rows
    assert (np.diff(both.score) <= 0).all()
    for kind in Kind:
        shared = overlap(both.of(kind).box, both.of(kind).box)
        assert (shared[np.triu_indices(len(shared), 1)] <= DOUBLE).all()
    for kind in Kind:
        assert bool(len(both.of(kind).box)) == any(row[2] == kind for rows in looks for row in rows)
