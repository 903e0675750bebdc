"""Bad pictures: whether calibration says no, and why."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from bench.against_truth import pitch_errors_m
from hub.calibrate import View, calibrate
from hub.errors import HubError
from simulator.scenes import HOPELESS, Difficulty, Spoiling, scene, spoilt, spoilt_rig
from wire.clicks import Click
from wire.pitch import Pitch
from wire.rig import Rig

_SIZE = (1920, 1080)
_STILL_GOOD_M = 0.15
"""Some leave enough to see: whoever trusts what he found must be so near (median on the pitch)."""

Pictures = Sequence[npt.NDArray[np.uint8]]


def refusals(seed: int) -> int:
    """Print for each bad set of pictures what calibration makes of it, without clicks and with four a camera; how many
    were trusted that are wrong, or made it crash."""
    print("\nBad pictures (to trust what is wrong is a fault, and so is to crash)")
    faults = 0
    for name, pictures, true, fov, clicked in _bad(seed):
        for points in (0, 4):
            verdict, fault = _judged(pictures, true, fov, clicked if points else [])
            faults += fault
            print(f"{name:18} {points} clicks  {verdict}", flush=True)
    print(f"bad pictures trusted or crashed on: {faults} {'short' if faults else 'PASS'}")
    return faults


def _bad(seed: int) -> Iterator[tuple[str, Pictures, Rig | None, float, list[Click]]]:
    """Name, pictures, the rig that is true of them if there is one, nominal field of view, and what somebody clicks who
    believes that they are good."""
    good = scene("mast", Pitch(), seed, _SIZE)
    for how in Spoiling:
        pictures, true = spoilt(good.pictures, how, seed), spoilt_rig(good.rig, how, seed)
        yield how, pictures, true, good.nominal_fov_deg, good.clicks(4)
    for weather in sorted(HOPELESS):
        bad = scene("mast", Pitch(), seed, _SIZE, [weather])
        true = bad.rig if weather in (Difficulty.NIGHT, Difficulty.FOG) else None
        yield weather, bad.pictures, true, bad.nominal_fov_deg, good.clicks(4)


def _judged(pictures: Pictures, true: Rig | None, fov: float, clicked: list[Click]) -> tuple[str, bool]:
    views = [View(camera, picture, fov) for camera, picture in zip(("left", "centre", "right"), pictures, strict=True)]
    try:
        rig = calibrate(views, Pitch(), clicked, lambda _what, _share: None)
    except HubError as fault:
        return f"refused: {fault}", False
    except Exception as fault:  # one set of pictures that makes it fall over must not hide the others
        return f"FAULT: crashed: {fault!r}", True
    if not rig.quality.trusted:
        return f"not trusted: {'; '.join(rig.quality.notes)}", False
    if true is None:
        return "FAULT: trusted", True
    off = float(np.median(pitch_errors_m(rig, true)))
    return (
        (f"trusted, off by {off:.3f} m", False)
        if off < _STILL_GOOD_M
        else (f"FAULT: trusted, off by {off:.2f} m", True)
    )
