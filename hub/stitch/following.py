"""Keeping neighbours alike while their exposures change: slowly, at once after a step, and never for a white shirt.

Both cameras see the same grass, so a cloud changes nothing between them; only an exposure does. It is read from the
median over hundreds of places that both see, which people cover few of.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from hub.picture import Picture
from hub.stitch.colour import BLACK, Light, vignette_gain
from hub.stitch.plan import StitchPlan
from wire.rig import Array, CameraModel

LOOK_S = 0.2
"""Between two looks at the overlap."""
_SLOW_S = 5.0
"""Time in which a lasting difference is made up for."""
_STEP = 0.05
"""A difference (of logarithms) that is no drift but a step, when it lasts for so many looks and holds for so many of
the places."""
_STEP_LOOKS, _STEP_SHARE, _STEP_SPREAD = 2, 0.6, 0.04
_PLACES = 600
_LEAST = 60
_DIM, _BRIGHT = 12.0, 200.0
"""Luma above black between which a place tells something."""
_MARGIN_PX = 6.0
_MOST = 0.35
"""More than this (of logarithms) no camera is changed by."""


class Exposures(msgspec.Struct, frozen=True):
    """What a follower of lights knows: when it looks next, and for each pair of neighbours by how much (of logarithms)
    the right one's evened-out picture is the brighter of the two, and for how many looks that has been no drift."""

    next_look_s: float = 0.0
    brighter: tuple[float, ...] = ()
    stepped: tuple[int, ...] = ()


NOTHING_KNOWN = Exposures()


class LightFollower:
    """The lights of a plan's cameras as their exposures change, for frames in order of time; it goes on from what an
    earlier follower knew."""

    def __init__(self, plan: StitchPlan, known: Exposures = NOTHING_KNOWN) -> None:
        self._plan = plan
        self._pairs = [_Pair(plan, i, i + 1) for i in range(len(plan.rig.cameras) - 1)]
        self._next_look_s = known.next_look_s
        self._lights: Sequence[Light] = plan.lights
        if known.brighter:
            for pair, brighter, stepped in zip(self._pairs, known.brighter, known.stepped, strict=True):
                pair.difference, pair.stepped = brighter, stepped
            self._lights = self._evened()

    @property
    def known(self) -> Exposures:
        """For a follower that is to go on from here."""
        return Exposures(
            self._next_look_s,
            tuple(pair.difference for pair in self._pairs),
            tuple(pair.stepped for pair in self._pairs),
        )

    def at(self, time_s: float, frames: Sequence[Picture | None]) -> Sequence[Light]:
        """One light per camera for the panorama of these frames, one of each camera from the left."""
        if time_s >= self._next_look_s:
            self._next_look_s = time_s + LOOK_S
            for pair in self._pairs:
                pair.look(frames)
            self._lights = self._evened()
        return self._lights

    def _evened(self) -> Sequence[Light]:
        change = np.cumsum([0.0, *(-pair.difference for pair in self._pairs)])
        change = np.clip(change - change.mean(), -_MOST, _MOST)
        return [_brighter(light, float(np.exp(c))) for light, c in zip(self._plan.lights, change, strict=True)]


class _Pair:
    """Two neighbours: by how much (of logarithms) the right one's evened-out picture is the brighter of the two."""

    def __init__(self, plan: StitchPlan, left: int, right: int) -> None:
        self._indices = (left, right)
        cameras = [plan.rig.cameras[k] for k in self._indices]
        pixels = _shared(plan, cameras)
        self._pixels = [p.astype(np.int64) for p in pixels]
        self._gains = [
            plan.lights[k].luma * vignette_gain(camera, p)
            for k, camera, p in zip(self._indices, cameras, pixels, strict=True)
        ]
        self.stepped = 0
        self.difference = 0.0

    def look(self, frames: Sequence[Picture | None]) -> None:
        """Take in what these frames tell."""
        seen = [frames[k] for k in self._indices]
        if seen[0] is None or seen[1] is None or len(self._pixels[0]) < _LEAST:
            return
        raw = [
            frame.luma[p[:, 1], p[:, 0]].astype(np.float64) - BLACK
            for frame, p in zip(seen, self._pixels, strict=True)
            if frame is not None
        ]
        usable = np.all([(v > _DIM) & (v < _BRIGHT) for v in raw], axis=0)
        if usable.sum() < _LEAST:
            return
        left, right = (np.log(v[usable]) + np.log(gain[usable]) for v, gain in zip(raw, self._gains, strict=True))
        gaps = right - left
        now = float(np.median(gaps))
        alike = float((np.abs(gaps - now) < _STEP_SPREAD).mean())
        off = now - self.difference
        self.stepped = self.stepped + 1 if abs(off) > _STEP and alike > _STEP_SHARE else 0
        if self.stepped >= _STEP_LOOKS:
            self.difference, self.stepped = now, 0
        else:
            self.difference += off * LOOK_S / _SLOW_S


def _shared(plan: StitchPlan, cameras: Sequence[CameraModel]) -> list[Array]:
    """Pixels (n, 2) in each of two cameras of places on the ground that both see, spread over the panorama."""
    view = plan.view
    u, v = np.meshgrid(np.arange(8.0, view.width_px, 8.0), np.arange(4.0, view.height_px, 8.0))
    points = view.points(np.stack([u.ravel(), v.ravel()], axis=1))
    points = points[np.abs(points[:, 2] - view.height_m) < 0.01]
    pixels = [np.nan_to_num(camera.project(points), nan=-1.0) for camera in cameras]
    both = np.flatnonzero(cameras[0].sees(pixels[0], _MARGIN_PX) & cameras[1].sees(pixels[1], _MARGIN_PX))
    chosen = both[:: max(1, len(both) // _PLACES)]
    return [p[chosen] for p in pixels]


def _brighter(light: Light, factor: float) -> Light:
    """The light with the camera's three colours multiplied by a factor: what luma adds to chroma stays its share."""
    chroma = light.chroma.copy()
    chroma[:, 1:] *= factor
    return Light(light.luma * factor, chroma)
