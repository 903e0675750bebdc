"""Everybody without a task of their own: the team shapes in open play, the keepers and the referee."""

import numpy as np
import numpy.typing as npt

from simulator.match.formation import open_shape
from simulator.match.world import World

Array = npt.NDArray[np.float64]


def hold_shape(world: World, having: int, ball: Array) -> None:
    """Send both teams, keepers and referee where they belong while `having` (0, 1) has the ball near `ball` (2,)."""
    for team in (0, 1):
        _line_up(world, team, team == having, ball)
        mind_goal(world, team, ball)
    follow(world, ball)


def _line_up(world: World, team: int, having: bool, ball: Array) -> None:
    sign, crowd = world.sign(team), world.crowd
    who, foes = world.outfield(team), crowd.pos[world.outfield(1 - team)] * sign
    here = ball[:2] * sign
    places = open_shape(world.pitch, world.slots[team], here, having) + world.drift(1.3)[who]
    if having:
        line = max(0.0, float(here[0]), float(foes[:, 0].max()))
        places[:, 0] = np.minimum(places[:, 0], line - 0.5)
        if world.director.staying_back:
            places[:, 0] = np.minimum(places[:, 0], 0.35 * world.pitch.half_length)
    else:
        between = places[:, None] - foes[None]
        gap = np.sqrt((between * between).sum(2))
        near = gap.argmin(1)
        goal_side = foes[near] + np.array([-1.8, 0.0])
        goal_side[:, 1] *= 0.95
        pull = (
            0.65 * np.exp(-((gap.min(1) / 8) ** 2)) * np.where(foes[near, 0] < 0.15 * world.pitch.half_length, 1, 0.3)
        )
        places += (goal_side - places) * pull[:, None]
    spread(world, who, places * sign)


def spread(world: World, who: slice, places: Array, hurry: float = 0.0) -> None:
    """Send people to places, walking when near and running when far; `hurry` 0..1 makes them run sooner."""
    crowd, pitch = world.crowd, world.pitch
    places[:, 0] = np.clip(places[:, 0], -pitch.half_length - 1, pitch.half_length + 1)
    places[:, 1] = np.clip(places[:, 1], -pitch.half_width - 1, pitch.half_width + 1)
    far = np.sqrt(((places - crowd.pos[who]) ** 2).sum(1))
    crowd.target[who] = places
    crowd.pace[who] = np.clip(0.9 + hurry + far * (0.42 + 0.6 * hurry), 1.2, 5.4 + 1.5 * hurry)


def mind_goal(world: World, team: int, ball: Array) -> None:
    """Keep a team's keeper between ball and goal, further out the further away the ball is."""
    goal = world.goal(1 - team)
    way = ball[:2] - goal
    far = float(np.hypot(*way))
    out = float(np.clip(0.09 * far, 0.7, 0.75 * world.pitch.form.penalty_area_depth))
    place = goal + way / max(far, 1e-6) * out
    reach = world.pitch.form.goal_width / 2 + 0.5
    place[1] = np.clip(place[1], -reach, reach)
    who = world.keeper(team)
    world.run(who, place, 2.2 if far > 35 else 4.0)


def follow(world: World, ball: Array) -> None:
    """Keep the referee 10 to 15 m from the ball, on the side from which the next pass is not expected."""
    pitch, crowd = world.pitch, world.crowd
    away = np.array([-0.55 * np.sign(ball[0] + 1e-9), -0.85 if ball[1] > -0.3 * pitch.half_width else 0.85])
    reach = min(12.5, 0.38 * pitch.width_m)
    place = ball[:2] + away / np.hypot(*away) * reach + world.drift(0.8)[world.referee]
    place[0] = np.clip(place[0], -0.74 * pitch.half_length, 0.74 * pitch.half_length)
    place[1] = np.clip(place[1], -0.92 * pitch.half_width, 0.92 * pitch.half_width)
    far = float(np.hypot(*(place - crowd.pos[world.referee])))
    world.run(world.referee, place, float(np.clip(0.6 + 0.55 * far, 1.2, 6.3)))
