"""The inference budget: how many passes of the network are due, and where in the picture each is worth most."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.detector import Detections, Floats
from edge.detect.looks import MOST_SCALE, Look, Part
from edge.detect.loops import best_window
from edge.detect.network import NetworkDetector, merged
from edge.detect.picture import Plane
from edge.detect.stature import BALL_SHARE, Stature
from edge.frame import Frame

PASSES_PER_SECOND = {"onnx": 4.0, "hailo": 24.0, "motion": 0.0}
"""What a node spends unless told otherwise. A Hailo-8L makes 57 passes of yolov8s a second at best, and poses, a second
camera and heat want their share; on the processor so many take a quarter of a desktop's core."""
COLUMNS = 60
"""Cells across the picture in which it is kept what was looked at, and when."""
LADDER = 1.4
"""Ratio of the scales at which tiles are cut, from the whole view's up to `MOST_SCALE`."""
ASPECTS = (1.0, 2.0, 4.0, 8.0)
"""Shapes of tiles, width to height: a network that takes any shape sees a far touchline best in a long strip."""
PERSON_PX = (12.0, 28.0)
"""Height at network scale from which on persons are found now and then, and nearly always."""
LARGE_PX = (120.0, 400.0)
"""Height at network scale up to which a person is whole in a tile, and from which on never."""
BALL_PX = (6.0, 12.0)
"""The same as `PERSON_PX` for the diameter of a ball."""
PROBE = 4096
"""Width of the part by which a detector is asked how closely it looks; its choice is not limited by any picture."""
MARGIN_PX = 24.0
"""What lies so near to a tile's edge at network scale may be cut by it, and does not count as seen."""
FILL = 0.3
"""Moving area of one person in squares of his height."""
CROWD = 1.5
"""Persons that one cell can count for: leaves in the wind are not a hundred."""
STILL = 0.02
"""Persons per square of a person's height where nothing moves, and at most in one cell."""
BALL = 10.0
"""Persons that the ball is worth."""
BALL_AGE_S = 0.5
"""Not having seen the ball for longer makes no look more urgent: it is elsewhere by then."""
WELL = 0.5
"""A look sees a place well that shows so much of what the best look would show."""
OLDEST_S = 2.0
"""From this age on a place where persons may be is looked at before anything else."""
LIKELY = 0.3
"""A place with more chance than this is where the ball was, once it is lost."""
RUN = 4.0
"""Heights of a person a second by which the place where a lost ball may be grows …"""
SEARCH_S = 2.0
"""… and when it may be at anybody's feet."""


class Pace:
    """Spreads `passes_per_second` evenly over the frames of a camera: never more in any second."""

    def __init__(self, passes_per_second: float, frames_per_second: float) -> None:
        self._rate = passes_per_second
        self._at_once = math.ceil(passes_per_second / frames_per_second)
        self._most = math.ceil(passes_per_second)
        self._given: deque[float] = deque(maxlen=self._most)
        self._began: float | None = None
        self._slots = 0

    def due(self, time_s: float) -> int:
        """How many passes to spend at this time; ask at every frame. What was not asked for in time is lost."""
        if self._began is None:
            self._began = time_s
        slots = math.floor((time_s - self._began) * self._rate + 1e-6) + 1
        wanted, self._slots = min(slots - self._slots, self._at_once), max(slots, self._slots)
        last_second = sum(time_s - given < 1 - 1e-6 for given in self._given)
        count = max(0, min(wanted, self._most - last_second))
        self._given.extend([time_s] * count)
        return count


@dataclass(frozen=True)
class Scene:
    """What the cheap eyes know when a pass is due.

    `moving` (h, w) 255 where the picture differs from the empty scene, of any size; `ball` (n, 2) places in the main
    stream where the ball may be, `chance` (n,) how much speaks for each; `people` (n, 2) the middles of those
    whom the tracker follows.
    """

    moving: Plane
    ball: Floats
    chance: Floats
    people: Floats


@dataclass(frozen=True)
class _Tile:
    """A tile that can be laid anywhere: its size in the main stream, even numbers, and how many columns and rows of
    cells in its middle count as seen."""

    width: int
    height: int
    columns: int
    rows: int


class Attention:
    """Chooses looks. Every place has a need of being looked at that grows with time: by the persons that move there, by
    the chance that the ball is there, and a little anyway. The next look is the one that meets most of it, at a scale
    that suits who is there (`stature`). How a look sees a part of the picture is up to the detector's `fit`.

    The same scenes at the same times always give the same looks.
    """

    def __init__(self, width: int, height: int, fit: Callable[[Part], Look], stature: Stature) -> None:
        self._size = (width, height)
        self._fit = fit
        self._stature = stature
        self._rows = max(1, round(height * COLUMNS / width))
        self._cell = (width / COLUMNS, height / self._rows)
        tiles = self._all_tiles()
        self._scales = np.array(list(tiles))
        self._tiles = [tile for level in tiles.values() for tile in level]
        shapes = [(nth, tile.rows, tile.columns) for nth, level in enumerate(tiles.values()) for tile in level]
        self._shapes = np.array(shapes, np.int64)
        self._near_at = np.zeros((self._rows, COLUMNS))
        self._seen_at = np.full((self._rows, COLUMNS), -OLDEST_S)
        self._ball_seen_at = np.full((self._rows, COLUMNS), -BALL_AGE_S)
        self._begun = False
        self._last_ball: tuple[float, float, float] | None = None

    def choose(self, time_s: float, count: int, scene: Scene) -> list[Look]:
        """So many looks at the frame of this time, the most useful first."""
        middle: Floats = (np.arange(self._rows, dtype=np.float64) + 0.5) * self._cell[1]
        tall = self._stature.at(middle + self._stature.at(middle) / 2)
        top = self._stature.top
        persons = self._persons(tall, scene)
        persons[middle < top - self._stature.at(np.array([top]))] = 0.0
        ball = self._ball(time_s, tall, scene, persons)
        at_scale = self._scales[:, None] * tall
        fits = 1 - _rising(at_scale, LARGE_PX)
        sees, sees_ball = (
            seen / np.maximum(seen.max(axis=0), 1e-6)
            for seen in (fits * _rising(at_scale, PERSON_PX), fits * _rising(at_scale * BALL_SHARE, BALL_PX))
        )
        return [self._next(time_s, persons, ball, sees, sees_ball) for _ in range(count)]

    def _next(self, time_s: float, persons: Floats, ball: Floats, sees: Floats, sees_ball: Floats) -> Look:
        if not self._begun:
            # How tall people are, the whole view says first.
            self._begun = True
            return self._fit((0, 0, *self._size))
        age = time_s - self._seen_at
        need, ball_need = persons * age, ball * np.minimum(time_s - self._ball_seen_at, BALL_AGE_S)
        row, column = divmod(int(np.where(persons > 0, time_s - self._near_at, -1.0).argmax()), COLUMNS)
        held = (row, column) if time_s - self._near_at[row, column] > OLDEST_S else (-1, -1)
        nth, y, x = best_window(need, ball_need, sees, sees_ball, self._shapes, *held, WELL)
        level, tile = int(self._shapes[nth, 0]), self._tiles[nth]
        window = (slice(y, y + tile.rows), slice(x, x + tile.columns))
        self._near_at[window][sees[level][window[0]] >= WELL] = time_s
        for seen_at, seen in ((self._seen_at, sees[level]), (self._ball_seen_at, sees_ball[level])):
            seen_at[window] += seen[window[0], None] * (time_s - seen_at[window])
        return self._fit(self._region(tile, x + tile.columns / 2, y + tile.rows / 2))

    def _region(self, tile: _Tile, column: float, row: float) -> Part:
        """The part of the picture that the tile covers around a place in the grid."""
        x0, y0 = (
            min(max(0, round((at * cell - side / 2) / 2) * 2), whole - side)
            for at, cell, side, whole in zip(
                (column, row), self._cell, (tile.width, tile.height), self._size, strict=True
            )
        )
        return x0, y0, x0 + tile.width, y0 + tile.height

    def _persons(self, tall: Floats, scene: Scene) -> Floats:
        """How many persons may be in each cell."""
        room = math.prod(self._cell) / tall[:, None] ** 2
        persons = np.repeat(STILL * np.minimum(room, 1.0), COLUMNS, axis=1)
        if scene.moving.size:
            # One pixel in 16 says as much of a whole cell, and costs a twentieth.
            part = np.ascontiguousarray(scene.moving[::4, ::4])
            share = cv2.resize(part, (COLUMNS, self._rows), interpolation=cv2.INTER_AREA) / 255
            persons += np.minimum(share * room / FILL, CROWD)
        else:
            # Nothing says yet what moves: whom one look found another has to confirm.
            persons[self._cells(scene.people)] = 1.0
        return persons

    def _cells(self, places: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Rows and columns of the cells in which these places (n, 2) of the main stream are, or the nearest."""
        column, row = (places / self._cell).astype(np.intp).T
        return np.clip(row, 0, self._rows - 1), np.clip(column, 0, COLUMNS - 1)

    def _ball(self, time_s: float, tall: Floats, scene: Scene, persons: Floats) -> Floats:
        """What a look for the ball is worth in each cell."""
        worth = np.zeros((self._rows, COLUMNS))
        known = float(scene.chance.sum())
        if known > 0:
            np.add.at(worth, self._cells(scene.ball), BALL * scene.chance / max(1.0, known))
            likeliest = int(scene.chance.argmax())
            if scene.chance[likeliest] > LIKELY:
                self._last_ball = (time_s, float(scene.ball[likeliest, 0]), float(scene.ball[likeliest, 1]))
        lost = persons
        if self._last_ball is not None and time_s - self._last_ball[0] < SEARCH_S:
            since, x, y = self._last_ball
            reach = tall[:, None] * (1 + RUN * (time_s - since))
            off_x = (np.arange(COLUMNS) + 0.5) * self._cell[0] - x
            off_y = (np.arange(self._rows) + 0.5) * self._cell[1] - y
            near = off_x[None] ** 2 + off_y[:, None] ** 2 < reach**2
            lost = persons * near
        if known < 1 and lost.any():
            worth += BALL * (1 - known) * lost / lost.sum()
        return worth

    def _all_tiles(self) -> dict[float, list[_Tile]]:
        """By scale, the tiles that one pass sees at about that scale; none lies within another."""
        width, height = self._size
        whole = min(self._fit((0, 0, width, height)).scale)
        steps = max(0, math.floor(math.log(MOST_SCALE / whole) / math.log(LADDER)))
        tiles: dict[float, list[_Tile]] = {}
        for scale in (whole * LADDER**step for step in range(steps + 1)):
            sizes = {self._tile_size(scale, aspect) for aspect in (width / height, *ASPECTS)}
            largest = [a for a in sizes if not any(a != b and a[0] <= b[0] and a[1] <= b[1] for b in sizes)]
            tiles[scale] = [self._tile(scale, *size) for size in sorted(largest)]
        return tiles

    def _tile_size(self, scale: float, aspect: float) -> tuple[int, int]:
        """Width and height of a part of this aspect that the detector looks at at this scale, as far as the picture
        goes."""
        probe = (0, 0, PROBE, round(PROBE / aspect / 2) * 2)
        times = min(self._fit(probe).scale) / scale
        width, height = (
            min(whole, round(side * times / 2) * 2) for whole, side in zip(self._size, probe[2:], strict=True)
        )
        return width, height

    def _tile(self, scale: float, width: int, height: int) -> _Tile:
        columns, rows = (
            count if side >= whole else max(1, math.floor((side - 2 * MARGIN_PX / scale) / cell))
            for count, side, whole, cell in zip(
                (COLUMNS, self._rows), (width, height), self._size, self._cell, strict=True
            )
        )
        return _Tile(width, height, columns, rows)


class Chooser(Protocol):
    """Says where to look."""

    def choose(self, time_s: float, count: int, scene: Scene) -> list[Look]:
        """So many looks at the frame of this time."""


class Budget:
    """A detector's passes: `passes_per_second` on the frames of one camera, spent where `attention` chooses."""

    def __init__(
        self, detector: NetworkDetector, passes_per_second: float, frames_per_second: float, attention: Chooser
    ) -> None:
        self.name = detector.name
        self._detector = detector
        self._pace = Pace(passes_per_second, frames_per_second)
        self._attention = attention

    def spend(self, time_s: float, frame: Frame, scene: Callable[[], Scene]) -> tuple[Detections, list[Look]] | None:
        """What the looks that are due at this frame find, and these looks; None where none is due, and then nobody asks
        for the `scene`.

        Raises what the detector raises.
        """
        count = self._pace.due(time_s)
        if not count:
            return None
        looks = self._attention.choose(time_s, count, scene())
        found = self._detector.look_at(frame, looks)
        # One look has nothing twice.
        return found[0] if len(found) == 1 else merged(found), looks


def _rising(value: Floats, between: tuple[float, float]) -> Floats:
    """0 up to the first of `between`, 1 from the second on."""
    low, high = between
    return np.clip((value - low) / (high - low), 0.0, 1.0)
