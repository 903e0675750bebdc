"""The framing assistant at work: how long, with which pictures, with what beeps."""

import asyncio

import cv2
import numpy as np
import pytest

from edge.errors import AlreadyRecording, SelfTesting
from edge.framing import Framing, Hint, beep_pause_s
from edge.framing.assistant import SENTENCES
from edge.viewing import Guide, Viewfinder
from edge.viewing.guide import LENGTH_S, LOOK_EVERY_S
from firmware.panel.signals import GAP_S, MARKED, PASSED, SHORT_S
from wire.session import StartRecording


def framing(score):
    good = score == 1.0
    hints = () if good else (Hint.TILT_DOWN,)
    return Framing(
        score=score,
        good=good,
        hints=hints,
        sentences=tuple(SENTENCES[hint] for hint in hints),
        near_line=good,
        lines=3,
    )


class Time:
    """A clock that goes on only while somebody sleeps, and hardly takes a moment for it."""

    def __init__(self):
        self.s = 100.0
        self.slept = []

    def __call__(self):
        return self.s

    async def sleep(self, seconds):
        self.slept.append(seconds)
        if seconds == LOOK_EVERY_S:
            self.s += seconds
        await asyncio.sleep(0.001)


@pytest.fixture
def now():
    return Time()


@pytest.fixture
def viewfinder(source, clock, log):
    return Viewfinder(source, clock, log, lambda _camera: None)


@pytest.fixture
def guide(viewfinder, panel, log, now):
    return Guide(viewfinder, panel, log, now_s=now, sleep=now.sleep)


@pytest.fixture
def scores(monkeypatch):
    """What the assistant finds in picture after picture; the last of them stays."""
    found = [0.1]

    def assess(i420):
        score = found.pop(0) if len(found) > 1 else found[0]
        return framing(score), np.full((36, 64, 3), 77, np.uint8)

    monkeypatch.setattr("edge.viewing.guide.assess", assess)
    return found


async def test_nothing_is_looked_at_before_somebody_asks(guide, source, panel):
    assert guide.state().running is False
    assert await guide.drawn() is None
    assert (source.opened, panel.beeped) == ([], [])


async def test_it_tells_what_is_missing_and_shows_what_it_found(guide, scores, eventually):
    guide.begin()
    await eventually(lambda: guide.state().framing)
    state = guide.state()
    assert (state.running, state.fault) == (True, None)
    assert 0 < state.left_s <= LENGTH_S
    assert state.framing.hints == (Hint.TILT_DOWN,)
    assert "near line is cut" in state.framing.sentences[0]
    picture = cv2.imdecode(np.frombuffer(await guide.drawn(), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (36, 64, 3)
    guide.end()


async def test_beeps_come_faster_until_the_picture_is_good_and_then_one_says_so(guide, scores, panel, now, eventually):
    scores[:] = [0.1] * 20 + [0.9] * 20 + [1.0]
    guide.begin()
    await eventually(lambda: PASSED in panel.beeped)
    heard = len(panel.beeped)
    await eventually(lambda: len(now.slept) > 100 + heard)
    assert panel.beeped.count(PASSED) == 1
    assert panel.beeped[heard - 1] is PASSED
    assert set(panel.beeped[: heard - 1]) == {MARKED}
    assert len(panel.beeped) == heard
    pauses = [seconds for seconds in now.slept if seconds != LOOK_EVERY_S]
    assert sorted(set(pauses)) == [SHORT_S + GAP_S + beep_pause_s(score) for score in (0.9, 0.1)]
    assert pauses == sorted(pauses, reverse=True)
    guide.end()


async def test_a_camera_that_is_moved_away_again_beeps_again(guide, scores, panel, eventually):
    scores[:] = [1.0]
    guide.begin()
    await eventually(lambda: panel.beeped == [PASSED])
    scores[:] = [0.5]
    await eventually(lambda: MARKED in panel.beeped)
    scores[:] = [1.0]
    await eventually(lambda: panel.beeped[-1] is PASSED)
    guide.end()


async def test_it_ends_by_itself_and_lets_go_of_the_camera(guide, scores, source, eventually):
    guide.begin()
    await eventually(lambda: not guide.state().running)
    assert guide.state().framing is None
    await eventually(lambda: source.camera.closed)


async def test_asked_again_it_goes_on_for_longer(guide, scores, now, eventually):
    guide.begin()
    await eventually(lambda: now.s > 100 + LENGTH_S / 2)
    guide.begin()
    asked_s = now.s
    await eventually(lambda: not guide.state().running)
    assert now.s >= asked_s + LENGTH_S


async def test_a_camera_that_fails_is_said_and_it_goes_on_when_it_is_back(
    guide, scores, source, eventually, log_text, monkeypatch
):
    monkeypatch.setattr("edge.viewing.viewfinder._AGAIN_S", 0.01)
    source.faults = ["the cable came loose"]
    guide.begin()
    await eventually(lambda: guide.state().fault == "the cable came loose")
    assert guide.state().framing is None
    await eventually(lambda: guide.state().framing)
    assert guide.state().fault is None
    guide.end()
    await eventually(lambda: not guide.state().running)
    assert log_text.getvalue().count("event=framing-ends") == 1


async def test_one_that_is_begun_while_it_ends_helps_all_the_same(guide, scores, eventually):
    guide.begin()
    await eventually(lambda: guide.state().framing)
    guide.end()
    guide.begin()
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert guide.state().running
    guide.end()
    await eventually(lambda: not guide.state().running)


async def test_a_start_ends_it_and_a_recording_is_not_disturbed_by_it(
    make_node, source, ledger, scores, zero_ns, eventually
):
    node = make_node(source, ledger)
    node.point()
    await eventually(lambda: node.guide.state().framing)
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    await eventually(lambda: not node.guide.state().running)
    with pytest.raises(AlreadyRecording):
        node.point()
    await node.stop()
    testing = asyncio.create_task(node.self_test(0.1))
    await asyncio.sleep(0)
    with pytest.raises(SelfTesting):
        node.point()
    await testing
