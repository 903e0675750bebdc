"""Pictures that no calibration should be made from."""

from collections.abc import Sequence
from enum import StrEnum

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from simulator.pictures.ground import noise_tile
from wire.rig import CameraModel, Rig

Picture = npt.NDArray[np.uint8]
_SKIN = np.array([96.0, 126.0, 178.0], np.float32)


class Spoiling(StrEnum):
    """What happened to good pictures on their way."""

    UPSIDE_DOWN = "upside-down"
    """Every camera hangs upside down."""
    ONE_UPSIDE_DOWN = "one-upside-down"
    """One of them does."""
    ON_ITS_SIDE = "on-its-side"
    """One picture is turned by a quarter."""
    MIRRORED = "mirrored"
    """All are mirrored, as by a selfie setting."""
    SWAPPED = "swapped"
    """The outer cameras have changed places."""
    BLURRED = "blurred"
    """One lens is far out of focus."""
    HAND = "hand"
    """A hand lies over half of one lens."""
    CROPPED = "cropped"
    """One camera records the middle of its picture, in another shape."""
    BLACK = "black"
    """One lens still has its cap on."""


def spoilt(pictures: Sequence[Picture], how: Spoiling, seed: int = 1) -> tuple[Picture, ...]:
    """The pictures of a rig after `how`; where one camera is hit, `seed` says which."""
    out = list(pictures)
    one = seed % len(out)
    match how:
        case Spoiling.UPSIDE_DOWN:
            out = [cv2.rotate(picture, cv2.ROTATE_180) for picture in out]
        case Spoiling.ONE_UPSIDE_DOWN:
            out[one] = cv2.rotate(out[one], cv2.ROTATE_180)
        case Spoiling.ON_ITS_SIDE:
            out[one] = cv2.rotate(out[one], cv2.ROTATE_90_CLOCKWISE)
        case Spoiling.MIRRORED:
            out = [cv2.flip(picture, 1) for picture in out]
        case Spoiling.SWAPPED:
            out[0], out[-1] = out[-1], out[0]
        case Spoiling.BLURRED:
            out[one] = cv2.GaussianBlur(out[one], (0, 0), out[one].shape[1] / 150)
        case Spoiling.HAND:
            out[one] = _covered(out[one], np.random.default_rng([seed, 0x4A4D]))
        case Spoiling.CROPPED:
            margin = out[one].shape[1] // 8
            out[one] = np.ascontiguousarray(out[one][:, margin:-margin])
        case Spoiling.BLACK:
            random = np.random.default_rng([seed, 0xB1AC])
            out[one] = random.integers(0, 5, out[one].shape, dtype=np.uint8)
    return tuple(np.asarray(picture, np.uint8) for picture in out)


def spoilt_rig(rig: Rig, how: Spoiling, seed: int = 1) -> Rig | None:
    """The cameras that truly took such pictures as `spoilt` makes of those of `rig`; None where no rig in the order of
    the pictures could have."""
    one = seed % len(rig.cameras)
    cameras = list(rig.cameras)
    match how:
        case Spoiling.MIRRORED | Spoiling.SWAPPED | Spoiling.BLACK:
            return None
        case Spoiling.UPSIDE_DOWN:
            cameras = [_quarter(_quarter(camera)) for camera in cameras]
        case Spoiling.ONE_UPSIDE_DOWN:
            cameras[one] = _quarter(_quarter(cameras[one]))
        case Spoiling.ON_ITS_SIDE:
            cameras[one] = _quarter(cameras[one])
        case Spoiling.CROPPED:
            cameras[one] = _narrowed(cameras[one])
        case _:
            pass
    return msgspec.structs.replace(rig, cameras=tuple(cameras))


def _quarter(camera: CameraModel) -> CameraModel:
    """The camera whose picture is that of `camera` turned clockwise by 90 degrees."""
    lens, turn = camera.lens, camera.turn
    turned = msgspec.structs.replace(
        lens, cx_px=camera.height_px - lens.cy_px, cy_px=lens.cx_px, p1=lens.p2, p2=-lens.p1
    )
    rotation = np.stack([-turn[1], turn[0], turn[2]])
    return msgspec.structs.replace(
        camera,
        width_px=camera.height_px,
        height_px=camera.width_px,
        lens=turned,
        rotation=tuple(float(v) for v in rotation.ravel()),
    )


def _narrowed(camera: CameraModel) -> CameraModel:
    margin = camera.width_px // 8
    lens = msgspec.structs.replace(camera.lens, cx_px=camera.lens.cx_px - margin)
    return msgspec.structs.replace(camera, width_px=camera.width_px - 2 * margin, lens=lens)


def _covered(picture: Picture, random: np.random.Generator) -> Picture:
    """A blurred hand from the side, so near that it shows no detail."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for k in range(4):
        tip = int(width * random.uniform(0.5, 0.75)), int(height * (0.08 + 0.26 * k))
        cv2.line(mask, (-width // 10, int(height * (0.2 + 0.18 * k))), tip, 255, height // 5)
    soft = cv2.GaussianBlur(mask, (0, 0), width / 60).astype(np.float32)[..., None] / 255
    tone = cv2.resize(noise_tile(random, 2.2), (width, height), interpolation=cv2.INTER_CUBIC)
    hand = _SKIN * (0.62 + 0.06 * tone)[..., None]
    return np.clip(picture * (1 - soft) + hand * soft, 0, 255).astype(np.uint8)
