"""The ground without its markings: grass of many kinds, its stripes and bare places, a track around it, snow."""

from dataclasses import dataclass

import numpy as np

from simulator.pictures.ground import GRASS, ROUGH
from simulator.pictures.view import Floats
from simulator.scenes.difficulty import Difficulty
from simulator.scenes.fields import Bands, Footprint, Noise
from wire.pitch import Pitch

TRACK_M = 8.6
"""Six lanes of 1.22 m, and their kerbs."""
LANE_M = 1.22
_AUTUMN = np.array([150.0, 140.0, 98.0], np.float32)
_LEAVES = np.array([138.0, 96.0, 52.0], np.float32)
_ARTIFICIAL = np.array([52.0, 98.0, 58.0], np.float32)
_EARTH = np.array([126.0, 104.0, 78.0], np.float32)
_SNOW = np.array([216.0, 220.0, 226.0], np.float32)
_TARTAN = np.array([158.0, 84.0, 66.0], np.float32)
_WET = np.array([0.72, 0.74, 0.74], np.float32)


@dataclass(frozen=True)
class Turf:
    """A pitch's ground: mown in `bands`, seamed (artificial turf) or not, bare around `bare` (n, 4): x, y and the
    half axes of an ellipse."""

    pitch: Pitch
    difficulties: frozenset[Difficulty]
    bands: Bands
    seams: Bands | None
    bare: np.ndarray

    def draw(self, ground: Footprint, noise: Noise) -> Floats:
        """The ground (h, w, 3), sRGB 0 to 255."""
        hard = self.difficulties
        margin = np.maximum(np.abs(ground.x) - self.pitch.half_length, np.abs(ground.y) - self.pitch.half_width)
        mown = np.clip((3.0 - margin) / np.maximum(ground.size, 0.3), 0, 1)
        fine, middle, broad = noise.over(ground, 3.0), noise.over(ground, 14.0, 0.31), noise.over(ground, 70.0, 0.17)
        grass, strength = GRASS, 1.0
        if Difficulty.ARTIFICIAL in hard:
            grass, strength = _ARTIFICIAL, 0.5
        if Difficulty.NO_PITCH in hard:
            mown, grass = 0 * mown, ROUGH
        picture = (grass * mown[..., None] + ROUGH * (1 - mown)[..., None]).astype(np.float32)
        if Difficulty.AUTUMN in hard:
            pale = np.clip(0.75 + 0.5 * broad + 0.25 * middle, 0, 1)[..., None]
            picture += (_AUTUMN - picture) * pale
            leaves = np.clip((noise.over(ground, 1.7, 0.6) - 1.7) * 2, 0, 0.8)[..., None]
            picture += (_LEAVES - picture) * leaves
            strength = 1.5
        tone = strength * (0.08 * fine + 0.035 * middle + 0.035 * broad) + self.bands.over(ground) * mown
        if self.seams is not None:
            tone += self.seams.over(ground) * mown
        picture *= (1 + tone)[..., None]
        if Difficulty.WET_STRIPES in hard:
            wet = np.clip((middle + 0.7 * broad - 0.4) * 1.3, 0, 1)[..., None]
            picture *= 1 + (_WET - 1) * wet
        bare = self.trodden(ground, noise)
        if bare is not None:
            picture += (_EARTH * (1 + 0.06 * fine + 0.06 * middle)[..., None] - picture) * (0.92 * bare)[..., None]
        if Difficulty.TRACK in hard:
            outside, _ = track_distance(self.pitch, ground)
            red = np.clip(outside / ground.size + 0.5, 0, 1) * np.clip((TRACK_M - outside) / ground.size + 0.5, 0, 1)
            picture += (_TARTAN * (1 + 0.02 * fine + 0.02 * middle)[..., None] - picture) * red[..., None]
        if Difficulty.SNOW in hard:
            deep = np.clip(1.4 + 0.8 * middle + 0.5 * fine, 0, 1)[..., None] * 0.96
            picture += (_SNOW * (1 + 0.02 * fine + 0.03 * middle)[..., None] - picture) * deep
        return picture

    def trodden(self, ground: Footprint, noise: Noise) -> Floats | None:
        """How bare (h, w) the ground is, 0 to 1; None where it is not at all."""
        if not len(self.bare):
            return None
        ragged = noise.over(ground, 5.0, 0.8)
        out = np.zeros_like(ground.x)
        for x, y, rx, ry in self.bare.astype(np.float32):
            inside = 1 - np.hypot((ground.x - x) / rx, (ground.y - y) / ry)
            out = np.maximum(out, np.clip((inside + 0.22 * ragged) * 3, 0, 1))
        return out


def turf_of(pitch: Pitch, difficulties: frozenset[Difficulty], random: np.random.Generator) -> Turf:
    """The ground of `pitch` as `random` has it."""
    reach = pitch.half_length + 4
    if Difficulty.WET_STRIPES in difficulties:
        edges = np.cumsum(np.concatenate([[-reach], random.uniform(2.5, 8.0, 80)]))
        depth = 0.17
    else:
        edges = np.arange(-reach, reach + 7, random.uniform(4.5, 6.5))
        depth = 0.03 if Difficulty.ARTIFICIAL in difficulties else random.uniform(0.0, 0.055)
    signs = np.where(np.arange(len(edges) - 1) % 2 == 0, 1.0, -1.0)
    seams = None
    if Difficulty.ARTIFICIAL in difficulties:
        at = np.arange(-reach, reach, 4.0)
        seams = Bands(np.ravel([at, at + 0.05], order="F"), np.tile([0.12, 0.0], len(at))[:-1])
    return Turf(pitch, difficulties, Bands(edges, depth * signs), seams, _bare_places(pitch, difficulties, random))


def _bare_places(pitch: Pitch, difficulties: frozenset[Difficulty], random: np.random.Generator) -> np.ndarray:
    if Difficulty.BARE_MOUTHS not in difficulties:
        return np.zeros((0, 4))
    hx, hy, form = pitch.half_length, pitch.half_width, pitch.form
    places = [(0.0, 0.0, 2.2, 2.8), (random.uniform(-8, 8), -hy, 16.0, 0.9)]
    for side in (-1, 1):
        places.append((side * (hx - 1.6), random.uniform(-0.5, 0.5), 4.6, form.goal_width / 2 + 2.5))
        places.append((side * (hx - form.penalty_spot), 0.0, 1.6, 1.2))
    return np.array(places)


def track_distance(pitch: Pitch, ground: Footprint) -> tuple[Floats, tuple[Floats, Floats]]:
    """How far (h, w) the ground lies outside a track's inner edge, metres, and the direction in which that grows."""
    straight = 0.8 * pitch.half_length
    radius = np.hypot(pitch.half_length - straight, pitch.half_width) + 1.5
    over = np.sign(ground.x) * np.maximum(np.abs(ground.x) - np.float32(straight), 0)
    away = np.maximum(np.hypot(over, ground.y), 1e-3)
    return (away - np.float32(radius)).astype(np.float32), (over / away, ground.y / away)
