import numpy as np
import pytest

from bench.soak import PacedCamera
from simulator.match.engine import play
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch


@pytest.fixture
def paced():
    """A camera that has drawn three pictures, its clock, and what it slept."""
    pitch = default_pitch(7)
    now, slept = [100.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    camera = PacedCamera(
        virtual_rig("mast", pitch, 1), 1, play(pitch, 1.0, 1), 1, drawn=3, now_s=lambda: now[0], sleep=sleep
    )
    return camera, now, slept


def test_its_pictures_come_to_and_fro_each_when_it_is_due(paced):
    camera, now, slept = paced
    shown = [camera.frame(number / 25).copy() for number in range(7)]
    assert now[0] == pytest.approx(100 + 6 / 25)
    assert slept == pytest.approx([1 / 25] * 6)
    for late, early in ((3, 1), (4, 0), (5, 1), (6, 2)):
        np.testing.assert_array_equal(shown[late], shown[early])
    assert (shown[0] != shown[2]).any()


def test_one_that_is_asked_late_says_so_and_does_not_wait(paced):
    camera, now, slept = paced
    camera.frame(0.0)
    now[0] += 2.0
    camera.frame(0.04)
    assert camera.behind_s == pytest.approx(1.96)
    assert slept == []
