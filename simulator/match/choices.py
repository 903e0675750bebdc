"""What the player on the ball can do: whom to pass to, and where in the goal to aim."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.match.ball import direct, fly, launch, lofted, rolling_speed
from simulator.match.director import Ending
from simulator.match.truth import FRAMES_PER_SECOND
from simulator.match.world import World

Array = npt.NDArray[np.float64]


class Pass(NamedTuple):
    """A pass that could be played: to whom, where the ball should arrive, the kick, and how safe it looks (metres of
    free lane)."""

    receiver: int
    target: Array
    velocity: Array
    lane: float


class Aim(NamedTuple):
    """A shot: the kick, and how it is meant to end."""

    velocity: Array
    ending: Ending


def lane(world: World, team: int, start: Array, ends: Array) -> Array:
    """Metres of room that the opponents of `team` leave on the straight ways from `start` to `ends` (m, 2)."""
    foes = world.crowd.pos[world.squad(1 - team)]
    way = ends - start
    length = np.maximum(np.sqrt((way * way).sum(1)), 1e-6)
    unit = way / length[:, None]
    rel = foes - start
    along = rel @ unit.T
    across = np.abs(rel[:, :1] * unit[None, :, 1] - rel[:, 1:] * unit[None, :, 0])
    on_way = (along > 0.3) & (along < length + 0.5)
    room = np.where(on_way, across / (1 + np.maximum(along, 0) / 14), 9.0)
    return np.minimum(room.min(0), 9.0)


def choose_pass(
    world: World, who: int, start: Array, forward: float, *, careless: bool = False, longest: float = 60.0
) -> Pass | None:
    """The pass that `who` would play from `start`; `forward` weighs ground gained, `careless` looks for
    the worst one, `longest` is the farthest that he would play (m). None when nobody can be reached."""
    team = int(world.team[who])
    sign = world.sign(team)
    crowd, pitch = world.crowd, world.pitch
    mates = np.arange(world.count)[world.squad(team)]
    mates = mates[mates != who]
    pos, vel = crowd.pos[mates], crowd.vel[mates]
    away = np.sqrt(((pos - start[:2]) ** 2).sum(1))
    lead = np.clip(away / 13, 0.5, 1.8)[:, None] * vel * 0.75
    ends = pos + lead
    ends[:, 0] = np.clip(ends[:, 0], -pitch.half_length + 2, pitch.half_length - 2)
    ends[:, 1] = np.clip(ends[:, 1], -pitch.half_width + 1.5, pitch.half_width - 1.5)
    far = np.sqrt(((ends - start[:2]) ** 2).sum(1))
    room = lane(world, team, start[:2], ends)
    foes = crowd.pos[world.squad(1 - team)]
    free = np.sqrt(((ends[:, None] - foes[None]) ** 2).sum(2)).min(1)
    gain = (ends[:, 0] - start[0]) * sign
    # Nobody beyond the last but one opponent (and the ball, and the halfway line) may be played to.
    line = np.sort(foes[:, 0] * sign)[-2]
    offside = pos[:, 0] * sign > max(line, start[0] * sign, 0.0) + 0.2
    loft = (room < 1.3) & (far > 15)
    score = (
        forward * gain / 8
        + 1.1 * np.minimum(np.where(loft, 1.8, room), 3)
        + 0.5 * np.minimum(free, 6)
        - np.abs(far - 13) / 7
        + world.rng.gumbel(0, 0.7, len(mates))
    )
    score[mates == world.keeper(team)] -= 3.0
    if careless:
        score = -1.5 * room - 0.5 * free - np.abs(far - 16) / 6 + forward * gain / 20
        loft = np.zeros_like(loft)
    score[(far < 4.5) | (far > min(longest, 0.5 * pitch.length_m)) | offside] = -1e3
    best = int(score.argmax())
    if score[best] < -100:
        return None
    velocity = deliver(start, ends[best], bool(loft[best]))
    return Pass(int(mates[best]), ends[best], velocity, float(room[best]))


def deliver(start: Array, target: Array, loft: bool, elevation: float = math.radians(36)) -> Array:
    """The kick that brings the ball from `start` to the place `target`, rolling or (`loft`) through the air."""
    far = float(np.hypot(*(target[:2] - start[:2])))
    if loft or start[2] > 0.6:
        if start[2] > 0.6 and far < 22:
            elevation = math.radians(12 if far < 12 else 24)
        speed, _ = lofted(far * (0.9 if loft else 0.85), elevation, 0.15 - float(start[2]))
        return launch(start, target, speed, elevation)
    arrival = float(np.clip(3.0 + far / 8, 3.5, 6.5))
    return launch(start, target, rolling_speed(far, arrival), 0.0)


def through_ball(world: World, runner: int, start: Array, place: Array) -> Pass | None:
    """The ball from `start` that brings `runner`, on his way to `place`, soonest within reach of the goal; None when
    there is none that he meets."""
    crowd, team = world.crowd, int(world.team[runner])
    here = crowd.pos[runner] + 0.2 * crowd.vel[runner]
    goal = world.goal(team)
    best: tuple[float, Pass] | None = None
    for share in (0.35, 0.55, 0.75, 0.95):
        target = here + (place - here) * share
        if float(np.hypot(*(target - start[:2]))) < 9:
            continue
        for degrees in (0, 20, 30, 42):
            velocity = deliver(start, target, degrees > 0, math.radians(degrees))
            path = fly(world.pitch, start, velocity)
            t = np.arange(len(path.xyz)) / FRAMES_PER_SECOND
            gap = np.sqrt(((path.xyz[:, :2] - here) ** 2).sum(1))
            meets = (
                (gap <= 0.3 + 0.74 * crowd.top[runner] * np.maximum(t - 0.35, 0)) & (path.xyz[:, 2] < 1.5) & (t > 0.4)
            )
            if path.crossing is not None:
                meets &= t < path.crossing.after_s - 0.5
            if not meets.any():
                continue
            at = int(meets.argmax())
            point = path.xyz[at, :2]
            left = float(np.hypot(*(goal - point)))
            if left < 0.11 * world.pitch.length_m:
                continue
            cost = 1.6 * float(t[at]) + left / 6.0
            if best is None or cost < best[0]:
                best = cost, Pass(runner, point, velocity, 2.0)
    return None if best is None else best[1]


def aim(world: World, who: int, ending: Ending) -> Aim | None:
    """A shot by `who` that ends as wished if the keeper plays along; None when there is no such shot from here."""
    team = int(world.team[who])
    rng, form = world.rng, world.pitch.form
    start, goal = world.ball.p, world.goal(team)
    keeper = world.crowd.pos[world.keeper(1 - team)]
    post, bar = form.goal_width / 2, form.goal_height
    header = start[2] > 1.3
    for _ in range(10):
        speed = rng.uniform(14, 17) if header else rng.uniform(21, 27.5) * (1.0 if world.n == 11 else 0.92)
        side = float(rng.choice((-1.0, 1.0)))
        height = float(rng.choice((rng.uniform(0.15, 0.5), rng.uniform(0.6, bar - 0.5))))
        if ending is Ending.GOAL:
            if abs(keeper[1]) > 0.3:
                side = -math.copysign(1.0, keeper[1])
            y = side * (post - rng.uniform(0.4, 0.9))
        elif ending is Ending.WIDE:
            if rng.random() < 0.3:
                y, height = rng.uniform(-1.1, 1.1) * post, bar + rng.uniform(0.5, 1.8)
            else:
                y = side * (post + rng.uniform(0.6, 2.8))
        else:
            limit = max(post - 0.5, 0.3)
            y = float(np.clip(keeper[1] + side * rng.uniform(0.5, 1.6), -limit, limit))
            height = min(height, 1.7)
        target = np.array([goal[0], y, height])
        far = float(np.hypot(*(target[:2] - start[:2])))
        velocity = launch(start, target, float(speed), direct(far, height - float(start[2]), float(speed)))
        path = fly(world.pitch, start, velocity)
        if path.crossing is None or not path.crossing.end_line:
            continue
        if path.crossing.goal != (ending is not Ending.WIDE):
            continue
        if ending is Ending.GOAL and _by_keeper(path.xyz, keeper) < 0.8:
            continue
        return Aim(velocity, ending)
    return None


def _by_keeper(xyz: Array, keeper: Array) -> float:
    """How near a ball passes a keeper who stands still, metres."""
    return float(np.sqrt(((xyz[:60, :2] - keeper) ** 2).sum(1)).min())
