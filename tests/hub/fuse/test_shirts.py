import numpy as np

from hub.fuse.changes import split_by_shirt
from hub.fuse.ground import Points
from hub.fuse.shirts import People, classify
from wire.match import MatchSheet, Team
from wire.pitch import default_pitch

RED, BLUE, BLACK, GREEN = (110, 178, 158), (84, 147, 82), (22, 130, 126), (207, 110, 194)


def people(rows):
    """People from (colour, seconds seen, mean x, mean y)."""
    lab = np.array([row[0] for row in rows], float)
    weight, x, y = (np.array([row[i] for row in rows], float) for i in (1, 2, 3))
    mean = np.column_stack([x, y])
    return People(lab, weight, mean, np.full_like(mean, 3.0), x)


def squad(strangers):
    home = [(RED, 60, -5 - 2 * i, 4 * i - 10) for i in range(6)]
    away = [(BLUE, 60, 5 + 2 * i, 4 * i - 10) for i in range(6)]
    sheet = MatchSheet(title="", pitch=default_pitch(7), home=Team("h"), away=Team("a"), home_starts="left")
    return classify(people([*home, *away, *strangers]), sheet)


def test_a_referee_who_follows_an_attack_is_no_keeper():
    shirts = squad([(BLACK, 20, 0, -8), (BLACK, 26, 13, -7), (GREEN, 60, -24, 0), (GREEN, 60, 24, 0)])
    assert shirts.referee[-4:].tolist() == [True, True, False, False]
    assert shirts.keeper[-4:].tolist() == [False, False, True, True]
    assert shirts.team[-2:].tolist() == [0, 1]


def test_a_keeper_dressed_like_the_referee_is_known_by_where_he_lives():
    shirts = squad([(BLACK, 60, 0, -8), (BLACK, 20, -25, 0)])
    assert shirts.keeper[-2:].tolist() == [False, True]


def sightings(colours, segment):
    n = len(colours)
    flat = np.zeros((n, 2))
    ints = np.zeros(n, np.int64)
    return Points(
        np.arange(n, dtype=float),
        flat,
        np.ones((n, 3)),
        ints,
        ints,
        np.array(colours, float),
        flat,
        flat,
        np.asarray(segment),
        np.ones(n),
        ints,
    )


def test_a_path_is_cut_where_its_shirt_changes_team():
    known = people([(RED, 60, -10, 0), (BLUE, 60, 10, 0), (RED, 60, -5, 0)])
    points = sightings([RED] * 50 + [BLACK] * 50 + [BLUE] * 50, np.repeat([0, 1, 2], 50))
    found = split_by_shirt(points, np.full(150, 2), known)
    assert len(set(found[:100])) == 1
    assert len(set(found[100:])) == 1
    assert found[0] != found[-1]


def test_a_glimpse_of_the_other_shirt_does_not_cut():
    known = people([(RED, 60, -10, 0), (BLUE, 60, 10, 0)])
    points = sightings([RED] * 50 + [RED] * 40 + [BLUE] * 10 + [RED] * 50, np.repeat([0, 1, 2], 50))
    assert len(set(split_by_shirt(points, np.zeros(150, np.int64), known))) == 1
