"""Cameras that go on by themselves, as a board's do."""

import threading

import pytest

from edge.capture.clocks import boottime_ns
from edge.encode.libav import LibavCoder
from edge.errors import CameraFault
from edge.frame import Frame


class LiveCamera:
    """A camera of 320 x 180 that shows a picture every 4 ms, which says that it is 40 ms later than the one before.

    It ends after `last` of them, and hangs while `hangs` is set; what is put into `fault` is raised. One that is `deaf`
    does not notice that it is closed.
    """

    width, height, frames_per_second, waits_s = 320, 180, 25.0, 0.0

    def __init__(self, start_ns, picture, *, live=True, last=1 << 40, deaf=False, hangs=False):
        self.live = live
        self.ahead_ns = start_ns - boottime_ns()
        self.frames_dropped = 0
        self.closed = 0
        self.shows = lambda number: number
        """Which picture is shown as the one of this number."""
        self.fault = None
        self.hangs = threading.Event()
        if hangs:
            self.hangs.set()
        self.left = threading.Event()
        self._start_ns, self._picture, self._last, self._deaf = start_ns, picture, last, deaf

    def coder(self):
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.closed += 1
        if not self._deaf:
            self.left.set()

    def __iter__(self):
        for number in range(self._last):
            self.left.wait(0.004)
            while self.hangs.is_set() and not self.left.wait(0.004):
                pass
            if self.fault:
                raise self.fault
            if self.left.is_set():
                return
            yield Frame(self._picture(self.shows(number)), self._start_ns + number * 40_000_000, number)


class LiveSource:
    """Opens such cameras; `opened` are those it did. What stands in `faults` is raised first."""

    def __init__(self, picture, **how):
        self.opened = []
        self.faults = []
        self.most_open = 0
        self._picture, self._how = picture, how
        self._lock = threading.Lock()

    def alone(self):
        return self

    at_once = alone

    def open(self, start_ns, _log=None):
        with self._lock:
            if self.faults:
                raise CameraFault(self.faults.pop(0))
            self.opened.append(LiveCamera(start_ns, self._picture, **self._how))
            self.most_open = max(self.most_open, sum(not camera.closed for camera in self.opened))
            return self.opened[-1]

    @property
    def camera(self):
        return self.opened[-1]

    def __str__(self):
        return "test:camera"


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr("edge.viewing.viewfinder._LINGER_S", 0.02)


@pytest.fixture
def make_source(picture):
    made = []

    def make(**how):
        made.append(LiveSource(picture, **how))
        return made[-1]

    yield make
    for camera in [camera for source in made for camera in source.opened]:
        camera.left.set()


@pytest.fixture
def source(make_source):
    return make_source()
