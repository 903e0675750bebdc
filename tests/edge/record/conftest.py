"""A recording's surroundings, shared by the tests of this folder."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.capture import Frame
from edge.cost import Cost
from edge.encode.libav import LibavCoder
from edge.ledger import Ledger
from edge.record import Recording, Shelf
from wire.session import SegmentState


class Rig:
    """A recording's surroundings: shelf, ledger, and a recording that can be awaited."""

    def __init__(self, root, row, clock, log):
        self.shelf = Shelf(root)
        self.ledger = Ledger(root / "ledger.sqlite")
        self.cost = Cost()
        self.closed = 0
        self._row = row
        self._clock = clock
        self._log = log
        self._done = threading.Event()

    def record(self, camera, eyes, zero_ns, **options) -> Recording:
        self.ledger.begin_session(self._row(start_ns=zero_ns, detector=eyes.name))
        recording = Recording(
            session="s1",
            node="left",
            start_ns=zero_ns,
            camera=camera,
            eyes=eyes,
            shelf=self.shelf,
            ledger=self.ledger,
            clock=self._clock,
            cost=self.cost,
            log=self._log,
            closed=self._count,
            finished=self._done.set,
            **options,
        )
        recording.start()
        return recording

    def _count(self, _offer) -> None:
        self.closed += 1

    def wait(self) -> None:
        assert self._done.wait(30)

    def done(self, within_s: float) -> bool:
        return self._done.wait(within_s)

    def offers(self):
        return [row.offer for row in self.ledger.segments(SegmentState.CLOSED)]


@pytest.fixture
def make_rig(session_row, clock):
    """Makes the surroundings below a folder, with a log."""
    return lambda root, log: Rig(root, session_row, clock, log)


@pytest.fixture
def rig(make_rig, tmp_path, log) -> Iterator[Rig]:
    made = make_rig(tmp_path, log)
    yield made
    made.ledger.close()


class ListCamera:
    """A camera that shows the given frames; where one is a fault it raises it, where one is an event it waits."""

    width, height, frames_per_second, frames_dropped = 320, 180, 25.0, 0
    ahead_ns, waits_s = 0, 0.0

    def __init__(self, frames, live=False) -> None:
        self.frames = frames
        self.live = live
        self.left = threading.Event()

    def coder(self):
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __enter__(self):
        return self

    def __exit__(self, *exc: object) -> None:
        self.left.set()

    def __iter__(self):
        for frame in self.frames:
            if isinstance(frame, Exception):
                raise frame
            if isinstance(frame, threading.Event):
                frame.wait(30)
            else:
                yield frame


@pytest.fixture
def at_fsync(monkeypatch):
    """Calls `strike` with the path of every file that is made durable from now on, before it is."""

    def at(strike):
        honest = os.fsync

        def fsync(fd):
            strike(Path(os.readlink(f"/proc/self/fd/{fd}")))
            honest(fd)

        monkeypatch.setattr(os, "fsync", fsync)

    return at


@pytest.fixture
def frames(picture, zero_ns):
    def make(*milliseconds):
        return [Frame(picture(n), zero_ns + ms * 1_000_000, n) for n, ms in enumerate(milliseconds)]

    return make


@pytest.fixture
def list_camera():
    return ListCamera
