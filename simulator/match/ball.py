"""The ball: gravity, air, bounce, roll, nets and the boards around the pitch; and the kicks that send it somewhere."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.match.truth import BALL_RADIUS_M, STEP_S
from wire.pitch import Pitch

GRAVITY = 9.81
DRAG = 0.012
"""Per metre: half the air's density times area times drag coefficient (.23) over mass, for a size 5 ball."""
ROLLING = 1.5
"""Deceleration of a ball that rolls on short grass, m/s²."""
BOUNCE = 0.58
GRIP = 0.7
NET_DEPTH = 1.8
BOARDS = 4.5
"""How far behind the lines the boards (or people) stand that stop a ball, metres."""
_SUBSTEPS = 4
_DT = STEP_S / _SUBSTEPS
_LONGEST_S = 9.0

Array = npt.NDArray[np.float64]


class Crossing(NamedTuple):
    """Where and when (seconds after the kick) the whole ball was over a line, and whether that is a goal."""

    after_s: float
    x: float
    y: float
    z: float
    goal: bool
    end_line: bool


class Path(NamedTuple):
    """A ball left to itself: centre (frames, 3) and velocity (frames, 3), 25 a second, and its first way out."""

    xyz: Array
    velocity: Array
    crossing: Crossing | None


def fly(pitch: Pitch, start: Array, velocity: Array) -> Path:
    """The way of a ball from `start` with `velocity` (both x, y, z) until it lies still, or 9 s are over."""
    hx, hy, form = pitch.half_length, pitch.half_width, pitch.form
    post, bar = form.goal_width / 2, form.goal_height
    x, y, z = (float(c) for c in start)
    vx, vy, vz = (float(c) for c in velocity)
    out: list[tuple[float, ...]] = [(x, y, z, vx, vy, vz)]
    crossing: Crossing | None = None
    inside = abs(x) <= hx + BALL_RADIUS_M and abs(y) <= hy + BALL_RADIUS_M
    for step in range(1, int(_LONGEST_S / _DT) + 1):
        speed = math.sqrt(vx * vx + vy * vy + vz * vz)
        rolling = z <= BALL_RADIUS_M + 1e-6 and abs(vz) < 0.6
        if rolling:
            z, vz = BALL_RADIUS_M, 0.0
            ground = math.hypot(vx, vy)
            outside = abs(x) > hx + 1.5 or abs(y) > hy + 1.5
            loss = (DRAG * ground * ground + ROLLING * (2.5 if outside else 1.0)) * _DT
            keep = max(0.0, 1 - loss / ground) if ground > 1e-9 else 0.0
            vx, vy = vx * keep, vy * keep
        else:
            keep = 1 - DRAG * speed * _DT
            vx, vy, vz = vx * keep, vy * keep, vz * keep - GRAVITY * _DT
        px, py, pz = x, y, z
        x, y, z = x + vx * _DT, y + vy * _DT, z + vz * _DT
        if z < BALL_RADIUS_M:
            z = BALL_RADIUS_M
            if vz < 0:
                vz = -vz * BOUNCE if vz < -0.9 else 0.0
                vx, vy = vx * GRIP, vy * GRIP
        if crossing is None and inside:
            crossing = _crossing(px, py, pz, x, y, z, (step - 1) * _DT, hx, hy, post, bar)
        if crossing is not None:
            side = math.copysign(1.0, x)
            depth = abs(x) - hx
            if crossing.goal:
                if depth > NET_DEPTH:
                    x, vx, vy, vz = side * (hx + NET_DEPTH), -0.12 * vx, vy * 0.35, vz * 0.5
                if depth < 0.3 and vx * side < 0:
                    vx *= 0.3
                if abs(y) > post - BALL_RADIUS_M:
                    y, vy = math.copysign(post - BALL_RADIUS_M, y), -0.15 * vy
                if z > bar - BALL_RADIUS_M and vz > 0:
                    z, vz = bar - BALL_RADIUS_M, 0.0
            elif 0.15 < depth < NET_DEPTH and z < bar and abs(y) < post + BALL_RADIUS_M <= abs(py):
                y, vy, vx = math.copysign(post + BALL_RADIUS_M, py), -0.2 * vy, vx * 0.5
        if abs(x) > hx + BOARDS:
            x, vx, vy = math.copysign(hx + BOARDS, x), -0.25 * vx, vy * 0.6
        if abs(y) > hy + BOARDS:
            y, vy, vx = math.copysign(hy + BOARDS, y), -0.25 * vy, vx * 0.6
        if step % _SUBSTEPS == 0:
            out.append((x, y, z, vx, vy, vz))
            if rolling and vx * vx + vy * vy < 1e-4:
                break
    table = np.array(out)
    return Path(table[:, :3], table[:, 3:], crossing)


def _crossing(
    px: float,
    py: float,
    pz: float,
    x: float,
    y: float,
    z: float,
    since: float,
    hx: float,
    hy: float,
    post: float,
    bar: float,
) -> Crossing | None:
    """The line that the step from p to here crossed first."""
    share, end_line = 2.0, False
    if abs(x) > hx + BALL_RADIUS_M:
        share = (hx + BALL_RADIUS_M - abs(px)) / max(abs(x) - abs(px), 1e-12)
        end_line = True
    if abs(y) > hy + BALL_RADIUS_M:
        other = (hy + BALL_RADIUS_M - abs(py)) / max(abs(y) - abs(py), 1e-12)
        if other < share:
            share, end_line = other, False
    if share > 1:
        return None
    share = max(share, 0.0)
    cx, cy, cz = px + share * (x - px), py + share * (y - py), pz + share * (z - pz)
    goal = end_line and abs(cy) < post and cz < bar
    return Crossing(since + share * _DT, cx, cy, cz, goal, end_line)


class Ball:
    """The ball's state: either left to itself on a `Path`, or guided by a foot or by hands."""

    def __init__(self, pitch: Pitch, x: float, y: float) -> None:
        self.pitch = pitch
        self.p: Array = np.array([x, y, BALL_RADIUS_M])
        self.v: Array = np.zeros(3)
        self.path: Path | None = None
        self.age = 0

    def kick(self, velocity: Array) -> Path:
        """Let the ball go with `velocity`; its whole way is known from here on."""
        self.path = fly(self.pitch, self.p, velocity)
        self.age = 0
        self.v = np.array(velocity, float)
        return self.path

    def roll_on(self) -> None:
        """One frame of a ball left to itself."""
        assert self.path is not None
        self.age = min(self.age + 1, len(self.path.xyz) - 1)
        self.p, self.v = self.path.xyz[self.age].copy(), self.path.velocity[self.age].copy()

    def stop(self, keep: float) -> None:
        """Somebody takes the ball: it keeps the share `keep` of its velocity and is guided from now on."""
        self.path = None
        self.v = self.v * keep

    def guide(self, target: Array, velocity: Array, gain: float = 7.0, limit: float = 12.0) -> None:
        """One frame of a ball drawn to `target`, which moves with `velocity`, by a body that touches it."""
        pull = (target - self.p) * gain
        size = float(np.linalg.norm(pull))
        wanted = velocity + pull * min(1.0, limit / max(size, 1e-9))
        change = wanted - self.v
        size = float(np.linalg.norm(change))
        self.v = self.v + change * min(1.0, 90.0 * STEP_S / max(size, 1e-9))
        self.p = self.p + self.v * STEP_S
        if self.p[2] < BALL_RADIUS_M:
            self.p[2] = BALL_RADIUS_M
            self.v[2] = max(self.v[2], 0.0)

    def ahead(self) -> Array:
        """Where the ball will be in the coming frames (frames, 3), the present one first."""
        assert self.path is not None
        return self.path.xyz[self.age :]


def rolling_speed(distance: float, arrival: float) -> float:
    """The speed on the ground that leaves `arrival` m/s after `distance` metres of roll (closed form)."""
    return math.sqrt((arrival**2 + ROLLING / DRAG) * math.exp(2 * DRAG * distance) - ROLLING / DRAG)


def _reach(speed: float, elevation: float, height: float) -> tuple[float, float]:
    """Range (metres) and time at which a ball launched at `elevation` falls below `height`, both above the launch."""
    x = z = t = 0.0
    vx, vz = speed * math.cos(elevation), speed * math.sin(elevation)
    while not (vz < 0 and z <= height) and t < 6:
        keep = 1 - DRAG * math.hypot(vx, vz) * 0.02
        vx, vz = vx * keep, vz * keep - GRAVITY * 0.02
        x, z, t = x + vx * 0.02, z + vz * 0.02, t + 0.02
        if z < height and vz < 0:
            break
    return x, t


def lofted(distance: float, elevation: float, height: float = 0.0) -> tuple[float, float]:
    """Speed and flight time of a ball that comes down through `height` (above the launch) after `distance` metres."""
    low, high = 3.0, 33.0
    for _ in range(12):
        middle = (low + high) / 2
        if _reach(middle, elevation, height)[0] < distance:
            low = middle
        else:
            high = middle
    return high, _reach(high, elevation, height)[1]


def direct(distance: float, height: float, speed: float) -> float:
    """The elevation (radians) at which a ball of `speed` is `height` above its launch after `distance` (metres)."""
    low, high = -0.35, 0.7
    for _ in range(14):
        middle = (low + high) / 2
        x = z = 0.0
        vx, vz = speed * math.cos(middle), speed * math.sin(middle)
        while x < distance and vx > 1:
            keep = 1 - DRAG * math.hypot(vx, vz) * _DT
            vx, vz = vx * keep, vz * keep - GRAVITY * _DT
            step = min(1.0, (distance - x) / (vx * _DT))
            x, z = x + vx * _DT * step, z + vz * _DT * step
        if z < height:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def launch(start: Array, target: Array, speed: float, elevation: float) -> Array:
    """The velocity of a kick from `start` towards `target` (x, y count) at `elevation` radians."""
    flat = target[:2] - start[:2]
    flat = flat / max(float(np.linalg.norm(flat)), 1e-9)
    return np.array([*(flat * speed * math.cos(elevation)), speed * math.sin(elevation)])
