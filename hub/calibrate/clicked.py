"""First poses, from clicked points alone: a search over lenses and standing places, each polished by least squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hub.calibrate.least_squares import Term, minimise, spread
from hub.calibrate.lens_jacobian import FittedCamera, project
from hub.calibrate.priors import (
    LensBelief,
    lens_prior,
    measured_belief,
    roll_prior,
    stand_prior,
    usual_belief,
)
from hub.calibrate.views import View
from hub.errors import ClicksFitNoCamera
from wire.clicks import Click
from wire.pitch import Pitch
from wire.rig import Array, Lens, looking

CLICK_SPREAD_PX = 4.0
"""How far off a careful click is, at 1920 px width."""
_NEEDED = 4
_APART_M = 3.0
_MISFIT = 0.02
"""Of the picture's width: clicks that miss by more (rms) were meant for another camera or another point."""


@dataclass(frozen=True)
class Clicks:
    """The clicks of one camera: pitch points (n, 3), metres, and pixels (n, 2)."""

    points_m: Array
    pixels: Array

    @property
    def enough(self) -> bool:
        """Whether they determine a pose: four of them, not all about one line."""
        if len(self.points_m) < _NEEDED:
            return False
        flat = self.points_m[:, :2]
        return bool(np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)[1] >= _APART_M)


def clicks_of(camera: int, clicks: Sequence[Click]) -> Clicks:
    """Those of one camera."""
    mine = [click for click in clicks if click.camera == camera]
    points = np.array([[c.x_m, c.y_m, 0.0] for c in mine]).reshape(-1, 3)
    return Clicks(points, np.array([[c.u_px, c.v_px] for c in mine]).reshape(-1, 2))


def click_term(cameras: Sequence[FittedCamera], clicks: Sequence[Clicks], cauchy: float = np.inf) -> Term:
    """How far the clicked points appear from where they were clicked."""
    residuals, jacobians = [], []
    for i, (camera, mine) in enumerate(zip(cameras, clicks, strict=True)):
        seen = project(camera, mine.points_m)
        scale = CLICK_SPREAD_PX * camera.width_px / 1920
        # A point behind the camera must cost more than any that is seen, or the search would hide them there.
        gap = np.where(seen.good[:, None], seen.pixels - mine.pixels, 3.0 * camera.width_px) / scale
        residuals.append(gap)
        jacobians.append(spread(np.where(seen.good[:, None, None], seen.by_parameters, 0.0) / scale, i, len(cameras)))
    return Term(np.concatenate(residuals), np.concatenate(jacobians), cauchy)


def focal_of(width_px: int, fov_deg: float, k1: float, k2: float) -> float:
    """Focal length in pixels of a lens that shows `fov_deg` across the picture."""
    r = np.tan(np.radians(fov_deg) / 2)
    return float(width_px / 2 / (r * (1 + k1 * r**2 + k2 * r**4)))


def first_poses(view: View, index: int, clicks: Clicks, pitch: Pitch) -> list[FittedCamera]:
    """Poses of one camera that fit its clicks, the likeliest first; raises `ClicksFitNoCamera`."""
    height, width = view.picture.shape[:2]
    found: list[tuple[float, FittedCamera]] = []
    target = clicks.points_m[:, :2].mean(axis=0)
    for lens, belief in _likely_lenses(view, width, height):
        best: tuple[float, FittedCamera] | None = None
        for along in (-0.25, 0.0, 0.25):
            place = np.array([along * pitch.length_m, -pitch.half_width - 8.0, 7.0])
            away = target - place[:2]
            turn = looking(float(np.degrees(np.arctan2(away[0], away[1]))), -12.0, 0.0)
            camera = FittedCamera(
                view.node,
                width,
                height,
                np.array(turn).reshape(3, 3),
                place,
                lens.focal_px,
                np.array([lens.cx_px, lens.cy_px]),
                np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3]),
            )
            tried = _polish(camera, clicks, pitch, belief)
            if best is None or tried[0] < best[0]:
                best = tried
        if best is not None:
            found.append(best)
    found.sort(key=lambda pair: pair[0])
    gap = click_rms_px(found[0][1], clicks)
    if not gap < _MISFIT * width:
        raise ClicksFitNoCamera(
            f"no camera beside a {pitch.length_m:g}x{pitch.width_m:g} m pitch sees the points clicked for camera "
            f"{index} where they were clicked (they miss by {gap:.0f} px): check the camera's number (0 is the left "
            "one), the points' names and the pitch's size"
        )
    return [camera for cost, camera in found if cost < found[0][0] + 12.0]


def _likely_lenses(view: View, width_px: int, height_px: int) -> list[tuple[Lens, LensBelief]]:
    """Lenses to begin with, and what is then believed of them: one that was measured, else several."""
    if view.measured is not None:
        return [(view.measured, measured_belief(view.measured, width_px))]
    known = view.nominal_fov_deg is not None
    out = []
    for fov in [view.nominal_fov_deg] if view.nominal_fov_deg is not None else [60.0, 80.0, 100.0]:
        for k1, k2 in ((-0.08, 0.01), (-0.24, 0.06)):
            focal = focal_of(width_px, fov, k1, k2)
            lens = Lens(focal, width_px / 2, height_px / 2, k1, k2)
            out.append((lens, usual_belief(width_px, height_px, focal, 0.04 if known else 0.15)))
    return out


def click_rms_px(camera: FittedCamera, clicks: Clicks) -> float:
    """Root mean square distance between the clicks and where their points appear; infinite if one is behind, 0 where
    nobody clicked."""
    if not len(clicks.points_m):
        return 0.0
    seen = project(camera, clicks.points_m)
    if not seen.good.all():
        return float("inf")
    return float(np.sqrt(((seen.pixels - clicks.pixels) ** 2).sum(axis=1).mean()))


def _polish(camera: FittedCamera, clicks: Clicks, pitch: Pitch, belief: LensBelief) -> tuple[float, FittedCamera]:
    place = np.array([0.0, -pitch.half_width - 10.0, 7.0])
    wide = np.array([30.0, 8.0, 4.0])

    def terms(cameras: Sequence[FittedCamera]) -> list[Term]:
        return [
            click_term(cameras, [clicks]),
            lens_prior(cameras, [belief]),
            stand_prior(cameras, [place], wide),
            roll_prior(cameras, np.radians(2.5)),
        ]

    cameras, cost, _ = minimise([camera], terms, 40)
    return cost, cameras[0]
