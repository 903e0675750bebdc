"""Bodies: people run to where they want to be with the acceleration they have, and go round each other."""

import numpy as np
import numpy.typing as npt

from simulator.match.truth import STEP_S

ACCELERATION = 4.0
BRAKING = 4.8
APART = 0.62
"""Nobody's centre comes nearer to another's than this, metres."""
TURN = 7.0
"""How fast a body turns, rad/s."""

Array = npt.NDArray[np.float64]


class Crowd:
    """Everybody on the pitch as arrays over people: `pos`, `vel`, `target` (n, 2) metres, `pace` (n,) m/s wanted,
    `top` (n,) m/s, `power` (n,) factor on the acceleration (a diving keeper has more), `watch` (2,) what to look at.
    """

    def __init__(self, pos: Array, top: Array) -> None:
        count = len(pos)
        self.pos = pos.copy()
        self.vel: Array = np.zeros((count, 2))
        self.target = pos.copy()
        self.pace: Array = np.full(count, 3.0)
        self.top = top
        self.power: Array = np.ones(count)
        self.heading: Array = np.zeros(count)
        self.stride: Array = np.zeros(count)
        self.watch: Array = np.zeros(2)
        self._self = np.eye(count) * 1e6

    def step(self) -> None:
        """One frame of motion."""
        to = self.target - self.pos
        away = np.sqrt((to * to).sum(1))
        room = np.maximum(away - 0.12, 0.0)
        want = np.minimum(np.minimum(self.pace, self.top), np.sqrt(2 * 2.6 * room))
        dv = to * (want / np.maximum(away, 1e-6))[:, None] - self.vel
        speed = np.sqrt((self.vel * self.vel).sum(1))
        size = np.sqrt((dv * dv).sum(1))
        # Legs can brake and turn at any speed; gaining speed gets harder the faster one is.
        gaining = (dv * self.vel).sum(1) > 0.3 * size * speed
        can = np.where(gaining, ACCELERATION * (1.12 - 0.75 * speed / self.top), BRAKING) * self.power * STEP_S
        before = self.vel
        vel = self.vel + dv * np.minimum(1.0, can / np.maximum(size, 1e-9))[:, None]
        vel = self._give_way(vel)
        hard = vel - before
        size = np.sqrt((hard * hard).sum(1))
        vel = before + hard * np.minimum(1.0, 6.5 * self.power * STEP_S / np.maximum(size, 1e-9))[:, None]
        speed = np.sqrt((vel * vel).sum(1))
        vel *= np.minimum(1.0, self.top / np.maximum(speed, 1e-9))[:, None]
        old = self.pos
        self.pos = self._apart(self.pos + vel * STEP_S)
        self.vel = vel
        self._turn((self.pos - old) / STEP_S)

    def _give_way(self, vel: Array) -> Array:
        """Velocities from which everybody can still brake before touching (a barrier on each pair's closing speed)."""
        between = self.pos[:, None, :] - self.pos[None, :, :]
        gap = np.sqrt((between * between).sum(2)) + self._self
        normal = between / gap[:, :, None]
        for _ in range(2):
            closing = -((vel[:, None, :] - vel[None, :, :]) * normal).sum(2)
            over = np.maximum(closing - np.sqrt(7.0 * np.maximum(gap - APART - 0.1, 0.0)), 0.0)
            over[gap > 6] = 0.0
            if not over.any():
                break
            push = (normal * over[:, :, None]).sum(1) * 0.5
            # Both give way to the same hand, so that two who run at each other pass instead of standing still.
            vel = vel + push + 0.5 * np.stack([-push[:, 1], push[:, 0]], axis=1)
        return vel

    def _apart(self, pos: Array) -> Array:
        for _ in range(3):
            between = pos[:, None, :] - pos[None, :, :]
            gap = np.sqrt((between * between).sum(2)) + self._self
            if gap.min() >= APART:
                break
            push = np.maximum(APART + 0.01 - gap, 0.0) * 0.5
            pos = pos + (between * (push / np.maximum(gap, 1e-6))[:, :, None]).sum(1)
        return pos

    def _turn(self, moved: Array) -> None:
        speed = np.sqrt((moved * moved).sum(1))
        along = np.arctan2(moved[:, 1], moved[:, 0])
        look = self.watch - self.pos
        at_ball = np.arctan2(look[:, 1], look[:, 0])
        turn = np.where(speed > 2.2, along, at_ball) - self.heading
        turn = (turn + np.pi) % (2 * np.pi) - np.pi
        self.heading = (self.heading + np.clip(turn, -TURN * STEP_S, TURN * STEP_S) + np.pi) % (2 * np.pi) - np.pi
        # Two steps are about 1.4 m at a walk and 3.6 m in a sprint.
        self.stride += 2 * np.pi * speed * STEP_S / (1.2 + 0.3 * speed)
