"""What every detector promises, held by each on the same pictures."""

import numpy as np
import pytest

from edge.detect.detector import overlap
from edge.detect.hailo import Chip, HailoDetector
from edge.detect.looks import STEP, uniform
from edge.detect.motion import MotionDetector
from edge.detect.onnx import OnnxDetector
from edge.frame import Frame
from wire.tracks import Kind

RED, BLUE = (40, 40, 200), (200, 60, 40)
FRAMES = 40


def people_at(k):
    """Two walk towards each other, a third in the background."""
    return [(200 + 3 * k, 330, 80, RED), (700 - 3 * k, 430, 100, BLUE), (450 + 2 * k, 250, 64, RED)]


def true_boxes(people):
    return np.array([[x - 0.19 * h, y - h, x + 0.19 * h, y] for x, y, h, _ in people])


@pytest.fixture(scope="module")
def driver(request, stage):
    """Gives the opener of a driver's detectors; the Hailo chip is a fake one."""
    chip = Chip(request.getfixturevalue("hailo_platform").models, deadline_s=20)
    openers = {
        "onnx": lambda: OnnxDetector(stage.width, stage.height),
        "motion": lambda: MotionDetector(stage.width, stage.height, 25.0),
        "hailo": lambda: HailoDetector(stage.width, stage.height, chip),
    }
    yield openers.__getitem__
    chip.close()


@pytest.fixture(scope="module", params=["onnx", "motion", "hailo"])
def opened(request, driver):
    """Opens a fresh detector of the driver under test."""
    return driver(request.param)


@pytest.fixture(params=["onnx", "hailo"])
def network(request, driver):
    """A fresh detector of a driver that runs a network."""
    return driver(request.param)()


@pytest.fixture
def detector(opened):
    return opened()


@pytest.fixture(scope="module")
def results(opened, stage):
    """Each frame's people and detections; the network, which needs no history, only looks at the last four."""
    detector = opened()
    first = 0 if isinstance(detector, MotionDetector) else FRAMES - 4
    frames = [(people_at(k), Frame(stage.picture(people_at(k)), k * 40_000_000, k)) for k in range(first, FRAMES)]
    return [(people, detector.detect(frame)) for people, frame in frames]


def test_every_person_is_found_once_by_the_end_and_hardly_anything_else(results):
    people, found = results[-1]
    persons = found.of(Kind.PERSON)
    persons = persons.where(persons.score > 0.4)
    shared = overlap(true_boxes(people), persons.box)
    assert (shared.max(axis=1) > 0.5).all()
    assert ((shared > 0.5).sum(axis=1) == 1).all()
    assert len(persons.box) <= len(people) + 1


def test_arrays_agree_and_are_ordered_by_score(results):
    for _, found in results:
        n = len(found.box)
        assert found.box.shape == (n, 4)
        assert found.score.shape == found.kind.shape == (n,)
        assert found.box.dtype == found.score.dtype == np.float64
        assert (np.diff(found.score) <= 0).all()
        assert ((found.score >= 0) & (found.score <= 1)).all()
        assert set(found.kind) <= set(Kind)


def test_boxes_are_whole_and_inside_both_region_and_picture(results, stage):
    for _, found in results:
        x0, y0, x1, y1 = found.region
        assert 0 <= x0 < x1 <= stage.width
        assert 0 <= y0 < y1 <= stage.height
        assert (found.box[:, 2] > found.box[:, 0]).all()
        assert (found.box[:, 3] > found.box[:, 1]).all()
        assert (found.box >= (x0, y0, x0, y0)).all()
        assert (found.box <= (x1, y1, x1, y1)).all()


def test_the_foot_is_where_the_person_stands(results):
    people, found = results[-1]
    persons = found.of(Kind.PERSON)
    best = overlap(true_boxes(people), persons.box).argmax(axis=1)
    for (x, foot, tall, _), box in zip(people, persons.box[best], strict=True):
        assert box[3] == pytest.approx(foot, abs=0.06 * tall)
        assert (box[0] + box[2]) / 2 == pytest.approx(x, abs=0.1 * tall)


def test_bare_grass_holds_nobody(detector, stage):
    for k in range(FRAMES if isinstance(detector, MotionDetector) else 1):
        found = detector.detect(Frame(stage.picture(), k * 40_000_000, k))
        assert not (found.score > 0.3).any()


def test_frames_are_not_written_to(detector, stage):
    planes = stage.picture(people_at(0))
    before = planes.copy()
    planes.flags.writeable = False
    detector.detect(Frame(planes, 0, 0))
    assert (planes == before).all()


PARTS = [(0, 0, 960, 544), (80, 160, 480, 400), (500, 240, 900, 544), (0, 0, 400, 100)]


def test_looks_are_answered_in_their_order_each_for_itself(network, stage):
    frame = Frame(stage.picture(people_at(20)), 0, 0)
    looks = [network.fit(part) for part in PARTS[1:3]]
    together = network.look_at(frame, looks)
    assert [found.region for found in together] == PARTS[1:3]
    for look, found in zip(looks, together, strict=True):
        [alone] = network.look_at(frame, [look])
        assert (alone.box == found.box).all()
        assert (alone.score == found.score).all()


def test_a_look_finds_who_is_whole_inside_it_where_they_are(network, stage):
    people = people_at(20)
    true = true_boxes(people)
    looks = [network.fit(part) for part in PARTS[:3]]
    for found in network.look_at(Frame(stage.picture(people), 0, 0), looks):
        x0, y0, x1, y1 = found.region
        inside = (true[:, 0] > x0) & (true[:, 1] > y0) & (true[:, 2] < x1) & (true[:, 3] < y1)
        persons = found.of(Kind.PERSON)
        shared = overlap(true[inside], persons.where(persons.score > 0.4).box)
        assert ((shared > 0.5).sum(axis=1) == 1).all()


def test_looks_at_nothing_find_nothing_and_no_look_is_fine(network, stage):
    frame = Frame(stage.picture(), 0, 0)
    assert network.look_at(frame, []) == []
    for found in network.look_at(frame, [network.fit(part) for part in PARTS[2:]]):
        assert not (found.score > 0.4).any()


def test_a_fitting_look_keeps_the_part_and_hardly_bends_it(network, stage):
    for part in [*PARTS, *(look.region for look in uniform(3072, 1728, network.fit))]:
        look = network.fit(part)
        assert look.region == part
        assert look.width % 2 == look.height % 2 == 0
        assert abs(look.scale[0] - look.scale[1]) <= STEP / min(part[2] - part[0], part[3] - part[1])
