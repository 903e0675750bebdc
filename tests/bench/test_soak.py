from types import SimpleNamespace

import numpy as np
import pytest

from bench.soak import PacedCamera, _watch
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


class SoakedNode:
    """A node whose recording is over, with these figures."""

    def __init__(self, frames, growth_mb, fault):
        self.frames, self.fault = frames, fault
        self.running = SimpleNamespace(growth_mb=lambda: growth_mb)

    async def status(self):
        return SimpleNamespace(recording=None, fault=self.fault)

    async def cost(self):
        return SimpleNamespace(frames=self.frames, peak_memory_bytes=200_000_000)


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, None),
        ({"frames": 2969}, "too few: 99% at least"),
        ({"behind_s": 1.0}, "too late: less than 1 s"),
        ({"growth_mb": 15.1}, "too much: no more than 15 MB"),
        ({"fault": "the cable came off"}, "ended badly: the cable came off"),
    ],
    ids=["at the line", "frames are missing", "behind", "grown", "a fault"],
)
async def test_a_soak_fails_when_the_node_grows_falls_behind_or_misses_frames(capsys, figures, said):
    told = {"frames": 2970, "behind_s": 0.99, "growth_mb": 15.0, "fault": None} | figures
    camera = SimpleNamespace(behind_s=told.pop("behind_s"), camera=SimpleNamespace(width_px=1920, height_px=1080))
    # Two minutes of 25 frames a second: 3000 are to be had.
    assert await _watch(SoakedNode(**told), camera, 2.0, 25.0) == (1 if said else 0)
    lines = capsys.readouterr().out.splitlines()
    # Behind the two lines of the table's head and the figures.
    assert len(lines[3:]) == (1 if said else 0)
    assert said is None or said in lines[3]
