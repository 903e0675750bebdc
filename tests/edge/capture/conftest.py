"""A board with fake cameras for the tests of the picamera driver, and the proof that every request went back to it."""

import sys
import threading
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[2] / "fakes"
# Rows of 320 and 640 pixels: the first is padded, the second is not.
SMALL_MODES = (
    ((640, 360), 10, 100.0, (0, 0, 1280, 720)),
    ((1280, 720), 10, 60.0, (0, 0, 1280, 720)),
    ((1280, 720), 12, 40.0, (0, 0, 1280, 720)),
)


@pytest.fixture
def small_modes():
    return SMALL_MODES


@pytest.fixture
def hardware(monkeypatch):
    """The fake `libcamera.hardware`, with the fake `picamera2` importable for the time of the test."""
    monkeypatch.syspath_prepend(str(FAKES))
    # Whatever the driver sets there is taken back after the test.
    monkeypatch.setenv("LIBCAMERA_RPI_CONFIG_FILE", "")
    monkeypatch.delenv("LIBCAMERA_RPI_CONFIG_FILE")
    from libcamera import hardware

    yield hardware
    for name in [name for name in sys.modules if name.partition(".")[0] in ("picamera2", "libcamera")]:
        del sys.modules[name]


@pytest.fixture
def plug(hardware, until):
    """Plugs sensors into a board, and holds at the end that each camera was closed, and no request or thread leaked."""
    boards = []
    before = set(threading.enumerate())

    def make(*sensors, stuck=False, **board):
        sensors = sensors or (hardware.Sensor("toy", modes=SMALL_MODES),)
        hardware.plugged = hardware.Board(*sensors, **board)
        boards.append((hardware.plugged, stuck))
        return hardware.plugged

    yield make
    for board, stuck in boards:
        for picam2 in board.opened:
            # One that is stuck holds requests of its own, in the event thread.
            assert stuck or not picam2.outstanding
            assert picam2.is_open == stuck
        for sensor in board.sensors:
            sensor.stop_hangs.set()
        for picam2 in board.opened:
            picam2.close()
    # A thread that outlives its test would end the whole run in the next one that leaves a process.
    until(lambda: set(threading.enumerate()) <= before)


@pytest.fixture
def open_camera(hardware):
    """Opens a camera of the plugged board by the driver, on the board's clocks."""
    from edge.capture import Profile, Sync
    from edge.capture.picamera.camera import Patience, PicameraCamera

    def make(which="0", profile="320x180@25", sync=Sync.OFF, log=None, cores=16, patience=None, **rest):
        board = hardware.plugged
        return PicameraCamera(
            which,
            Profile.parse(profile) if profile else None,
            sync,
            log,
            patience=Patience(**(patience or {})),
            cores=cores,
            boottime_ns=board.boottime_ns,
            realtime_ns=board.realtime_ns,
            **rest,
        )

    return make
