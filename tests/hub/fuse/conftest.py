import numpy as np
import pytest

from wire.ids import node_id
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, Rig, looking


@pytest.fixture
def pitch():
    return Pitch(55.0, 37.0, 7)


@pytest.fixture
def mast(pitch):
    """Three cameras on one pole behind the near touchline, with clocks that differ."""
    cameras = tuple(
        CameraModel(
            node=node_id(name),
            width_px=1920,
            height_px=1080,
            lens=Lens(1250.0, 960.0, 540.0),
            rotation=looking(yaw, -12.0, 0.0),
            position_m=(0.07 * i, -25.0, 6.0),
            clock_offset_ns=offset,
        )
        for i, (name, yaw, offset) in enumerate(
            [("left", -45, 40_000_000), ("centre", 0, 0), ("right", 45, -25_000_000)]
        )
    )
    return Rig(pitch=pitch, cameras=cameras)


@pytest.fixture
def squad():
    """Paths (frames, persons, 2) of two teams of three and a referee that keep apart, for 20 s."""
    t = np.arange(500) / 25
    homes = [(-20, 0), (-10, 8), (-9, -8), (20, 1), (9, 9), (10, -7), (0, 2)]
    paths = [
        np.column_stack([x + 2.5 * np.sin(0.5 * t + i), y + 2.0 * np.cos(0.4 * t + 2 * i)])
        for i, (x, y) in enumerate(homes)
    ]
    return np.stack(paths, axis=1)
