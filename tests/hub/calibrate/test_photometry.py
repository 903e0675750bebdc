import msgspec
import numpy as np
import pytest

from hub.calibrate.photometry import corner_radius, match_exposures
from wire.rig import CameraModel, Rig


def exposed(picture: np.ndarray, camera: CameraModel, gain: tuple[float, float, float]) -> np.ndarray:
    """The picture as a camera of another exposure and white balance, a vignette of 12 % in its corner, shows it."""
    u, v = np.meshgrid(np.arange(camera.width_px) + 0.5, np.arange(camera.height_px) + 0.5)
    r = corner_radius(camera, np.stack([u.ravel(), v.ravel()], axis=1)).reshape(u.shape)
    light = (1 - 0.12 * r**2)[..., None] * np.array(gain[::-1])
    return np.clip(np.rint(picture * light), 0, 255).astype(np.uint8)


def test_exposure_white_balance_and_vignette_are_evened_out(small_mast: Rig, photograph):
    gains = [(1.08, 1.0, 0.95), (0.92, 0.97, 1.04)]
    pictures = [
        exposed(photograph(c, small_mast.pitch), c, gain) for c, gain in zip(small_mast.cameras, gains, strict=True)
    ]
    found = match_exposures(small_mast.cameras, pictures)
    for channel in range(3):
        ratio = found[0].gain[channel] / found[1].gain[channel]
        assert ratio == pytest.approx(gains[1][channel] / gains[0][channel], rel=0.015)
        assert found[0].gain[channel] * found[1].gain[channel] == pytest.approx(1, abs=0.01)
    v1, v2 = found[0].vignette
    assert 1 + v1 + v2 == pytest.approx(0.88, abs=0.05)


def test_cameras_that_share_nothing_keep_what_they_have(small_mast: Rig):
    left = small_mast.cameras[0]
    away = msgspec.structs.replace(left, position_m=(400.0, -40.0, 7.0))
    pictures = [np.full((540, 960, 3), 90, np.uint8)] * 2
    assert {p.gain for p in match_exposures([left, away], pictures)} == {(1.0, 1.0, 1.0)}
