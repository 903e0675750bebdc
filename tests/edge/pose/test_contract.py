"""What every pose driver promises, held by each on the same pictures."""

import numpy as np
import pytest

from edge.detect.hailo import Chip, HailoDetector
from edge.frame import Frame
from edge.pose.hailo import HailoPose
from edge.pose.onnx import OnnxPose
from edge.pose.pose import ANKLES, POINTS, SURE

RED, BLUE = (40, 40, 200), (200, 60, 40)
PEOPLE = [(120, 300, 90, RED), (300, 400, 150, BLUE), (500, 460, 100, RED), (640, 420, 120, BLUE), (850, 520, 200, RED)]


@pytest.fixture(scope="module")
def chip(hailo_platform):
    """A fake Hailo chip."""
    made = Chip(hailo_platform.models, deadline_s=20)
    yield made
    made.close()


@pytest.fixture(scope="module", params=["onnx", "hailo"])
def driver(request, chip):
    """The driver under test."""
    return OnnxPose() if request.param == "onnx" else HailoPose(chip)


def boxes_of(people):
    return np.array([[x - 0.19 * tall, foot - tall, x + 0.19 * tall, foot] for x, foot, tall, _ in people])


@pytest.fixture(scope="module")
def poses(driver, stage):
    return driver.poses(Frame(stage.picture(PEOPLE), 0, 0), boxes_of(PEOPLE))


def test_each_person_has_a_pose_in_the_order_of_the_boxes(poses):
    assert len(poses) == len(PEOPLE)
    for pose, box in zip(poses, boxes_of(PEOPLE), strict=True):
        assert (pose.box == box).all()
        assert pose.point.shape == (POINTS, 2)
        assert pose.score.shape == (POINTS,)
        assert ((pose.score >= 0) & (pose.score <= 1)).all()


def test_the_torso_is_where_it_was_painted(poses):
    for pose, (x, foot, tall, _) in zip(poses, PEOPLE, strict=True):
        assert pose.torso.shape == (4, 2)
        # Figures without a face may be taken for ones seen from the side: only the middles are sure.
        for middle, up in ((pose.torso[:2].mean(axis=0), 0.79), (pose.torso[2:].mean(axis=0), 0.49)):
            assert middle == pytest.approx((x, foot - up * tall), abs=0.04 * tall)


def test_a_foot_that_is_told_stands_on_the_ground_between_the_legs_outer_edges(poses):
    told = [(pose.foot, person) for pose, person in zip(poses, PEOPLE, strict=True) if pose.foot is not None]
    assert len(told) >= 3
    for place, (x, foot, tall, _) in told:
        assert place[1] == pytest.approx(foot, abs=0.05 * tall)
        assert place[0] == pytest.approx(x, abs=0.2 * tall)


def test_nobody_asked_about_is_no_pose(driver, stage):
    assert list(driver.poses(Frame(stage.picture(PEOPLE), 0, 0), np.zeros((0, 4)))) == []


def test_where_nobody_is_no_foot_is_told(driver, stage):
    empty = boxes_of([(300, 400, 150, BLUE), (600, 300, 80, RED)])
    for pose in driver.poses(Frame(stage.picture(), 0, 0), empty):
        assert pose.foot is None
        assert pose.torso is None


def test_a_person_at_the_pictures_edge_is_asked_about_without_harm(driver, stage):
    people = [(8, 300, 120, RED), (955, 60, 120, BLUE), (480, 560, 150, RED)]
    poses = driver.poses(Frame(stage.picture(people), 0, 0), boxes_of(people))
    assert len(poses) == 3
    # The feet of the last are below the picture.
    assert poses[2].foot is None or poses[2].score[ANKLES].min() >= SURE


def test_frames_are_not_written_to(driver, stage):
    planes = stage.picture(PEOPLE)
    before = planes.copy()
    planes.flags.writeable = False
    driver.poses(Frame(planes, 0, 0), boxes_of(PEOPLE[:1]))
    assert (planes == before).all()


def test_detector_and_pose_share_one_chip(chip, stage):
    frame = Frame(stage.picture(PEOPLE), 0, 0)
    detector, pose = HailoDetector(stage.width, stage.height, chip), HailoPose(chip)
    strongest = detector.detect(frame).box[:2]
    assert all(found.torso is not None for found in pose.poses(frame, strongest))
