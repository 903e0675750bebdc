"""Small scenes, and a look from straight above at a world."""

from functools import lru_cache

import numpy as np
import pytest

from simulator.pictures.view import view_of
from simulator.scenes import scene
from simulator.scenes.world import world_of
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, looking

SIZE = (960, 540)
SEED = 3


@pytest.fixture(scope="session")
def small_scene():
    """A function that gives the scene of one seed, small, once each."""

    @lru_cache(maxsize=8)
    def made(kind="mast", difficulties=(), **wishes):
        return scene(kind, Pitch(), SEED, SIZE, difficulties, **wishes)

    return made


class Above:
    """A world (h, w, 3) RGB as a bird sees it, 16 pixels a metre of the pitch's left half."""

    def __init__(self, *difficulties, pitch=None):
        self.world = world_of(pitch or Pitch(), SEED, frozenset(difficulties))
        self.bird = CameraModel(
            "bird", 1040, 1360, Lens(3200.0, 520.0, 680.0), looking(0.0, -90.0, 0.0), (-27.5, 0.0, 200.0)
        )
        self.picture = self.world.draw(view_of(self.bird)).picture

    def at(self, x, y, size_px=1):
        """The mean colour around a point of the pitch."""
        ((u, v),) = self.bird.project([[x, y, 0.0]])
        column, row = int(u), int(v)
        low = size_px // 2
        window = self.picture[row - low : row - low + size_px, column - low : column - low + size_px]
        return window.reshape(-1, 3).mean(axis=0)

    def whiteness(self, x, y):
        """How much brighter, in the lesser of red and green, a point is than the ground a metre around it."""
        rings = [self.at(x + dx, y + dy) for dx in (-0.8, 0.8) for dy in (-0.8, 0.8)]
        return self.at(x, y)[:2].min() - np.median([ring[:2].min() for ring in rings])


@pytest.fixture(scope="session")
def above():
    """A function that looks from above at a world with some difficulties, once each."""
    return lru_cache(maxsize=20)(Above)


@pytest.fixture(scope="session")
def clean(small_scene):
    return small_scene()
