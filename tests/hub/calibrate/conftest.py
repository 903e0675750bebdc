"""A rig of three cameras on a mast and people walking before it."""

import numpy as np
import pytest

from wire.ids import node_id
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, Rig, looking

LENS = Lens(1390.0, 958.0, 543.0, -0.255, 0.075, 0.0003, -0.0004, -0.0085)


def camera(index: int, yaw: float, x: float) -> CameraModel:
    return CameraModel(
        node_id(f"cam{index}"), 1920, 1080, LENS, looking(yaw, -16.0 - index, 0.6 * index - 0.5), (x, -40.0, 7.0)
    )


@pytest.fixture
def mast_rig() -> Rig:
    return Rig(pitch=Pitch(), cameras=tuple(camera(i, yaw, 0.06 * (i - 1)) for i, yaw in enumerate((-45.0, 0.5, 44.0))))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)
