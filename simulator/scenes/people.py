"""Who stands on the pitch when a picture is taken."""

import math
from dataclasses import dataclass

import numpy as np

from simulator.match.truth import Person
from simulator.pictures.body import PHASES, Posture, template
from simulator.pictures.outfits import Palette, player_palette
from simulator.pictures.scenery import figure, shadow
from simulator.pictures.sprites import Placed
from simulator.pictures.view import Floats, View
from simulator.scenes.fields import Array
from wire.pitch import Pitch
from wire.pitch_tracks import Role, TeamSide

_POSTURES = (Posture.STAND, Posture.WALK, Posture.RUN, Posture.READY)


@dataclass(frozen=True)
class People:
    """Players and a referee, one row each: feet `xy` (n, 2), `heading` (n,), `height_m` (n,)."""

    xy: Array
    heading: Array
    height_m: Array
    postures: tuple[Posture, ...]
    phases: tuple[int, ...]
    palettes: tuple[Palette, ...]

    def draw(self, picture: Floats, view: View, light: Floats, overcast: bool) -> None:
        """Everybody from far to near, in the light (n, 3) at their feet; an overcast sky leaves soft shadows."""
        feet = np.column_stack([self.xy, np.zeros(len(self.xy))])
        placed = Placed(view.camera, feet, self.height_m, self.heading)
        for row in np.argsort(-placed.depth_m):
            if placed.visible[row]:
                if overcast:
                    shadow(picture, view, feet[row])
                shape = template(self.postures[row], self.phases[row], int(placed.view[row]), placed.elevation[row])
                figure(picture, view, placed, int(row), shape, self.palettes[row] * light[row])


def people_on(pitch: Pitch, on_lines: bool, random: np.random.Generator) -> People:
    """Both teams and a referee at play, or a crowd that stands on the markings."""
    xy = _along_markings(pitch, random) if on_lines else _at_play(pitch, random)
    count = len(xy)
    palettes = []
    for k in range(count):
        side = (TeamSide.HOME, TeamSide.AWAY)[k % 2]
        person = Person(k, Role.PLAYER, side, k < 2, 1 + k // 2, 1.75)
        if k == count - 1:
            person = Person(k, Role.REFEREE, TeamSide.NONE, False, 0, 1.8)
        palettes.append(player_palette(person, random))
    return People(
        xy,
        random.uniform(-math.pi, math.pi, count),
        random.uniform(1.6, 1.9, count),
        tuple(_POSTURES[int(k)] for k in random.integers(0, len(_POSTURES), count)),
        tuple(int(k) for k in random.integers(0, PHASES, count)),
        tuple(palettes),
    )


def _at_play(pitch: Pitch, random: np.random.Generator) -> Array:
    hx, hy = pitch.half_length, pitch.half_width
    count = 2 * pitch.players - 2 + 1
    centre = random.uniform(-0.4, 0.4)
    spread = np.stack([random.normal(centre, 0.35, count), random.uniform(-0.9, 0.9, count)], axis=1)
    field = np.clip(spread, -0.93, 0.93) * (hx, hy)
    keepers = np.array([[-hx + 2.5, random.uniform(-2, 2)], [hx - 4.0, random.uniform(-2, 2)]])
    return np.concatenate([keepers, field])


def _along_markings(pitch: Pitch, random: np.random.Generator) -> Array:
    """Two standing close together here and there, on straight markings and round ones, corners of areas included."""
    spots = []
    lines = pitch.lines()
    for _ in range(5 * pitch.players):
        line = lines[int(random.integers(len(lines)))]
        t = random.uniform(0, 1)
        spots.append([line.x0 + t * (line.x1 - line.x0), line.y0 + t * (line.y1 - line.y0)])
    for arc in pitch.arcs():
        for angle in random.uniform(arc.start, arc.end, pitch.players):
            spots.append([arc.x + arc.radius * math.cos(angle), arc.y + arc.radius * math.sin(angle)])
    named = list(pitch.points().values())
    spots += [list(named[int(k)]) for k in random.choice(len(named), 10, replace=False)]
    return np.array(spots) + random.normal(0, 0.08, (len(spots), 2))
