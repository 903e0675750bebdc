"""A start that is ordered though the node's clock is far from the hub's."""

import threading

import pytest

from edge.capture import Frame
from edge.capture.clocks import boottime_ns
from edge.encode.libav import LibavCoder
from edge.marks import Marks
from wire.marks import MarkRequest
from wire.rigtime import SECOND
from wire.session import StartRecording

FRAMES = 130


class Camera:
    """A board's camera, and its own source: it stamps its frames by the node's clock as it was
    when it was made, and waits after the last one."""

    width, height, frames_per_second, frames_dropped = 320, 180, 25.0, 0
    live, waits_s = True, 0.0

    def __init__(self, clock, picture):
        self.ahead_ns = clock.ns - boottime_ns()
        self._picture = picture
        self._left = threading.Event()

    def open(self, _start_ns, _log=None):
        return self

    def coder(self):
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._left.set()

    def __iter__(self):
        # A recording iterates it anew after the gates have peeked.
        first_ns = boottime_ns() + self.ahead_ns
        for number in range(FRAMES):
            yield Frame(self._picture(number), first_ns + number * SECOND // 25, number)
        self._left.wait(30)


@pytest.fixture
def make(make_node, ledger, clock, picture, zero_ns, make_eyes):
    """Makes a node whose clock is so far behind the one that orders it, until it is `set_right` while the gates are
    asked."""

    def made(behind_ns, *, set_right=False):
        clock.ns = zero_ns - behind_ns

        def eyes_for(_camera, _first):
            clock.ns += behind_ns if set_right else 0
            return make_eyes()

        return make_node(Camera(clock, picture), ledger, eyes_for=eyes_for)

    return made


@pytest.fixture
def record(ledger, zero_ns, eventually):
    """Records with a node; how far after the zero the first frame is said to be, and the segments' lengths."""

    async def run(node):
        await node.start(StartRecording(session="s1", start_ns=zero_ns))
        await eventually(lambda: node._recording.frames == FRAMES)
        await node.stop()
        offers = [row.offer for row in ledger.segments()]
        return offers[0].start_ns - zero_ns, [offer.frames for offer in offers]

    return run


@pytest.mark.parametrize("set_right", [False, True], ids=["all along", "until the gates are asked"])
async def test_segments_end_though_the_clock_is_an_hour_behind(make, record, log_text, set_right):
    after_ns, frames = await record(make(3600 * SECOND, set_right=set_right))
    assert 0 <= after_ns < SECOND
    assert sum(frames) == FRAMES
    assert len(frames) == 3
    assert max(frames) == 50
    assert "event=clock-behind session=s1 behind_ms=359" in log_text.getvalue()


async def test_a_zero_that_lies_ahead_by_an_orders_lead_moves_no_frame(make, record, log_text):
    after_ns, frames = await record(make(SECOND // 2))
    assert -SECOND // 2 <= after_ns < SECOND // 2
    assert sum(frames) == FRAMES
    assert "event=clock-behind" not in log_text.getvalue()


async def test_marks_have_the_time_that_the_frames_have(make, ledger, panel, log, zero_ns, eventually):
    node = make(3600 * SECOND)
    marks = Marks("left", ledger, node.now_ns, panel, log)
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    set_ns = [marks.set(MarkRequest(note=note), node.session).time_ns for note in ("goal 1", "goal 2")]
    assert zero_ns <= set_ns[0] < set_ns[1] < zero_ns + 10 * SECOND
    assert [mark.note for mark in marks.of("s1")] == ["goal 1", "goal 2"]
    await node.stop()
