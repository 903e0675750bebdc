"""A rig as it is really put up: unit lenses, mounts and a pole that nobody has measured."""

import math

import msgspec
import numpy as np

from simulator.pictures.rigs import (
    K1,
    K2,
    NAMES,
    PictureFaults,
    RigKind,
    TrueRig,
    focal_of_hfov,
    nominal_model,
    remedy,
    stances,
)
from wire.pitch import Pitch
from wire.rig import Lens, Rig, looking

_OVERLAP_DEG = 30.0
_POLE_M = np.array([1.0, 1.0, 0.5])


def scene_rig(
    kind: RigKind,
    pitch: Pitch,
    seed: int,
    size: tuple[int, int] = (2304, 1296),
    cameras: int = 3,
    apart_m: float = 0.05,
) -> TrueRig:
    """Two or three cameras of `size` (width, height) pixels beside `pitch` with the tolerances of a day on the field.

    Nobody knows: where the pole stands (to a metre), how each camera is mounted (yaw, pitch and roll to .8 degrees),
    its lens (field of view to .4 degrees, distortion, axis), exposure, colours and vignette. Cameras of a mast are
    `apart_m` from each other; those of a sideline rig some 25 m.
    """
    random = np.random.default_rng([seed, 0x516])
    width, height = size
    pole = random.uniform(-_POLE_M, _POLE_M)
    models, faults = [], []
    meant = stances(kind, pitch, width, height, cameras, _OVERLAP_DEG)
    for index, stance in enumerate(meant):
        name = NAMES[index] if cameras == 3 else (NAMES[0], NAMES[2])[index]
        yaw, tilt, roll = random.normal(0.0, 0.8, 3)
        lens = _unit_lens(stance.hfov_deg + random.normal(0.0, 0.4), width, height, random)
        place = np.array(stance.position_m) + pole
        if kind == "mast":
            place[0] = pole[0] + (index - (cameras - 1) / 2) * apart_m
            place += random.normal(0.0, 0.1 * apart_m, 3) * (0, 1, 1)
        else:
            place += random.uniform(-0.3, 0.3, 3)
        fault = PictureFaults(
            gain=math.exp(random.uniform(-0.055, 0.055)),
            white_balance=(math.exp(random.uniform(-0.015, 0.015)), 1.0, math.exp(random.uniform(-0.015, 0.015))),
            vignette=(-0.08, 0.0),
            noise_sigma=1.0,
            phase_s=0.0,
        )
        models.append(
            msgspec.structs.replace(
                nominal_model(name, stance, width, height),
                lens=lens,
                rotation=looking(stance.yaw_deg + yaw, stance.pitch_deg + tilt, roll),
                position_m=(float(place[0]), float(place[1]), float(place[2])),
                photometry=remedy(fault),
            )
        )
        faults.append(fault)
    return TrueRig(kind, Rig(pitch=pitch, cameras=tuple(models)), tuple(faults))


def _unit_lens(hfov_deg: float, width: int, height: int, random: np.random.Generator) -> Lens:
    k1, k2 = K1 + random.normal(0, 0.006), K2 + random.normal(0, 0.003)
    p1, p2 = random.normal(0, 0.0006, 2)
    axis = np.array([width, height]) / 2 + random.normal(0, 6, 2) * width / 2304
    return Lens(focal_of_hfov(hfov_deg, width, k1, k2), float(axis[0]), float(axis[1]), k1, k2, float(p1), float(p2))
