"""Paint on the ground: this pitch's markings as they have aged, and whatever else is painted there."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.pictures.ground import PAINT, curved, disc, lay_paint, straight
from simulator.pictures.view import Floats, View
from simulator.scenes.difficulty import Difficulty
from simulator.scenes.fields import Footprint, Noise
from simulator.scenes.turf import LANE_M, TRACK_M, track_distance
from wire.pitch import Arc, Line, Pitch, default_pitch

_YELLOW = np.array([226.0, 200.0, 60.0], np.float32)
_BLUE = np.array([70.0, 116.0, 196.0], np.float32)
_SPOT_M = 0.11


@dataclass(frozen=True)
class Painted:
    """One marking: what it is, how wide, in which colour, and how much of the paint is left, 0 to 1."""

    shape: Line | Arc | tuple[float, float]
    width_m: float
    colour: Floats
    left: float = 1.0


@dataclass(frozen=True)
class Paintwork:
    """All that is painted: other things first, over them this pitch's `markings`; `wear` is how much of them comes and
    goes along their way."""

    others: tuple[Painted, ...]
    markings: tuple[Painted, ...]
    wear: float
    track: Pitch | None

    def draw(self, picture: Floats, view: View, ground: Footprint, noise: Noise, bare: Floats | None) -> None:
        """Paint it all onto the ground."""
        kept = np.clip(0.88 + 0.05 * noise.over(ground, 2.3, 0.4), 0.6, 0.97)
        if self.track is not None:
            _lanes(picture, view, ground, self.track)
        for painted in self.others:
            _lay(picture, view, 0.9 * kept, painted)
        if self.wear:
            patchy = 0.9 * noise.over(ground, 40.0, 0.55) + 0.6 * noise.over(ground, 1.9, 0.15)
            kept = kept * np.clip(1 - self.wear * (0.75 + 0.55 * patchy), 0, 1)
        if bare is not None:
            kept = kept * (1 - 0.95 * bare)
        for painted in self.markings:
            _lay(picture, view, kept, painted)


def paintwork(pitch: Pitch, difficulties: frozenset[Difficulty], random: np.random.Generator) -> Paintwork:
    """What `random` has painted on `pitch`."""
    width = 0.08 if Difficulty.THIN_LINES in difficulties else random.uniform(0.10, 0.12)
    worn = Difficulty.WORN_LINES in difficulties
    own = [*pitch.lines(), *pitch.arcs(), (0.0, 0.0)]
    own += [(side * (pitch.half_length - pitch.form.penalty_spot), 0.0) for side in (-1, 1)]
    missing = _droppable(own, random) if worn else -1
    markings = []
    for k, shape in enumerate(own):
        left = random.uniform(0.45, 1.0)
        if k != missing and Difficulty.SNOW not in difficulties and Difficulty.NO_PITCH not in difficulties:
            markings.append(Painted(shape, width, PAINT, left if worn else 1.0))
    others: list[Painted] = []
    if Difficulty.YELLOW_LINES in difficulties:
        small = default_pitch(9)
        for side in (-1, 1):
            others += _placed(
                small, _fit(pitch, small, crosswise=True), side * pitch.half_length / 2, 0.0, True, _YELLOW
            )
    if Difficulty.BLUE_LINES in difficulties:
        small = default_pitch(7)
        off = random.uniform(-0.12, 0.12) * pitch.length_m
        others += _placed(small, 1.25 * _fit(pitch, small, crosswise=False), off, random.uniform(-2, 2), False, _BLUE)
    if Difficulty.WHITE_LINES in difficulties:
        others += [Painted(line, width, PAINT) for line in _rugby(pitch, random)]
    track = pitch if Difficulty.TRACK in difficulties else None
    return Paintwork(tuple(others), tuple(markings), 0.6 if worn else 0.0, track)


def _droppable(shapes: list[Line | Arc | tuple[float, float]], random: np.random.Generator) -> int:
    """One of the markings that groundsmen leave out: a goal area's line or a penalty arc."""
    kinds = [
        k for k, s in enumerate(shapes) if isinstance(s, Arc | Line) and ("goal area" in s.name or "arc" in s.name)
    ]
    return int(random.choice(kinds))


def _fit(pitch: Pitch, small: Pitch, crosswise: bool) -> float:
    """How much a smaller pitch shrinks to fit across one half of `pitch`, or along all of it."""
    if crosswise:
        return min((pitch.width_m - 3) / small.length_m, (pitch.half_length - 2) / small.width_m)
    return min(0.62 * pitch.length_m / small.length_m, 0.66 * pitch.width_m / small.width_m)


def _placed(small: Pitch, scale: float, x: float, y: float, turned: bool, colour: Floats) -> Iterator[Painted]:
    """The markings of `small`, shrunk by `scale`, turned by a quarter or not, around (x, y)."""
    turn = math.pi / 2 if turned else 0.0

    def moved(px: float, py: float) -> tuple[float, float]:
        if turned:
            px, py = -py, px
        return x + scale * px, y + scale * py

    for line in small.lines():
        yield Painted(Line(line.name, *moved(line.x0, line.y0), *moved(line.x1, line.y1)), 0.09, colour)
    for arc in small.arcs():
        ring = Arc(arc.name, *moved(arc.x, arc.y), scale * arc.radius, arc.start + turn, arc.end + turn)
        yield Painted(ring, 0.09, colour)


def _rugby(pitch: Pitch, random: np.random.Generator) -> list[Line]:
    """Rugby on the same ground: touchlines near ours, and lines right across that football does not have."""
    hx, hy = pitch.half_length, pitch.half_width
    side = hy - random.uniform(0.8, 2.2) * random.choice([-1, 1])
    out = [Line("touch", -hx, s * side, hx, s * side) for s in (-1, 1)]
    for x in (hx - random.uniform(2.5, 5.0), 0.55 * hx, 0.19 * hx):
        out += [Line("across", s * x, -side, s * x, side) for s in (-1, 1)]
    for y in (5.0, 15.0):
        # Dashed lines along: 5 m every 15 m.
        for x in np.arange(-hx + 8, hx - 8, 15.0):
            out += [Line("dash", x, s * (side - y), x + 5.0, s * (side - y)) for s in (-1, 1)]
    return out


def _lay(picture: Floats, view: View, kept: Floats, painted: Painted) -> None:
    kept = kept * np.float32(painted.left)
    shape = painted.shape
    if isinstance(shape, Line):
        patch = straight(view, np.array([[shape.x0, shape.y0], [shape.x1, shape.y1]]), painted.width_m)
    elif isinstance(shape, Arc):
        patch = curved(view, shape.x, shape.y, shape.radius, shape.start, shape.end, painted.width_m)
    else:
        patch = disc(view, *shape, _SPOT_M)
    lay_paint(picture, kept, *patch, painted.colour)


def _lanes(picture: Floats, view: View, ground: Footprint, pitch: Pitch) -> None:
    outside, (nx, ny) = track_distance(pitch, ground)
    step = view.step
    blur = np.hypot(nx * step[..., 0, 0] + ny * step[..., 1, 0], nx * step[..., 0, 1] + ny * step[..., 1, 1])
    blur = np.maximum(blur, 1e-4)
    near = np.round(np.clip(outside - 0.1, 0, TRACK_M) / LANE_M) * LANE_M + 0.1
    off = outside - near
    cover = np.clip((off + 0.025) / blur + 0.5, 0, 1) - np.clip((off - 0.025) / blur + 0.5, 0, 1)
    cover *= (outside > -0.3) & (outside < TRACK_M)
    picture += (PAINT - picture) * (0.9 * cover)[..., None]
