"""A small rig whose cameras differ in exposure, and frames for it."""

import cv2
import numpy as np
import pytest

from wire.ids import node_id
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, Photometry, Rig, looking

LENS = Lens(348.0, 239.0, 136.0, -0.255, 0.075, 0.0003, -0.0004, -0.0085)


@pytest.fixture(scope="session")
def rig() -> Rig:
    gains = ((1.06, 1.0, 0.95), (1.0, 1.01, 0.99), (0.94, 0.99, 1.05))
    return Rig(
        pitch=Pitch(),
        cameras=tuple(
            CameraModel(
                node_id(f"c{i}"),
                480,
                270,
                LENS,
                looking(yaw, -16.0, 0.5 * i),
                (0.05 * i, -40.0, 7.0),
                photometry=Photometry(gain, (-0.06, -0.02)),
            )
            for i, (yaw, gain) in enumerate(zip((-45.0, 0.0, 45.0), gains, strict=True))
        ),
    )


@pytest.fixture(scope="session")
def frames() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    out = []
    for _ in range(3):
        noise = cv2.GaussianBlur(rng.normal(0, 1, (405, 480)).astype(np.float32), (0, 0), 3)
        planes = np.clip(110 + 280 * noise, 20, 230)
        planes[270:] = 128 + (planes[270:] - 128) * 0.3
        out.append(planes.astype(np.uint8))
    return out
