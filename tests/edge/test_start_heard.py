"""The sign of a start, from the panel's pin through the air into the sound of the segments."""

import threading

import av
import numpy as np
import pytest
from gpiozero.pins.mock import MockFactory

from edge.capture.clocks import boottime_ns
from edge.capture.sound import RATE, Sound
from edge.encode.libav import LibavCoder
from edge.frame import Frame
from edge.record.shelf import VIDEO
from firmware.panel import GpioPanel
from firmware.panel.signals import STARTED
from wire.rigtime import SECOND
from wire.session import SegmentState, StartRecording

LIGHT, BEEPER = 17, 27
BEEP_HZ = 2300
REACHES_NS = 20_000_000
"""So long after a moment the microphone gives what was heard in it."""


class Buzzer:
    """What sounds while its pin is high, and when that was, in ns since boot."""

    def __init__(self, pin):
        pin.clear_states()
        self._pin, self._began_ns = pin, boottime_ns()

    def changes_ns(self):
        """When it began to sound, when it ended, when it began again, …"""
        since_s = np.cumsum([state.timestamp for state in list(self._pin.states)[1:]])
        return self._began_ns + np.round(since_s * SECOND).astype(np.int64)

    def sounds(self, at_ns):
        return np.searchsorted(self.changes_ns(), at_ns, side="right") % 2 == 1


class Microphone:
    """Hears a buzzer beside it, as it happens, from when it is opened."""

    def __init__(self, buzzer):
        self._buzzer = buzzer
        self._first_ns = boottime_ns()
        self._left = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._left.set()

    def __iter__(self):
        first_ns, told = self._first_ns, 0
        while not self._left.wait(0.01):
            until = (boottime_ns() - REACHES_NS - first_ns) * RATE // SECOND
            at = np.arange(told, until)
            if len(at):
                loud = self._buzzer.sounds(first_ns + at * SECOND // RATE)
                wave = 0.3 * np.sin(2 * np.pi * BEEP_HZ * at / RATE) * loud
                yield Sound(wave.astype(np.float32), first_ns + told * SECOND // RATE)
                told = until


class Camera:
    """A live camera of 25 pictures a second, and its own source."""

    width, height, frames_per_second, frames_dropped, live, waits_s = 320, 180, 25.0, 0, True, 0.0

    def __init__(self, zero_ns, picture):
        self.ahead_ns = zero_ns - boottime_ns()
        self._picture = picture
        self._left = threading.Event()

    def open(self, _start_ns, _log=None):
        return self

    def alone(self):
        return self

    def __str__(self):
        return "test:camera"

    def coder(self):
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._left.set()

    def __iter__(self):
        number = 0
        while not self._left.wait(0.04):
            yield Frame(self._picture(number), boottime_ns() + self.ahead_ns, number)
            number += 1


@pytest.fixture
def pins():
    made = MockFactory()
    yield made
    made.reset()


@pytest.fixture
def panel(pins, log):
    made = GpioPanel(LIGHT, BEEPER, pins, log)
    yield made
    made.close()


def loud_ns(node_shelf, offers):
    """When the sound of the segments becomes loud and quiet again, by their times, on the node's clock."""
    pieces = []
    for offer in offers:
        with av.open(str(node_shelf.path(offer.key, VIDEO))) as container:
            for frame in container.decode(audio=0):
                samples = np.abs(frame.to_ndarray().reshape(-1))
                at_ns = offer.start_ns + round(float(frame.time) * SECOND) + np.arange(len(samples)) * SECOND // RATE
                pieces.append(at_ns[samples > 0.1])
    at_ns = np.concatenate(pieces)
    parts = np.split(at_ns, np.flatnonzero(np.diff(at_ns) > 0.05 * SECOND) + 1)
    return np.array([end for part in parts for end in (part[0], part[-1])])


async def test_the_beep_of_a_start_is_heard_in_the_segments_when_the_panel_gave_it(
    make_node, ledger, zero_ns, picture, pins, eventually, monkeypatch
):
    buzzer = Buzzer(pins.pin(BEEPER))
    monkeypatch.setattr("edge.node.open_microphone", lambda _device: Microphone(buzzer))
    camera = Camera(zero_ns, picture)
    node = make_node(camera, ledger, sound="alsa:hw:1")
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    signs = 2 * len(STARTED.rhythm)
    await eventually(lambda: len(buzzer.changes_ns()) == signs)
    # A moment more, in which it is quiet again.
    frames = (await node.status()).frames
    quiet = boottime_ns() + SECOND // 4
    await eventually(lambda: boottime_ns() > quiet)
    beeped_ns = buzzer.changes_ns()[:signs] + camera.ahead_ns
    assert (await node.stop()).fault is None
    offers = [row.offer for row in ledger.segments(SegmentState.CLOSED)]
    assert sum(offer.frames for offer in offers) >= frames
    heard_ns = loud_ns(node._shelf, offers)
    assert len(heard_ns) == signs
    np.testing.assert_allclose((heard_ns - beeped_ns) / 1e6, 0, atol=60)
    # It says that the recording runs: not before its first picture, and soon after.
    assert 0 <= (beeped_ns[0] - offers[0].start_ns) / SECOND < 1
