from types import SimpleNamespace

import av
import numpy as np
import pytest

from bench.lone_node import lone_node
from bench.soak import HandOver, PacedCamera, _last_hand_over, _watch
from simulator.match.engine import play
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch
from wire.session import SegmentState


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

    def __init__(self, frames, growth_mb, fault, states):
        self.frames, self.fault, self.states = frames, fault, states
        self.running = SimpleNamespace(growth_mb=lambda: growth_mb)

    async def status(self):
        return SimpleNamespace(recording=None, fault=self.fault)

    async def segments(self):
        return [SimpleNamespace(state=SegmentState(state)) for state in self.states]

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
        ({"states": ("confirmed", "sent", "closed", "open")}, "confirmed 1 of 4 segments, that is too few"),
    ],
    ids=["at the line", "frames are missing", "behind", "grown", "a fault", "not handed over"],
)
async def test_a_soak_fails_when_the_node_grows_falls_behind_misses_frames_or_keeps_a_segment(capsys, figures, said):
    told = {"frames": 2970, "behind_s": 0.99, "growth_mb": 15.0, "fault": None, "states": ("confirmed", "deleted")}
    told |= figures
    camera = SimpleNamespace(behind_s=told.pop("behind_s"), camera=SimpleNamespace(width_px=1920, height_px=1080))
    # Two minutes of 25 frames a second: 3000 are to be had.
    assert await _watch(SoakedNode(**told), camera, 2.0, 25.0, patience_s=0.0) == (1 if said else 0)
    lines = capsys.readouterr().out.splitlines()
    # Behind the two lines of the table's head, the figures and the hand-over.
    assert len(lines[4:]) == (1 if said else 0)
    assert said is None or said in lines[4]


async def test_the_hand_over_is_told_in_segments_closed_and_confirmed():
    node = SoakedNode(0, 0.0, None, ("deleted", "confirmed", "confirmed", "sent", "closed", "open"))
    assert await HandOver.of(node) == HandOver(begun=6, closed=5, confirmed=3)


@pytest.mark.slow
async def test_a_true_hub_confirms_and_keeps_what_the_node_records(tmp_path):
    random = np.random.default_rng(1)
    with av.open(str(tmp_path / "five.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(125):
            picture = random.integers(60, 200, (180, 320, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    async with lone_node(f"file:{tmp_path / 'five.mp4'}", tmp_path, hub=True) as node:
        await node.record(start_ns=0)
        assert (await node.recorded()).frames == 125
        assert await _last_hand_over(node, 60.0) == HandOver(begun=3, closed=3, confirmed=3)
    assert len(list((tmp_path / "hub" / "segments").rglob("*.mp4"))) == 3
