"""Small rigs whose cameras differ in exposure, and pictures for them."""

import cv2
import msgspec
import numpy as np
import pytest

from hub.picture import Picture
from hub.stitch import StitchPlan, plan_panorama
from simulator.pictures.rigs import virtual_rig
from wire.ids import node_id
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, Photometry, Rig, looking

LENS = Lens(348.0, 239.0, 136.0, -0.255, 0.075, 0.0003, -0.0004, -0.0085)
LIGHTS = tuple(Photometry(gain, (-0.06, -0.02)) for gain in ((1.06, 1.0, 0.95), (1.0, 1.01, 0.99), (0.94, 0.99, 1.05)))


def mast_rig(cameras: int = 3) -> Rig:
    """On one mast, 5 cm apart, 45 degrees from camera to camera. Planes of chroma have an odd height."""
    middle = (cameras - 1) / 2
    return Rig(
        pitch=Pitch(),
        cameras=tuple(
            CameraModel(
                node_id(f"c{i}"),
                480,
                270,
                LENS,
                looking(45.0 * (i - middle), -16.0, 0.5 * i),
                (0.05 * i, -40.0, 7.0),
                photometry=LIGHTS[i],
            )
            for i in range(cameras)
        ),
    )


def sideline_rig() -> Rig:
    """Three cameras 25 m apart along the line. Planes of chroma have an odd width."""
    rig = virtual_rig("sideline", Pitch(), 3, 482, 272).rig
    lit = [msgspec.structs.replace(c, photometry=p) for c, p in zip(rig.cameras, LIGHTS, strict=True)]
    return msgspec.structs.replace(rig, cameras=tuple(lit))


@pytest.fixture(scope="session")
def rig() -> Rig:
    return mast_rig()


@pytest.fixture(scope="session")
def plan(rig: Rig) -> StitchPlan:
    return plan_panorama(rig, 1024)


@pytest.fixture(scope="session")
def frames(rig: Rig) -> list[Picture]:
    return pictures(rig)


def pictures(rig: Rig, blur: float = 3.0, seed: int = 3) -> list[Picture]:
    """Clouds of every brightness for each camera, of pale colours; the less blurred, the harder to read right."""
    rng = np.random.default_rng(seed)

    def plane(height: int, width: int, middle: float, spread: float) -> np.ndarray:
        noise = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), blur)
        return np.clip(middle + spread * noise / noise.std(), 20, 235).astype(np.uint8)

    return [
        Picture(
            plane(c.height_px, c.width_px, 110, 35),
            plane(c.height_px // 2, c.width_px // 2, 128, 12),
            plane(c.height_px // 2, c.width_px // 2, 128, 12),
        )
        for c in rig.cameras
    ]


def panorama(plan: StitchPlan) -> Picture:
    """A picture to stitch into, full of what must not stay."""
    into = Picture.empty(plan.view.width_px, plan.view.height_px)
    for plane in into:
        plane[:] = 77
    return into
