"""The pitch frame and the markings of a pitch of any size.

Pitch frame: metres, right-handed; origin on the centre spot, x along the touchline (to the right as the rig sees it),
y from the near to the far touchline, z up.
"""

import math
import re
from typing import Literal, NamedTuple

import msgspec

from wire.errors import BadPitch

PlayersPerSide = Literal[11, 9, 7]


class Format(NamedTuple):
    """Markings of one form of the game, in metres."""

    penalty_area_depth: float
    penalty_area_width: float
    goal_area_depth: float
    goal_area_width: float
    penalty_spot: float
    circle_radius: float
    goal_width: float
    goal_height: float
    penalty_arc: bool
    default_size: tuple[float, float]


# 11 a side: Laws of the Game 2024/25, Law 1. 9 and 7 a side: US Youth Soccer field mark-ups, yards and feet converted.
FORMATS: dict[int, Format] = {
    11: Format(16.5, 40.32, 5.5, 18.32, 11.0, 9.15, 7.32, 2.44, True, (105.0, 68.0)),
    9: Format(12.80, 32.92, 4.57, 14.63, 9.14, 7.32, 5.64, 1.98, True, (73.0, 46.0)),
    7: Format(10.97, 21.95, 3.66, 7.32, 8.23, 7.32, 5.64, 1.98, True, (55.0, 37.0)),
}
LINE_WIDTH = 0.12
"""Painted width in metres; Law 1 allows no more."""


class Line(NamedTuple):
    """A straight marking between two points of the pitch plane, metres."""

    name: str
    x0: float
    y0: float
    x1: float
    y1: float


class Arc(NamedTuple):
    """A circular marking, anticlockwise from angle `start` to `end` in radians (x axis = 0)."""

    name: str
    x: float
    y: float
    radius: float
    start: float
    end: float


class Pitch(msgspec.Struct, frozen=True):
    """One pitch: its length and width between the centre lines of the paint, in metres, and the form played on it."""

    length_m: float = 105.0
    width_m: float = 68.0
    players: PlayersPerSide = 11

    def __post_init__(self) -> None:
        form = FORMATS[self.players]
        if not (math.isfinite(self.length_m) and math.isfinite(self.width_m)):
            raise BadPitch("a pitch needs a length and a width in metres")
        if not (20 <= self.width_m <= 100 and 30 <= self.length_m <= 130):
            raise BadPitch(
                f"a pitch of {self.length_m:g}x{self.width_m:g} m is outside 30-130 m by 20-100 m: "
                "give length x width in metres, like 105x68"
            )
        if self.width_m < form.penalty_area_width or self.length_m < 2 * (form.penalty_area_depth + 2):
            raise BadPitch(
                f"a pitch of {self.length_m:g}x{self.width_m:g} m is too small for the penalty areas of "
                f"{self.players} a side"
            )

    @property
    def form(self) -> Format:
        """The markings' sizes."""
        return FORMATS[self.players]

    @property
    def half_length(self) -> float:
        """x of the right goal line."""
        return self.length_m / 2

    @property
    def half_width(self) -> float:
        """y of the far touchline."""
        return self.width_m / 2

    def lines(self) -> list[Line]:
        """Every straight marking as the centre line of its paint."""
        hx, hy, form = self.half_length, self.half_width, self.form
        out = [
            Line("near touchline", -hx, -hy, hx, -hy),
            Line("far touchline", -hx, hy, hx, hy),
            Line("halfway line", 0.0, -hy, 0.0, hy),
        ]
        for side, name in ((-1, "left"), (1, "right")):
            goal = side * hx
            out.append(Line(f"{name} goal line", goal, -hy, goal, hy))
            for area, depth, width in (
                ("penalty area", form.penalty_area_depth, form.penalty_area_width),
                ("goal area", form.goal_area_depth, form.goal_area_width),
            ):
                front, half = goal - side * depth, width / 2
                out.append(Line(f"{name} {area} near", goal, -half, front, -half))
                out.append(Line(f"{name} {area} front", front, -half, front, half))
                out.append(Line(f"{name} {area} far", goal, half, front, half))
        return out

    def arcs(self) -> list[Arc]:
        """The centre circle and, where the form has them, the penalty arcs."""
        form = self.form
        out = [Arc("centre circle", 0.0, 0.0, form.circle_radius, 0.0, 2 * math.pi)]
        reach = form.penalty_area_depth - form.penalty_spot
        if form.penalty_arc and reach < form.circle_radius:
            half = math.acos(reach / form.circle_radius)
            spot = self.half_length - form.penalty_spot
            out.append(Arc("left penalty arc", -spot, 0.0, form.circle_radius, -half, half))
            out.append(Arc("right penalty arc", spot, 0.0, form.circle_radius, math.pi - half, math.pi + half))
        return out

    def points(self) -> dict[str, tuple[float, float]]:
        """Named points a person can click: corners, area corners, halfway line ends, circle crossings, spots."""
        hx, hy, form = self.half_length, self.half_width, self.form
        out = {
            "centre spot": (0.0, 0.0),
            "halfway near": (0.0, -hy),
            "halfway far": (0.0, hy),
            "circle near": (0.0, -form.circle_radius),
            "circle far": (0.0, form.circle_radius),
            "circle left": (-form.circle_radius, 0.0),
            "circle right": (form.circle_radius, 0.0),
        }
        for side, name in ((-1, "left"), (1, "right")):
            goal = side * hx
            out[f"{name} penalty spot"] = (goal - side * form.penalty_spot, 0.0)
            for end, sign in (("near", -1), ("far", 1)):
                out[f"{name} corner {end}"] = (goal, sign * hy)
                out[f"{name} goal post {end}"] = (goal, sign * form.goal_width / 2)
                for area, depth, width in (
                    ("penalty area", form.penalty_area_depth, form.penalty_area_width),
                    ("goal area", form.goal_area_depth, form.goal_area_width),
                ):
                    out[f"{name} {area} goal line {end}"] = (goal, sign * width / 2)
                    out[f"{name} {area} {end}"] = (goal - side * depth, sign * width / 2)
        return out

    def contains(self, x_m: float, y_m: float, margin_m: float = 0.0) -> bool:
        """Whether a point lies on the pitch widened by `margin_m` on every side."""
        return abs(x_m) <= self.half_length + margin_m and abs(y_m) <= self.half_width + margin_m


def parse_pitch(text: str, players: PlayersPerSide = 11) -> Pitch:
    """The pitch written as `105x68` (length x width in metres); raises `BadPitch`."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*[xX×]\s*(\d+(?:\.\d+)?)\s*", text)
    if not match:
        raise BadPitch(f"{text!r} is not a pitch: write length x width in metres, like 105x68")
    return Pitch(float(match[1]), float(match[2]), players)


def default_pitch(players: PlayersPerSide) -> Pitch:
    """The customary size for the form of the game."""
    return Pitch(*FORMATS[players].default_size, players)
