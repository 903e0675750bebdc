import pytest

from simulator.match.engine import play
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch


@pytest.fixture(scope="session")
def truth():
    return play(default_pitch(7), 4.0, 11)


@pytest.fixture(scope="session")
def true_rig(truth):
    return virtual_rig("mast", truth.pitch, 11, 960, 540)


@pytest.fixture(scope="session")
def cameras(true_rig, truth):
    return [VirtualCamera(true_rig, index, truth, 11) for index in range(3)]
