"""The inference budget, by its promises: never too many passes, nothing left alone too long, what matters looked at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.detect.budget import OLDEST_S, Attention, Pace, Scene
from edge.detect.looks import Look, closest
from edge.detect.stature import Stature

WIDTH, HEIGHT, RATE = 1920, 1080, 25.0
NOWHERE = (np.zeros((0, 2)), np.zeros(0))
NOBODY = np.zeros((0, 2))


def in_a_square(part):
    """A look of a network that sees 640 x 640."""
    x0, y0, x1, y1 = part
    return Look(part, *(max(2, 2 * round(320 * side / max(x1 - x0, y1 - y0))) for side in (x1 - x0, y1 - y0)))


def taught_stature():
    """The stature on a pitch whose far people are 34 px tall in row 300, and the near 190 px in row 1000."""
    stature, random = Stature(HEIGHT), np.random.default_rng(2)
    for _ in range(40):
        foot = random.uniform(280, 1050, 20)
        tall = (34 + (foot - 300) * 156 / 700) * random.normal(1, 0.05, 20)
        stature.learn(np.stack([foot * 0, foot - tall, foot * 0 + 20, foot], axis=1))
    return stature


def moving(people):
    """A mask at half size in which these people (x, foot y, height) move."""
    mask = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    for x, foot, tall in people:
        mask[int(foot - tall) // 2 : int(foot) // 2, int(x - tall / 6) // 2 : int(x + tall / 6) // 2] = 255
    return mask


def crowd(random):
    foot = random.uniform(300, 1000, 20)
    return list(zip(random.uniform(50, 1870, 20), foot, 34 + (foot - 300) * 156 / 700, strict=True))


def shows(look, box):
    """Whether the box is whole in the look and a person's height there is near enough to be found."""
    x0, y0, x1, y1 = look.region
    inside = x0 <= box[0] and y0 <= box[1] and box[2] <= x1 and box[3] <= y1
    return inside and (box[3] - box[1]) * look.scale[1] >= 20


def looks_of(fit, passes, seconds, scene_at, stature=None):
    """(time, look) of every pass over so many seconds."""
    pace, attention = Pace(passes, RATE), Attention(WIDTH, HEIGHT, fit, stature or taught_stature())
    out = []
    for frame in range(round(seconds * RATE)):
        time_s = frame / RATE
        count = pace.due(time_s)
        out += [(time_s, look) for look in (attention.choose(time_s, count, scene_at(frame)) if count else [])]
    return out


@given(
    st.floats(0.2, 60),
    st.floats(5, 60),
    st.lists(st.sampled_from([1, 1, 1, 1, 1, 2, 5, 80]), min_size=50, max_size=200),
)
@settings(max_examples=60, deadline=None)
def test_there_are_never_more_passes_in_any_second_than_the_budget_whatever_frames_are_lost(passes, rate, steps):
    pace = Pace(passes, rate)
    times = np.cumsum(steps) / rate
    given_at = np.repeat(times, [pace.due(time) for time in times])
    most = max(((given_at >= first) & (given_at < first + 1 - 1e-6)).sum() for first in given_at)
    assert most <= np.ceil(passes)


@pytest.mark.parametrize("passes", [0.5, 1.0, 4.0, 7.5, 25.0, 32.0, 57.0])
def test_the_whole_budget_is_spent_and_evenly(passes):
    pace = Pace(passes, RATE)
    counts = np.array([pace.due(frame / RATE) for frame in range(500)])
    assert counts.sum() == pytest.approx(20 * passes, abs=1 + passes / RATE)
    assert counts.max() == np.ceil(passes / RATE)


def test_passes_that_were_not_asked_for_are_lost():
    pace = Pace(10.0, RATE)
    pace.due(0.0)
    assert pace.due(30.0) == 1


@pytest.mark.parametrize("fit", [closest, in_a_square])
@pytest.mark.parametrize("passes", [8.0, 24.0])
def test_no_part_of_the_pitch_is_left_alone_for_longer_than_stated(fit, passes):
    random = np.random.default_rng(5)
    people = crowd(random)
    ball = np.array([[600.0, 500.0]]), np.array([0.9])
    looks = looks_of(fit, passes, 12, lambda _: Scene(moving(people), *ball, NOBODY))
    for foot in range(320, 1000, 60):
        tall = 34 + (foot - 300) * 156 / 700
        for x in range(40, 1900, 90):
            box = (x - tall / 5, foot - tall, x + tall / 5, foot)
            at = [0.0, *(time_s for time_s, look in looks if shows(look, box)), 12.0]
            assert np.diff(at).max() < 2 * OLDEST_S, (x, foot)


@given(
    st.floats(100, 1800),
    st.floats(300, 340),
    st.sampled_from([4.0, 8.0, 24.0]),
    st.sampled_from([closest, in_a_square]),
)
@settings(max_examples=25, deadline=None)
def test_a_far_player_who_moves_is_looked_at_closely_within_a_second(x, foot, passes, fit):
    looks = looks_of(fit, passes, 4, lambda _: Scene(moving([(x, foot, 34)]), *NOWHERE, NOBODY))
    box = (x - 6, foot - 34, x + 6, foot)
    at = [time_s for time_s, look in looks if shows(look, box)]
    assert np.diff([1.0, *(t for t in at if t > 1), 4.0]).max() <= 1.0


@given(st.floats(100, 1800), st.floats(320, 1000), st.sampled_from([closest, in_a_square]))
@settings(max_examples=25, deadline=None)
def test_where_the_ball_may_be_is_magnified_at_least_twice_a_second(x, y, fit):
    people = crowd(np.random.default_rng(7))
    looks = looks_of(fit, 8.0, 4, lambda _: Scene(moving(people), np.array([[x, y]]), np.array([0.9]), NOBODY))
    late = [look for time_s, look in looks if time_s >= 1]
    diameter = 0.125 * (34 + (y - 300) * 156 / 700)
    reach = diameter / 2 + 2
    at_ball = [look for look in late if shows_ball(look, x, y, reach) and diameter * look.scale[0] > 8]
    assert len(at_ball) >= 6


def shows_ball(look, x, y, reach):
    x0, y0, x1, y1 = look.region
    return x0 <= x - reach and y0 <= y - reach and x + reach <= x1 and y + reach <= y1


def test_a_lost_ball_is_looked_for_where_it_was():
    people = crowd(np.random.default_rng(7))
    known = np.array([[900.0, 400.0]]), np.array([0.9])
    near_by = [(*place, 60.0) for place in ((880.0, 430.0), (930.0, 425.0))]

    def share_at(scene_at):
        looks = [look for time_s, look in looks_of(closest, 8.0, 3, scene_at) if time_s >= 2]
        return np.mean([shows_ball(look, 900, 400, 5) and look.scale[0] > 1.2 for look in looks])

    def losing(frame):
        return Scene(moving([*people, *near_by]), *(known if frame < 50 else NOWHERE), NOBODY)

    assert share_at(losing) > 1.5 * share_at(lambda _: Scene(moving([*people, *near_by]), *NOWHERE, NOBODY))


def test_people_are_looked_at_more_often_than_grass():
    people = [(300, 320, 38), (340, 340, 43)]
    looks = [look for _, look in looks_of(in_a_square, 8.0, 6, lambda _: Scene(moving(people), *NOWHERE, NOBODY))]

    def often(x):
        return sum(shows(look, (x - 6, 286, x + 6, 320)) for look in looks)

    assert often(300) > 2 * often(1500) > 0


def test_the_same_scenes_give_the_same_looks():
    def run():
        random = np.random.default_rng(3)
        scenes = [
            Scene(moving(crowd(random)), random.uniform(300, 900, (2, 2)), np.array([0.5, 0.3]), NOBODY)
            for _ in range(60)
        ]
        return looks_of(closest, 12.0, 2.4, scenes.__getitem__)

    assert run() == run()


@pytest.mark.parametrize("fit", [closest, in_a_square])
def test_while_nothing_says_what_moves_those_are_confirmed_whom_the_first_look_found(fit):
    few = np.array([(1500.0, 500.0), (1620.0, 520.0), (1700.0, 480.0)])
    whole, second, *_ = (
        look
        for _, look in looks_of(
            fit, 4.0, 1, lambda _: Scene(np.zeros((0, 0), np.uint8), *NOWHERE, few), Stature(HEIGHT)
        )
    )
    assert whole.region == (0, 0, WIDTH, HEIGHT)
    x0, y0, x1, y1 = second.region
    assert ((few > (x0, y0)) & (few < (x1, y1))).all()
    assert second.scale > whole.scale


@given(st.integers(160, 2200).map(lambda v: 2 * v), st.integers(90, 1300).map(lambda v: 2 * v), st.data())
@settings(max_examples=25, deadline=None)
def test_looks_lie_in_pictures_of_any_size(width, height, data):
    fit = data.draw(st.sampled_from([closest, in_a_square]))
    attention = Attention(width, height, fit, Stature(height))
    mask = np.full((height // 4, width // 4), 255, np.uint8)
    for look in attention.choose(
        0.0, 12, Scene(mask, np.array([[width + 5.0, -3.0]]), np.array([0.7]), np.array([[-9.0, height]]))
    ):
        x0, y0, x1, y1 = look.region
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert all(v % 2 == 0 for v in look.region)
