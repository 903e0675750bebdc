"""From pictures and a few clicked points to a calibrated rig."""

import contextlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np

from hub.calibrate.clicked import click_term, clicks_of
from hub.calibrate.doubts import doubt
from hub.calibrate.least_squares import Term, minimise
from hub.calibrate.lens_jacobian import FOCAL, PARAMETERS, POSITION, RADIAL, FittedCamera, fitted_camera
from hub.calibrate.overlap import Matches, match, match_term
from hub.calibrate.paint import Markings, Paint, find_paint, markings, paint_term, whiteness
from hub.calibrate.photometry import match_exposures
from hub.calibrate.priors import alike, lens_prior
from hub.calibrate.quality import judge
from hub.calibrate.starts import Look, find_starts
from hub.calibrate.views import View
from hub.errors import ClicksFitNoCamera, PitchNotFound, ViewsDoNotFit
from wire.clicks import Click
from wire.pitch import Pitch
from wire.rig import Array, CameraModel, Photometry, Rig

Progress = Callable[[str, float], None]

_CLOSE_M = 8.0
"""Cameras that stand nearer to each other see the same of the ground where both look."""
MAST_M = 3.0
"""Cameras no further apart than this stand on one mast and see the background in the same direction."""
_WIDTH = 1920
_TOGETHER = (12.0, 8.0, 5.0, 5.0)
"""How far from its prediction paint is looked for, pass by pass, in pixels at `_WIDTH`."""
_ANOTHER_LENS = 4.0
"""Standard deviations from a measured lens at which a fitted one is another."""
_FAULTS = (PitchNotFound, ClicksFitNoCamera, ViewsDoNotFit)
"""What may come of looking through a wrong lens."""


def calibrate(views: Sequence[View], pitch: Pitch, clicks: Sequence[Click], progress: Progress) -> Rig:
    """The rig that took these pictures, its cameras from the left as `views` are.

    `clicks` name points of the pitch in them, four or more per camera or as many as there are: without them the lines
    alone tell. Lens, pose, whether the cameras share a mast, exposure and vignette are found. `progress` hears what is
    being done and the share that is. A measured lens that the pictures speak against is left aside, which a note of
    the rig's tells. When the painted lines do not confirm the fit the rig comes back untrusted, its notes saying why.
    Raises `ViewsDoNotFit`, `ClicksFitNoCamera`, `PitchNotFound`, or `LensUnknown` for a lens measured with pictures of
    another shape.
    """
    if not 1 <= len(views) <= 3:
        raise ViewsDoNotFit(f"a rig has one to three cameras, not {len(views)}")
    stray = sorted({click.camera for click in clicks if click.camera >= len(views)})
    if stray:
        raise ViewsDoNotFit(f"there are clicks for camera {stray[0]}, but cameras only from 0 to {len(views) - 1}")
    mine = [clicks_of(i, clicks) for i in range(len(views))]
    painted = markings(pitch)
    whites = [whiteness(view.picture) for view in views]
    looks = [Look(i, *each) for i, each in enumerate(zip(views, whites, mine, strict=True))]
    rig = (_by_profiles if any(look.measured for look in looks) else _calibrated)(looks, pitch, painted, progress)
    progress("calibrated", 1.0)
    return rig


def _by_profiles(looks: Sequence[Look], pitch: Pitch, painted: Markings, progress: Progress) -> Rig:
    """The rig by the lenses that were measured; without those that the pictures speak against, and its notes tell."""
    measured = [look for look in looks if look.measured is not None]
    found, others = None, measured
    with contextlib.suppress(*_FAULTS):
        found = _calibrated(looks, pitch, painted, progress)
        others = [look for look in measured if _is_another(found.cameras[look.index], look)]
    if found is not None and found.quality.trusted and not others:
        return found
    # Nothing that was found through a wrong lens is a place to begin from.
    doubted = [look.view.lens for look in others or measured]
    aside = [look.index for look in measured if look.view.lens in doubted]
    looks = [look.without_profile() if look.index in aside else look for look in looks]
    try:
        without = _calibrated(looks, pitch, painted, lambda step, _share: progress(f"{step}, without the profile", 0.9))
    except _FAULTS:
        if found is None:
            raise
        told = "its lens is not the one that was measured"
        return _noted(found, [f"camera {look.index}: {told}" for look in others], False)
    if found is not None and not others and not without.quality.trusted:
        return found
    told = "its lens is not the one that was measured, which was left aside"
    return _noted(without, [f"camera {index}: {told}" for index in aside], without.quality.trusted)


def _noted(rig: Rig, notes: Sequence[str], trusted: bool) -> Rig:
    """The rig with more to say of it."""
    quality = msgspec.structs.replace(rig.quality, trusted=trusted, notes=(*rig.quality.notes, *notes))
    return msgspec.structs.replace(rig, quality=quality)


def _is_another(camera: CameraModel, look: Look) -> bool:
    """Whether the lens that was found is too far from the measured one to be of that model."""
    return bool(np.abs(look.belief(camera.lens.focal_px, 1.0).off(fitted_camera(camera))).max() > _ANOTHER_LENS)


def _calibrated(looks: Sequence[Look], pitch: Pitch, painted: Markings, progress: Progress) -> Rig:
    """The rig by what is known of each camera's lens."""
    starts = find_starts(looks, pitch, painted, lambda step, share: progress(step, 0.5 * share))
    progress("all cameras together", 0.5)
    fitted, paint, matches, covariance = _together(starts, looks, painted)
    progress("exposure and vignette", 0.9)
    models = [camera.camera_model() for camera in fitted]
    doubts = [f"camera {look.index}: {words}" for look in looks if (words := doubt(look.view.picture))]
    check_order(models, pitch, doubts)
    photometry = match_exposures(models, [look.view.picture for look in looks])
    crested = [look.crests.share(camera, painted) for look, camera in zip(looks, fitted, strict=True)]
    clicks = [look.clicks for look in looks]
    quality = judge(fitted, clicks, paint, matches, crested=crested, covariance=covariance, pitch=pitch)
    if not quality.trusted:
        quality = msgspec.structs.replace(quality, notes=(*quality.notes, *doubts))
    out = [
        _with(model, light, block) for model, light, block in zip(models, photometry, _blocks(covariance), strict=True)
    ]
    return Rig(pitch=pitch, cameras=tuple(out), quality=quality)


class _Fit(NamedTuple):
    """The cameras fitted together, the paint and the matches that they were fitted to, and the covariance."""

    cameras: list[FittedCamera]
    paint: list[Paint]
    matches: list[Matches]
    covariance: Array


def _together(cameras: Sequence[FittedCamera], looks: Sequence[Look], painted: Markings) -> _Fit:
    """All cameras fitted jointly to clicks, paint and, on a mast, to what neighbours both see."""
    here = list(cameras)
    beliefs = [look.belief(camera.focal_px, 0.05) for look, camera in zip(looks, here, strict=True)]
    clicks = [look.clicks for look in looks]
    pictures = [look.view.picture for look in looks]
    whites = [look.white for look in looks]
    scale = here[0].width_px / _WIDTH
    mast = one_mast(here)
    paint: list[Paint] = []
    matches: list[Matches] = []
    covariance = np.zeros((PARAMETERS * len(here),) * 2)
    for turn, reach in enumerate(_TOGETHER):
        paint = [find_paint(c, white, painted, reach * scale) for c, white in zip(here, whites, strict=True)]
        if mast and turn in (0, 2):
            matches = [match(here, i, i + 1, pictures, reach * scale) for i in range(len(here) - 1)]
        tight = max(1.0, reach / 6)

        def terms(cameras: Sequence[FittedCamera], tight: float = tight) -> list[Term]:
            out = [
                click_term(cameras, clicks, 4.0),
                lens_prior(cameras, beliefs),
                alike(cameras, slice(FOCAL, FOCAL + 1), np.array([0.01])),
                alike(cameras, RADIAL, np.array([0.02, 0.015, 0.0008, 0.0008, 0.008])),
                paint_term(cameras, paint, tight),  # noqa: B023 - used at once
            ]
            if mast:
                out.append(alike(cameras, POSITION, np.full(3, 0.1)))
                out += [match_term(cameras, pair, 2.0) for pair in matches]  # noqa: B023 - used at once
            return out

        here, _, covariance = minimise(here, terms, 15)
    paint = [find_paint(c, white, painted, _TOGETHER[-1] * scale) for c, white in zip(here, whites, strict=True)]
    if not mast:
        # They took no part in the fit, so they can prove it wrong.
        close = [i for i in range(len(here) - 1) if np.linalg.norm(here[i].centre_m - here[i + 1].centre_m) < _CLOSE_M]
        matches = [match(here, i, i + 1, pictures, _TOGETHER[0] * scale) for i in close]
    return _Fit(here, paint, matches, covariance)


def check_order(cameras: Sequence[CameraModel], pitch: Pitch, doubts: Sequence[str]) -> None:
    """Raises `ViewsDoNotFit`, with what else is doubtful, unless each camera sees more of the left of the pitch than
    the next one."""
    x, y = np.meshgrid(
        np.linspace(-pitch.half_length, pitch.half_length, 43), np.linspace(-pitch.half_width, pitch.half_width, 29)
    )
    ground = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    seen = [camera.sees(np.nan_to_num(camera.project(ground), nan=-1.0)) for camera in cameras]
    middles = [float(ground[inside, 0].mean()) if inside.any() else np.nan for inside in seen]
    for i, (left, right) in enumerate(pairwise(middles)):
        if not left < right:
            raise ViewsDoNotFit(
                "; ".join(
                    [
                        f"camera {i} looks further to the right than camera {i + 1}: give the pictures in order from "
                        "the left, and none that is mirrored",
                        *doubts,
                    ]
                )
            )


def one_mast(cameras: Sequence[FittedCamera]) -> bool:
    """Whether the cameras stand within `MAST_M` of their mean."""
    places = np.stack([camera.centre_m for camera in cameras])
    return bool(np.linalg.norm(places - places.mean(axis=0), axis=1).max() < MAST_M)


def _blocks(covariance: Array) -> list[tuple[float, ...]]:
    """Per camera the covariance of (rotation vector, position, focal, k1, k2) as `CameraModel.covariance`; the focal
    length's still of its logarithm."""
    chosen = [0, 1, 2, 3, 4, 5, FOCAL, RADIAL.start, RADIAL.start + 1]
    out = []
    for i in range(len(covariance) // PARAMETERS):
        index = np.array(chosen) + i * PARAMETERS
        out.append(tuple(float(v) for v in covariance[np.ix_(index, index)].ravel()))
    return out


def _with(model: CameraModel, photometry: Photometry, log_focal_block: tuple[float, ...]) -> CameraModel:
    scale = np.ones(9)
    scale[6] = model.lens.focal_px
    block = np.array(log_focal_block).reshape(9, 9) * np.outer(scale, scale)
    return msgspec.structs.replace(model, photometry=photometry, covariance=tuple(float(v) for v in block.ravel()))
