"""A place on one day: ground, paint, light, people and what stands around; drawn into any view of it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.pictures.goals import goal_layer
from simulator.pictures.scenery import sky, surroundings
from simulator.pictures.view import Floats, View
from simulator.scenes.difficulty import Difficulty
from simulator.scenes.fields import Footprint, Noise
from simulator.scenes.markings import Paintwork, paintwork
from simulator.scenes.people import People, people_on
from simulator.scenes.sunlight import Sunlight, low_sun
from simulator.scenes.turf import TRACK_M, Turf, turf_of
from wire.pitch import Pitch

_FARTHEST_M = 2000.0
_FOG = np.array([196.0, 200.0, 204.0], np.float32)
_FOG_M = 38.0
_LAMP_M = 19.0


class Drawn(NamedTuple):
    """A view's `picture` (h, w, 3), sRGB 0 to 255, and how far (h, w) along each ray is what it shows, in metres."""

    picture: Floats
    reach_m: Floats


@dataclass(frozen=True)
class World:
    """Everything that there is to see."""

    pitch: Pitch
    seed: int
    difficulties: frozenset[Difficulty]
    turf: Turf
    paint: Paintwork
    people: People
    sun: Sunlight | None

    def draw(self, view: View) -> Drawn:
        """The world as `view` sees it."""
        hard = self.difficulties
        ground = Footprint(view)
        noise = Noise(np.random.default_rng([self.seed, 0x6A55]))
        picture = self.turf.draw(ground, noise)
        self.paint.draw(picture, view, ground, noise, self.turf.trodden(ground, noise))
        if self.sun is not None:
            self.sun.onto(picture, ground)
        sky(picture, view, np.random.default_rng([self.seed, 0x5]))
        view = _with_reach(view)
        room = TRACK_M if Difficulty.TRACK in hard else 0.0
        played = Difficulty.NO_PITCH not in hard
        surroundings(picture, view, self.pitch, self.seed, room, parents_near=False, flags=played)
        if played:
            self._goals(picture, view)
        light = np.ones((len(self.people.xy), 3), np.float32) if self.sun is None else self.sun.at(self.people.xy)
        self.people.draw(picture, view, light, self.sun is None)
        assert view.reach is not None
        if Difficulty.FOG in hard:
            clear = np.exp(-view.reach / np.float32(_FOG_M))[..., None]
            picture = picture * clear + _FOG * (1 - clear)
        if Difficulty.NIGHT in hard:
            picture = picture * self._floodlight(view)[..., None]
        return Drawn(picture, view.reach)

    def _goals(self, picture: Floats, view: View) -> None:
        for side in (-1, 1):
            goal = goal_layer(view.camera, self.pitch, side)
            if goal is None:
                continue
            x0, y0, x1, y1 = goal.box
            window = slice(y0, y1), slice(x0, x1)
            picture[window] = picture[window] * (1 - goal.layer[..., 3:]) + goal.layer[..., :3]
            along = view.ray[window][..., 0]
            off = np.float32(side * self.pitch.half_length - view.camera.position_m[0])
            view.note(window, goal.layer[..., 3], off / np.where(np.abs(along) < 1e-6, np.float32(1e-6), along))

    def _floodlight(self, view: View) -> Floats:
        """Four weak lamps beside the pitch, and next to nothing between them."""
        light = np.full(view.x.shape, 0.07, np.float32)
        x, y = np.nan_to_num(view.x, nan=1e4), np.nan_to_num(view.y, nan=1e4)
        for sx in (-0.5, 0.5):
            for sy in (-1.0, 1.0):
                away2 = (x - sx * self.pitch.half_length) ** 2 + (y - sy * self.pitch.half_width) ** 2
                light += np.float32(0.32) / (1 + away2 / _LAMP_M**2)
        return light


def world_of(pitch: Pitch, seed: int, difficulties: frozenset[Difficulty]) -> World:
    """The world of `seed`."""
    random = np.random.default_rng([seed, 0x3021D])
    # Each part draws from its own stream, so that a difficulty changes nothing but what it is about.
    turf, paint, crowd, weather = random.spawn(4)
    people = people_on(pitch, Difficulty.ON_LINES in difficulties, crowd)
    cast = np.column_stack([people.xy, people.height_m, np.full(len(people.xy), 0.22)])
    sun = low_sun(pitch, cast, weather) if Difficulty.SHADOWS in difficulties else None
    return World(
        pitch,
        seed,
        difficulties,
        turf_of(pitch, difficulties, turf),
        paintwork(pitch, difficulties, paint),
        people,
        sun,
    )


def _with_reach(view: View) -> View:
    down = view.ray[..., 2]
    reach = np.where(down < -1e-3, np.float32(view.camera.position_m[2]) / np.maximum(-down, 1e-6), _FARTHEST_M)
    return View(view.camera, view.ray, view.x, view.y, view.step, np.minimum(reach, _FARTHEST_M).astype(np.float32))
