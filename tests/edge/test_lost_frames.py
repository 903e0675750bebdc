"""What a node tells of frames that its camera loses, or its eyes leave out."""

import threading
from itertools import count

import pytest
from aiohttp.test_utils import TestClient, TestServer

from edge.capture.clocks import boottime_ns
from edge.encode.libav import LibavCoder
from edge.frame import Frame
from firmware.panel.signals import STARTED, WARNING
from wire.session import StartRecording


class Camera:
    """A live camera, and its own source, whose frames say that they are 40 ms apart; those of `lost` do not come, and
    before those of `waits` it is `waiting` until it is let `go`."""

    width, height, frames_per_second, live, waits_s = 320, 180, 25.0, True, 0.0

    def __init__(self, zero_ns, picture, waits=(), lost=()):
        self.frames_dropped = 0
        self.ahead_ns = zero_ns - boottime_ns()
        self.waiting = None
        self.lost = set(lost)
        self._zero_ns, self._picture = zero_ns, picture
        self._waits = {number: threading.Event() for number in waits}

    def open(self, _start_ns, _log=None):
        return self

    def go(self):
        self._waits[self.waiting].set()

    def coder(self):
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __enter__(self):
        return self

    def __exit__(self, *exc): ...

    def __iter__(self):
        self.frames_dropped = 0
        for number in count():
            if number in self._waits:
                self.waiting = number
                self._waits[number].wait(30)
            if number in self.lost:
                self.frames_dropped += 1
            else:
                yield Frame(self._picture(number), self._zero_ns + number * 40_000_000, number)


@pytest.fixture
def order(zero_ns):
    return StartRecording(session="s1", start_ns=zero_ns)


async def test_a_camera_that_loses_every_third_frame_raises_an_alarm_until_it_loses_none(
    make_node, ledger, panel, zero_ns, picture, order, log_text, eventually
):
    camera = Camera(zero_ns, picture, waits=(100, 400), lost=range(50, 100, 3))
    node = make_node(camera, ledger)
    await node.start(order)
    await eventually(lambda: camera.waiting == 100)
    status = await node.status()
    assert status.frames_dropped == 17
    assert [alarm.partition(":")[0] for alarm in status.alarms] == ["frames are being lost"]
    camera.go()
    await eventually(lambda: camera.waiting == 400)
    status = await node.status()
    assert (status.frames, status.frames_dropped, status.alarms) == (383, 17, ())
    await eventually(lambda: panel.beeped == [STARTED, WARNING])
    assert log_text.getvalue().count("event=frames-lost session=s1") == 1
    camera.go()
    await node.stop()


async def test_a_stray_frame_is_counted_without_an_alarm(make_node, ledger, panel, zero_ns, picture, order, eventually):
    camera = Camera(zero_ns, picture, waits=(100,), lost=(10, 60))
    node = make_node(camera, ledger)
    await node.start(order)
    await eventually(lambda: camera.waiting == 100)
    status = await node.status()
    assert (status.frames_dropped, status.alarms) == (2, ())
    assert panel.beeped == [STARTED]
    camera.go()
    await node.stop()


async def test_frames_that_slow_eyes_leave_out_are_in_status_and_figures(
    make_node, make_api, make_eyes, ledger, zero_ns, picture, order, eventually
):
    eyes, camera = make_eyes(blocks_at=0), Camera(zero_ns, picture, waits=(100,))
    node = make_node(camera, ledger, eyes_for=lambda _camera, _first: eyes)
    await node.start(order)
    await eventually(lambda: camera.waiting == 100)
    status = await node.status()
    assert (status.frames, status.frames_dropped) == (100, 0)
    assert 97 <= status.frames_unseen < 100
    async with TestClient(TestServer(make_api(node, ledger))) as client:
        answer = await client.get("/api/v1/metrics", headers={"Authorization": "Bearer open-sesame"})
        assert f"touchline_frames_unseen {float(status.frames_unseen)}" in await answer.text()
    eyes.released.set()
    camera.go()
    await node.stop()
