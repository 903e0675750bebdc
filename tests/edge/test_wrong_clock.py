"""A start that is ordered though the node's clock is far from the hub's."""

import threading

import pytest

from edge.capture import Frame
from edge.encode.libav import LibavCoder
from wire.rigtime import SECOND
from wire.session import StartRecording

FRAMES = 130


class Camera:
    """A board's camera, and its own source: it stamps its frames by the node's clock, and waits after the last one."""

    width, height, frames_per_second, frames_dropped = 320, 180, 25.0, 0
    live, waits_s, ahead_ns = True, 0.0, 0

    def __init__(self, clock, picture):
        self._clock, self._picture = clock, picture
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
        for number in range(FRAMES):
            yield Frame(self._picture(number), self._clock.ns + number * SECOND // 25, number)
        self._left.wait(30)


@pytest.fixture
async def record(make_node, ledger, clock, picture, zero_ns, eventually):
    """Records with a clock that is so far behind the one that ordered it; the first frame's time and the lengths of the
    segments, both as they were promised."""

    async def run(behind_ns):
        clock.ns = zero_ns - behind_ns
        node = make_node(Camera(clock, picture), ledger)
        await node.start(StartRecording(session="s1", start_ns=zero_ns))
        await eventually(lambda: node._recording.frames == FRAMES)
        await node.stop()
        offers = [row.offer for row in ledger.segments()]
        return offers[0].start_ns, [offer.frames for offer in offers]

    return run


async def test_segments_end_though_the_clock_is_an_hour_behind(record, zero_ns, log_text):
    assert await record(3600 * SECOND) == (zero_ns, [50, 50, 30])
    assert "event=clock-behind session=s1 behind_ms=3600000" in log_text.getvalue()


async def test_a_zero_that_lies_ahead_by_an_orders_lead_moves_no_frame(record, zero_ns):
    assert await record(SECOND // 2) == (zero_ns - SECOND // 2, [63, 50, 17])
