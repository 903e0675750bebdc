"""A lens worked out from views of a board, and whether those views tell all of it."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from hub.calibrate.board import Sighting
from hub.calibrate.lenses import LensProfile
from hub.errors import LensNotMeasured
from wire.rig import Array, Lens

_FEWEST, _MOST = 8, 40
"""Views that a lens is worked out from: more than these most add time and nothing else."""
_APART = 0.02
"""Of the picture's width that the board's outline has to move by, on average, for a view of its own."""
_FIRST_DEG = (65.0, 100.0)
"""Fields of view to begin with."""
_BAD, _BAD_CORNER, _GOOD_PX = 2.5, 5.0, 0.25
"""A view, or a corner, is left out that fits so many times worse than most do, unless it fits well (at `_WIDTH`)."""
_MOSTLY = 0.7
"""The share of a view's corners that have to be good."""
_ROUNDS = 5
_WIDTH = 1920
_TILTED_DEG, _TILTED = 15.0, 4
"""A board that faces the camera may be small and near or large and far: so many views have to be aslant by so much."""
_CELLS = (12, 8)
_SIDE = 0.1
"""How near to each side of the picture the board has to come, as a share of the picture."""
_COVERED = 0.4
"""The least share of the picture's cells that hold corners of the board, and with what it is to be trusted."""
_WELL_COVERED = 0.6
_RMS_PX, _FOCAL = 0.6, 0.002
"""The largest residual, at `_WIDTH`, and standard error of the focal length to be trusted."""


class _Fit(NamedTuple):
    """A lens, and of each view how far (n,) its corners are from where the lens puts them, pixels, and how far from
    facing the camera the board was held, degrees."""

    lens: Lens
    rms_px: float
    focal_error: float
    off_px: list[Array]
    tilt_deg: Array


def measure_lens(sightings: Sequence[Sighting], width_px: int, height_px: int) -> LensProfile:
    """The lens through which pictures of this size show the board like that.

    Of views that are alike one is taken, and those that fit badly (blurred, or bent by a shutter that rolls while the
    board moves) are left out. The profile's notes say what speaks against it. Raises `LensNotMeasured` where the views
    cannot tell a lens.
    """
    views = _differing(sightings, width_px)
    if len(views) < _FEWEST:
        raise LensNotMeasured(
            f"the board was seen well enough in {len(sightings)} pictures, and {len(views)} of them differ: at least "
            f"{_FEWEST} are needed, with the board near and far, aslant to all sides, and in all corners of the picture"
        )
    _check_sides(views, width_px, height_px)
    fit, kept = _fitted(views, width_px, height_px)
    if int((fit.tilt_deg > _TILTED_DEG).sum()) < _TILTED:
        raise LensNotMeasured(
            "the board faces the camera in nearly all pictures: that does not tell a long lens far away from a short "
            f"one nearby; hold it aslant, by 20 to 40 degrees to every side, in {_TILTED} and more of them"
        )
    _check_sides(kept, width_px, height_px)
    covered = _covered(kept, width_px, height_px)
    if covered < _COVERED:
        raise LensNotMeasured(
            f"the board was seen in only {covered:.0%} of the picture: hold it everywhere, into the corners too"
        )
    corner = np.hypot(max(fit.lens.cx_px, width_px - fit.lens.cx_px), max(fit.lens.cy_px, height_px - fit.lens.cy_px))
    furthest = fit.lens.undistort(np.array([[corner / fit.lens.focal_px, 0.0]]))[0, 0]
    notes = []
    if covered < _WELL_COVERED:
        notes.append(f"the board was seen in only {covered:.0%} of the picture")
    if fit.rms_px > _RMS_PX * width_px / _WIDTH:
        notes.append(
            f"the corners of the board lie {fit.rms_px:.2f} px from where the lens puts them: is it flat, and was it "
            "held still?"
        )
    if not fit.focal_error < _FOCAL:
        notes.append(f"the focal length is uncertain by {fit.focal_error:.1%}: show the board aslant more often")
    if not furthest < fit.lens.max_radius() - 0.01:
        notes.append("the lens bends more towards the corners of the picture than this model of lenses can tell")
    return LensProfile(
        width_px=width_px,
        height_px=height_px,
        lens=fit.lens,
        rms_px=fit.rms_px,
        pictures=len(kept),
        covered=covered,
        notes=tuple(notes),
    )


def _differing(sightings: Sequence[Sighting], width_px: int) -> list[Sighting]:
    """Views that differ most from each other, beginning with the one that shows most of the board."""
    if not sightings:
        return []
    corners = np.concatenate([sighting.places_mm for sighting in sightings])
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    around = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]])
    outlines = []
    for sighting in sightings:
        onto, _ = cv2.findHomography(sighting.places_mm, sighting.pixels)
        outlines.append(
            np.full((4, 2), np.inf) if onto is None else cv2.perspectiveTransform(around, onto)[0] / width_px
        )
    outline = np.stack(outlines)
    chosen = [int(np.argmax([len(sighting.pixels) for sighting in sightings]))]
    nearest = np.full(len(sightings), np.inf)
    while len(chosen) < min(_MOST, len(sightings)):
        apart = np.linalg.norm(outline - outline[chosen[-1]], axis=2).mean(axis=1)
        # An outline that cannot be told is near to everything.
        nearest = np.minimum(nearest, np.where(np.isfinite(apart), apart, 0.0))
        furthest = int(nearest.argmax())
        if nearest[furthest] < _APART:
            break
        chosen.append(furthest)
    return [sightings[i] for i in sorted(chosen)]


def _fitted(views: Sequence[Sighting], width_px: int, height_px: int) -> tuple[_Fit, list[Sighting]]:
    """The lens of those views, and those corners of them, that agree, and these."""
    kept = list(views)
    starts = [_flat(width_px, height_px, degrees) for degrees in _FIRST_DEG]
    for turn in range(_ROUNDS):
        fits = [fit for start in starts if (fit := _fit(kept, width_px, height_px, start))]
        if not fits:
            break
        best = min(fits, key=lambda fit: fit.rms_px)
        agreeing = _agreeing(kept, best, _GOOD_PX * width_px / _WIDTH)
        if turn == _ROUNDS - 1 or sum(len(v.pixels) for v in agreeing) == sum(len(v.pixels) for v in kept):
            return best, kept
        if len(agreeing) < _FEWEST:
            kept = agreeing
            break
        kept, starts = agreeing, [best.lens]
    raise LensNotMeasured(
        f"only {len(kept)} of {len(views)} views of the board agree with one lens: hold it still, have it flat, and "
        "the camera's focus fixed"
    )


def _agreeing(views: Sequence[Sighting], fit: _Fit, good_px: float) -> list[Sighting]:
    """The views that fit as well as most, without single corners that were taken for something else."""
    limit = max(_BAD_CORNER * float(np.median(np.concatenate(fit.off_px))), good_px)
    fine = [gaps <= limit for gaps in fit.off_px]
    # The single corners that are wrong say nothing of the rest of their view.
    off = np.array([np.sqrt((np.minimum(gaps, limit) ** 2).mean()) for gaps in fit.off_px])
    limit = max(_BAD * float(np.median(off)), good_px)
    return [
        Sighting(view.places_mm[good], view.pixels[good])
        for view, gap, good in zip(views, off, fine, strict=True)
        if good.mean() > _MOSTLY and gap <= limit
    ]


def _flat(width_px: int, height_px: int, degrees: float) -> Lens:
    focal = width_px / 2 / np.tan(np.radians(degrees) / 2)
    return Lens(float(focal), width_px / 2, height_px / 2)


def _fit(views: Sequence[Sighting], width_px: int, height_px: int, start: Lens) -> _Fit | None:
    """One focal length, principal point and five coefficients for all views; None where nothing fits."""
    places = [np.c_[view.places_mm, np.zeros(len(view.places_mm))].astype(np.float32) for view in views]
    # OpenCV counts from the middle of the first pixel.
    pixels = [(view.pixels - 0.5).astype(np.float32) for view in views]
    matrix = np.array(
        [[start.focal_px, 0.0, start.cx_px - 0.5], [0.0, start.focal_px, start.cy_px - 0.5], [0.0, 0.0, 1.0]]
    )
    bends = np.array([start.k1, start.k2, start.p1, start.p2, start.k3])
    flags = cv2.CALIB_USE_INTRINSIC_GUESS | cv2.CALIB_FIX_ASPECT_RATIO
    try:
        rms, matrix, bends, turns, shifts, errors, _, _ = cv2.calibrateCameraExtended(
            places, pixels, (width_px, height_px), matrix, bends, flags=flags
        )
    except cv2.error:
        return None
    k1, k2, p1, p2, k3 = (float(v) for v in np.ravel(bends)[:5])
    lens = Lens(float(matrix[0, 0]), float(matrix[0, 2]) + 0.5, float(matrix[1, 2]) + 0.5, k1, k2, p1, p2, k3)
    if not np.isfinite([rms, *np.ravel(matrix), *np.ravel(bends)]).all() or lens.focal_px <= 0:
        return None
    off = [
        np.linalg.norm(cv2.projectPoints(place, turn, shift, matrix, bends)[0].reshape(-1, 2) - pixel, axis=1)
        for place, pixel, turn, shift in zip(places, pixels, turns, shifts, strict=True)
    ]
    facing = np.array([cv2.Rodrigues(turn)[0][2, 2] for turn in turns])
    tilt = np.degrees(np.arccos(np.clip(np.abs(facing), 0.0, 1.0)))
    return _Fit(lens, float(rms), float(np.ravel(errors)[1]) / lens.focal_px, off, tilt)


def _check_sides(views: Sequence[Sighting], width_px: int, height_px: int) -> None:
    """Raises `LensNotMeasured` unless the board comes near to every side of the picture."""
    at = np.concatenate([view.pixels for view in views]) / (width_px, height_px)
    (left, top), (right, bottom) = at.min(axis=0), 1 - at.max(axis=0)
    reached = (("left", left), ("right", right), ("upper", top), ("lower", bottom))
    missed = [side for side, gap in reached if gap > _SIDE]
    if missed:
        raise LensNotMeasured(
            f"the board never came near the {' and the '.join(missed)} edge of the picture: how the lens bends lines "
            "there is not known; hold it there too, even partly outside"
        )


def _covered(views: Sequence[Sighting], width_px: int, height_px: int) -> float:
    """The share of the picture's cells that hold a corner of the board."""
    at = np.concatenate([view.pixels for view in views]) / (width_px, height_px)
    cells = np.unique(np.clip((at * _CELLS).astype(np.int64), 0, np.array(_CELLS) - 1), axis=0)
    return len(cells) / (_CELLS[0] * _CELLS[1])
