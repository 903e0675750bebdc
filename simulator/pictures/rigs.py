"""Virtual rigs: where three cameras stand, how they look, and what is wrong with each of their pictures.

Yaw, field of view and pitch follow from the size of the pitch, so that any pitch is covered; then every unit gets the
small errors that a real lens, bracket and clock have.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from wire.ids import node_id
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, Photometry, Rig, looking
from wire.rigtime import MILLISECOND

RigKind = Literal["mast", "sideline"]
NAMES = ("left", "centre", "right")
"""The nodes of a rig from the left; camera 0, 1, 2."""

K1, K2 = -0.25, 0.07
"""Distortion of a plain wide-angle M12 or CS lens, on average."""


@dataclass(frozen=True)
class PictureFaults:
    """What one unit does to its pictures.

    `gain` and `white_balance` (R, G, B) multiply the coded picture, which is darkened by the vignette
    1 + v1 r² + v2 r⁴ (r = 1 at the corner); `noise_sigma` is in 8-bit levels; the first exposure is `phase_s` after
    match time zero.
    """

    gain: float
    white_balance: tuple[float, float, float]
    vignette: tuple[float, float]
    noise_sigma: float
    phase_s: float


@dataclass(frozen=True)
class TrueRig:
    """The exact truth about a virtual rig: its camera models (with `clock_offset_ns` as `wire.rig` has it: to be added
    to the node's capture times) and each camera's picture faults."""

    kind: RigKind
    rig: Rig
    faults: tuple[PictureFaults, ...]
    frames_per_second: float = 25.0


@dataclass(frozen=True)
class Stance:
    """Where one camera is meant to stand and look, and what its lens shows across the picture: degrees, metres."""

    position_m: tuple[float, float, float]
    yaw_deg: float
    pitch_deg: float
    hfov_deg: float


def virtual_rig(kind: RigKind, pitch: Pitch, seed: int, width_px: int = 1920, height_px: int = 1080) -> TrueRig:
    """The rig `kind` beside `pitch` with the unit-to-unit errors of `seed`."""
    random = np.random.default_rng([seed, 0x71])
    cameras, faults = [], []
    for index, stance in enumerate(stances(kind, pitch, width_px, height_px)):
        ideal = nominal_model(NAMES[index], stance, width_px, height_px)
        yaw, tilt, roll = np.clip(random.normal(0.0, 0.4, 3), -0.8, 0.8)
        lens = Lens(
            focal_px=ideal.lens.focal_px * (1 + random.uniform(-0.005, 0.005)),
            cx_px=width_px / 2 + random.normal(0, 6) * width_px / 1920,
            cy_px=height_px / 2 + random.normal(0, 6) * width_px / 1920,
            k1=K1 + random.normal(0, 0.006),
            k2=K2 + random.normal(0, 0.003),
            p1=random.normal(0, 0.0004),
            p2=random.normal(0, 0.0004),
        )
        reach = 0.01 if kind == "mast" else 0.15
        position = np.array(stance.position_m) + random.uniform(-reach, reach, 3)
        fault = PictureFaults(
            gain=math.exp(random.uniform(-0.08, 0.08)),
            white_balance=(math.exp(random.uniform(-0.04, 0.04)), 1.0, math.exp(random.uniform(-0.04, 0.04))),
            vignette=(-random.uniform(0.10, 0.20), random.uniform(0.0, 0.03)),
            noise_sigma=random.uniform(1.0, 1.5),
            phase_s=random.uniform(0.0, 0.040),
        )
        worst = 8 if index == 1 else 60
        cameras.append(
            msgspec.structs.replace(
                ideal,
                lens=lens,
                rotation=looking(stance.yaw_deg + yaw, stance.pitch_deg + tilt, roll),
                position_m=(float(position[0]), float(position[1]), float(position[2])),
                clock_offset_ns=int(random.uniform(-worst, worst) * MILLISECOND),
                photometry=remedy(fault),
            )
        )
        faults.append(fault)
    return TrueRig(kind, Rig(pitch=pitch, cameras=tuple(cameras)), tuple(faults))


def nominal_hfov_deg(kind: RigKind, pitch: Pitch, width_px: int = 1920, height_px: int = 1080) -> float:
    """What the lens's data sheet says: the horizontal field of view in degrees, distortion included, without this
    unit's error. It may be told to the hub; it is no truth about the rig."""
    return round(stances(kind, pitch, width_px, height_px)[0].hfov_deg, 1)


def focal_of_hfov(hfov_deg: float, width_px: int, k1: float = K1, k2: float = K2) -> float:
    """Focal length in pixels of a lens with distortion k1, k2 that shows `hfov_deg` across `width_px`."""
    r = math.tan(math.radians(hfov_deg / 2))
    return width_px / 2 / (r * (1 + k1 * r**2 + k2 * r**4))


def coverage(cameras: tuple[CameraModel, ...], pitch: Pitch, step_m: float = 0.5) -> float:
    """The share of the pitch's area that at least one of the cameras sees."""
    return float(np.mean(np.any([camera.sees(camera.project(_grid(pitch, step_m))) for camera in cameras], axis=0)))


def _grid(pitch: Pitch, step_m: float) -> npt.NDArray[np.float64]:
    x = np.linspace(-pitch.half_length, pitch.half_length, round(pitch.length_m / step_m) + 1)
    y = np.linspace(-pitch.half_width, pitch.half_width, round(pitch.width_m / step_m) + 1)
    ground = np.stack(np.meshgrid(x, y, [0.0]), axis=-1)
    return ground.reshape(-1, 3)


def nominal_model(name: str, stance: Stance, width_px: int, height_px: int) -> CameraModel:
    """The camera `name` exactly as it is meant to be."""
    lens = Lens(focal_of_hfov(stance.hfov_deg, width_px), width_px / 2, height_px / 2, K1, K2)
    turn = looking(stance.yaw_deg, stance.pitch_deg, 0.0)
    return CameraModel(node_id(name), width_px, height_px, lens, turn, stance.position_m)


def remedy(fault: PictureFaults) -> Photometry:
    """What undoes the exposure, colours and vignette of `fault`."""
    red, green, blue = (1 / (fault.gain * w) for w in fault.white_balance)
    return Photometry(gain=(red, green, blue), vignette=fault.vignette)


@lru_cache(maxsize=32)
def stances(
    kind: RigKind, pitch: Pitch, width_px: int, height_px: int, cameras: int = 3, overlap_deg: float = 9.0
) -> list[Stance]:
    """Where two or three cameras of a rig are meant to stand and look, from the left. `overlap_deg` is what neighbours
    on a mast both see; along the sideline it follows from where they stand."""
    if kind == "mast":
        return _mast(pitch, width_px, height_px, cameras, overlap_deg)
    if kind == "sideline":
        return _sideline(pitch, width_px, height_px, cameras)
    raise ValueError(f"{kind!r} is not a kind of rig: use mast or sideline")


def _mast(pitch: Pitch, width_px: int, height_px: int, cameras: int, overlap_deg: float) -> list[Stance]:
    """Cameras on one pole behind the near touchline's middle.

    The outer ones just hold the near corners, the field of view is the smallest that leaves the overlap, and
    the upper edge lies a little above the far goals, to leave all the rest of the picture to the near touchline.
    """
    back, height = 6.5, min(max(7.0 * math.sqrt(pitch.width_m / 68.0), 4.8), 8.0)
    pole = (0.0, -pitch.half_width - back, height)
    top = math.degrees(math.atan2(2.5 - height, pitch.width_m + back)) + 3.0
    hfov = yaw = tilt = 0.0
    for hfov in np.arange(48.0, 110.0, 0.25):
        tilt = _tilt_for_top(hfov, top, width_px, height_px)
        yaw = _yaw_for_corner(pole, hfov, tilt, pitch, width_px, height_px)
        neighbour_yaw = 0.0 if cameras == 3 else -yaw
        neighbour = nominal_model("left", Stance(pole, neighbour_yaw, tilt, float(hfov)), width_px, height_px)
        right = nominal_model("right", Stance(pole, yaw, tilt, float(hfov)), width_px, height_px)
        edge = _azimuth(neighbour, width_px, height_px / 2) - _azimuth(right, 0.0, height_px / 2)
        if edge >= overlap_deg:
            break
    return [
        Stance((pole[0] + 0.07 * side, pole[1], pole[2]), side * yaw, tilt, float(hfov)) for side in _SIDES[cameras]
    ]


_SIDES = {2: (-1, 1), 3: (-1, 0, 1)}


def _sideline(pitch: Pitch, width_px: int, height_px: int, cameras: int) -> list[Stance]:
    """Cameras about 25 m apart behind the near touchline, with the smallest field of view that covers it all."""
    apart, back, height = 25.0 * pitch.length_m / 105.0, max(0.2 * pitch.width_m, 6.0), 4.8
    if cameras == 2:
        apart /= 2
    y = -pitch.half_width - back
    top = math.degrees(math.atan2(2.5 - height, pitch.width_m + back)) + 4.0
    found: list[Stance] = []
    for hfov in np.arange(64.0, 110.0, 2.0):
        tilt = _tilt_for_top(hfov, top, width_px, height_px)
        yaw = _yaw_for_corner((apart, y, height), hfov, tilt, pitch, width_px, height_px)
        found = [Stance((side * apart, y, height), side * yaw, tilt, float(hfov)) for side in _SIDES[cameras]]
        models = tuple(nominal_model(NAMES[k], stance, width_px, height_px) for k, stance in enumerate(found))
        if coverage(models, pitch, 1.0) >= 0.996:
            break
    return found


def _tilt_for_top(hfov_deg: float, top_deg: float, width_px: int, height_px: int) -> float:
    """The pitch at which the middle of the upper edge looks `top_deg` above the horizon."""
    level = nominal_model("left", Stance((0.0, 0.0, 0.0), 0.0, 0.0, hfov_deg), width_px, height_px)
    ray = level.rays([[width_px / 2, 0.0]])[0]
    return top_deg - math.degrees(math.asin(ray[2]))


def _yaw_for_corner(
    place: tuple[float, float, float], hfov: float, tilt: float, pitch: Pitch, width_px: int, height_px: int
) -> float:
    """The yaw at which the near right corner lies 2.5 % of the width inside the right edge."""
    corner = [[pitch.half_length, -pitch.half_width, 0.0]]
    low, high = 0.0, 90.0
    for _ in range(20):
        yaw = (low + high) / 2
        u = nominal_model("left", Stance(place, yaw, tilt, hfov), width_px, height_px).project(corner)[0, 0]
        if math.isnan(u) or u > width_px * 0.975:
            low = yaw
        else:
            high = yaw
    return high


def _azimuth(model: CameraModel, u: float, v: float) -> float:
    ray = model.rays([[u, v]])[0]
    return math.degrees(math.atan2(ray[0], ray[1]))
