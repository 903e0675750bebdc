"""How far a calibration may be trusted, judged by what the fit left over and how much of the pitch confirmed it."""

from collections.abc import Sequence

import numpy as np

from hub.calibrate.clicked import Clicks, click_rms_px
from hub.calibrate.crests import BORNE_OUT
from hub.calibrate.lens_jacobian import PARAMETERS, FittedCamera, project
from hub.calibrate.overlap import MATCH_SPREAD_PX, Matches, match_term
from hub.calibrate.paint import Paint
from wire.pitch import Pitch
from wire.rig import Array, Quality

_INLIER_PX = 2.0
_CLICKS_PX, _LINES_PX, _OVERLAP_PX, _PITCH_M = 12.0, 1.0, 1.5, 0.25
_CONFIRMED = 0.4
"""Share of the markings a camera should see that must be found within 2 px of where they are predicted."""
_MATCHES = 25


def judge(
    cameras: Sequence[FittedCamera],
    clicks: Sequence[Clicks],
    paint: Sequence[Paint],
    matches: Sequence[Matches],
    *,
    crested: Sequence[float],
    covariance: Array,
    pitch: Pitch,
) -> Quality:
    """Residuals in pixels of the cameras' own pictures and the error to expect on the pitch; `trusted` only when all
    are small and most of the visible lines were found; `crested` is each camera's `CrestMap.share`. The notes say what
    speaks against it."""
    scale = cameras[0].width_px / 1920
    notes = []
    clicked = np.array([click_rms_px(c, k) for c, k in zip(cameras, clicks, strict=True)])
    given = np.array([len(k.points_m) > 0 for k in clicks])
    for i, (gap, found) in enumerate(zip(clicked, paint, strict=True)):
        close = np.abs(found.offset_px) < _INLIER_PX * scale
        share = close.sum() / max(found.expected, 1)
        if share < _CONFIRMED or crested[i] < BORNE_OUT:
            found_share = min(share, crested[i])
            notes.append(f"camera {i}: only {100 * found_share:.0f} % of the lines it should see were found")
        if gap > _CLICKS_PX * scale:
            notes.append(f"camera {i}: the clicks lie {gap:.0f} px from where the fit puts them")
    offsets = np.concatenate([found.offset_px for found in paint])
    offsets = offsets[np.abs(offsets) < _INLIER_PX * scale]
    lines = float(np.sqrt((offsets**2).mean())) if len(offsets) else None
    if lines is not None and lines > _LINES_PX * scale:
        notes.append(f"the painted lines lie {lines:.1f} px from where the fit puts them")
    overlap = _overlap_px(cameras, matches, scale, notes)
    error = _pitch_error_m(cameras, covariance, pitch)
    if error is None or error > _PITCH_M:
        notes.append("places on the pitch are uncertain" + ("" if error is None else f" by {error:.2f} m"))
    return Quality(
        clicks_px=float(np.sqrt((clicked[given] ** 2).mean())) if given.any() else None,
        overlap_px=overlap,
        lines_px=lines,
        pitch_m=error,
        trusted=not notes,
        notes=tuple(notes),
    )


def _overlap_px(
    cameras: Sequence[FittedCamera], matches: Sequence[Matches], scale: float, notes: list[str]
) -> float | None:
    gaps = []
    for pair in matches:
        if not len(pair.in_left):
            notes.append(f"nothing was recognised in both camera {pair.left} and camera {pair.right}")
            continue
        gap = np.linalg.norm(match_term(cameras, pair, np.inf).residuals, axis=1) * MATCH_SPREAD_PX * scale
        close = gap < _INLIER_PX * scale
        if close.sum() < _MATCHES:
            notes.append(f"only {close.sum()} common points were found in cameras {pair.left} and {pair.right}")
        gaps.append(gap[close])
    if not gaps or not len(np.concatenate(gaps)):
        return None
    rms = float(np.sqrt((np.concatenate(gaps) ** 2).mean()))
    if rms > _OVERLAP_PX * scale:
        notes.append(f"neighbouring pictures disagree by {rms:.1f} px")
    return rms


def _pitch_error_m(cameras: Sequence[FittedCamera], covariance: Array, pitch: Pitch) -> float | None:
    """Median over the visible pitch of the standard error of a foot point, from the fit's covariance: a far corner seen
    at a glancing angle says nothing about the rest."""
    x, y = np.meshgrid(
        np.linspace(-pitch.half_length, pitch.half_length, 31), np.linspace(-pitch.half_width, pitch.half_width, 21)
    )
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    squares = []
    for i, camera in enumerate(cameras):
        seen = project(camera, points)
        u, v = seen.pixels[:, 0], seen.pixels[:, 1]
        inside = seen.good & (u > 0) & (v > 0) & (u < camera.width_px) & (v < camera.height_px)
        if not inside.any():
            continue
        here = slice(PARAMETERS * i, PARAMETERS * (i + 1))
        moved = np.linalg.solve(seen.by_point[inside][:, :, :2], seen.by_parameters[inside])
        squares.append(np.einsum("nij,jk,nik->n", moved, covariance[here, here], moved))
    if not squares:
        return None
    error = float(np.sqrt(np.median(np.concatenate(squares))))
    return error if np.isfinite(error) else None
