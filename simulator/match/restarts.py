"""Dead balls: how the ball comes back to where it is to be kicked, who kicks it, and where everybody waits."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from simulator.match.ball import Crossing, launch, lofted
from simulator.match.choices import choose_pass, deliver
from simulator.match.formation import corner_shape, keep_off, kick_off_shape
from simulator.match.possession import Kick, OpenPlay
from simulator.match.shape import follow, hold_shape, mind_goal, spread
from simulator.match.truth import BALL_RADIUS_M, STEP_S, Pose
from simulator.match.world import World
from wire.events import EventType

Array = npt.NDArray[np.float64]


class Stage(Enum):
    """How far a restart has come."""

    LOOSE = 0
    RETURNING = 1
    FETCHING = 2
    PLACING = 3
    READY = 4


@dataclass(frozen=True)
class Award:
    """What the referee gives: the kind of restart, to which team, from where (pitch frame)."""

    kind: EventType
    team: int
    spot: Array


def after(world: World, crossing: Crossing, last_team: int) -> Award:
    """The restart that the Laws give for a ball over a line last touched by `last_team`."""
    pitch = world.pitch
    side, sign = math.copysign(1.0, crossing.y), math.copysign(1.0, crossing.x)
    defending = 0 if sign < 0 else 1
    if crossing.goal:
        return Award(EventType.KICK_OFF, defending, np.zeros(2))
    if not crossing.end_line:
        return Award(EventType.THROW_IN, 1 - last_team, np.array([crossing.x, side * pitch.half_width]))
    if last_team == defending:
        spot = np.array([sign * (pitch.half_length - 0.35), side * (pitch.half_width - 0.35)])
        return Award(EventType.CORNER, 1 - defending, spot)
    x = sign * (pitch.half_length - pitch.form.goal_area_depth)
    return Award(EventType.GOAL_KICK, defending, np.array([x, side * pitch.form.goal_area_width / 2 * 0.7]))


class Restart:
    """One restart from the moment the ball is dead until it is kicked. `step` says True in the frame of the kick."""

    def __init__(self, world: World, play: OpenPlay, award: Award, *, opening: bool = False) -> None:
        self.world, self.play, self.award = world, play, award
        self.began = world.frame
        self.stage = Stage.READY if opening else Stage.LOOSE
        self.hurry = world.director.hurry
        world.crowd.power[:] = 1.0
        self.taker = self._choose_taker()
        slow = 1 - self.hurry
        shortest = {EventType.KICK_OFF: 5.0, EventType.CORNER: 2.5, EventType.GOAL_KICK: 2.2, EventType.FREE_KICK: 2.2}
        wait = shortest.get(award.kind, 1.8) + slow * world.rng.uniform(2.0, 14.0)
        if opening:
            wait = world.rng.uniform(0.6, 0.9)
        self.kick_at = world.frame + round(wait * 25)
        self.toss_at = world.frame + round((0.5 + slow * world.rng.uniform(0.5, 3.0)) * 25)
        self._carrier = self.taker
        self._placed_at = world.frame
        self._go = False
        self._back = self._back_off()
        if opening:
            world.crowd.pos[self.taker] = award.spot + self._back
        self._lay_out()

    def _choose_taker(self) -> int:
        world, award = self.world, self.award
        if award.kind is EventType.GOAL_KICK:
            return world.keeper(award.team)
        if award.kind is EventType.KICK_OFF:
            slots = world.slots[award.team]
            return award.team * world.n + 1 + int((slots[:, 0] * 2 - np.abs(slots[:, 1])).argmax())
        return world.nearest(award.spot, world.outfield(award.team))

    def _back_off(self) -> Array:
        """Where the taker waits behind the ball."""
        world, award = self.world, self.award
        sign = world.sign(award.team)
        if award.kind is EventType.KICK_OFF:
            return np.array([-sign * 1.0, 0.0])
        if award.kind is EventType.THROW_IN:
            return np.array([0.0, math.copysign(0.45, award.spot[1])])
        if award.kind is EventType.CORNER:
            return np.array([math.copysign(0.5, award.spot[0]), math.copysign(1.3, award.spot[1])])
        way = world.goal(award.team) - award.spot
        return -way / max(float(np.hypot(*way)), 1e-6) * 2.0

    # --- where everybody waits ---

    def _lay_out(self) -> None:
        world, award = self.world, self.award
        pitch, team, spot, kind = world.pitch, award.team, award.spot, award.kind
        tempo = 0.35 + 0.65 * self.hurry
        if kind is EventType.KICK_OFF:
            for side in (0, 1):
                sign = world.sign(side)
                places = (
                    kick_off_shape(pitch, world.slots[side], side == team)
                    + 0.4 * world.drift(0.6)[world.outfield(side)]
                )
                places[:, 0] = np.minimum(places[:, 0], -1.0)
                who = world.outfield(side)
                spread(world, who, places * sign, tempo)
                if self.hurry > 0.6:
                    away = world.crowd.pos[who, 0] * sign > -0.5
                    world.crowd.pace[who] = np.where(away, 7.2, world.crowd.pace[who])
                mind_goal(world, side, np.zeros(2))
            follow(world, np.zeros(2))
            world.run(world.referee, np.array([-3.0, -pitch.form.circle_radius - 2.0]), 4.5)
        elif kind is EventType.CORNER:
            sign = world.sign(team)
            for side in (0, 1):
                places = corner_shape(
                    pitch, world.n - 1, side == team, math.copysign(1.0, spot[1] * sign), world.slots[side]
                )
                places = places + world.drift(0.5)[world.outfield(side)]
                if side != team:
                    places = keep_off(places, spot * sign, pitch.form.circle_radius, np.array([-1.0, 0.0]))
                spread(world, world.outfield(side), places * sign, tempo)
                mind_goal(world, side, spot)
            follow(world, np.array([spot[0], spot[1] * 0.2]))
        else:
            hold_shape(world, team, spot)
            self._clear_spot(tempo)
        self._settle_referee()

    def _clear_spot(self, tempo: float) -> None:
        """Opponents keep the distance that the Laws ask for; team mates come near enough for a short throw."""
        world, award = self.world, self.award
        form, spot, team = world.pitch.form, award.spot, award.team
        foes, mates = world.outfield(1 - team), world.outfield(team)
        inward = -np.sign(spot) * [1.0, 0.6]
        inward = inward / max(float(np.hypot(*inward)), 1e-6)
        radius = {EventType.THROW_IN: 2.5, EventType.FREE_KICK: form.circle_radius + 0.4}.get(award.kind, 0.0)
        places = world.crowd.target[foes].copy()
        if award.kind is EventType.GOAL_KICK:
            edge = world.pitch.half_length - form.penalty_area_depth - 1.5
            side = math.copysign(1.0, spot[0])
            places[:, 0] = np.where(places[:, 0] * side > edge, side * edge, places[:, 0])
        else:
            own_goal = world.goal(team)
            way = own_goal - spot
            places = keep_off(places, spot, radius, way / max(float(np.hypot(*way)), 1e-6))
        spread(world, foes, places, tempo)
        places = world.crowd.target[mates].copy()
        if award.kind is EventType.THROW_IN:
            gap = np.sqrt(((places - spot) ** 2).sum(1))
            for rank, who in enumerate(gap.argsort()[1:4]):
                angle = (rank - 1) * 0.9
                c, s = math.cos(angle), math.sin(angle)
                aside = np.array([inward[0] * 0.3, inward[1]])
                aside = aside / max(float(np.hypot(*aside)), 1e-6)
                places[who] = spot + (8 + 2.0 * rank) * np.array(
                    [c * aside[0] - s * aside[1], s * aside[0] + c * aside[1]]
                )
        places = keep_off(places, spot, 3.0, inward)
        spread(world, mates, places, tempo)

    def _settle_referee(self) -> None:
        world = self.world
        place = keep_off(world.crowd.target[[world.referee]], self.award.spot, 8.0, np.array([0.0, -1.0]))[0]
        place = np.clip(
            place,
            [-world.pitch.half_length, -world.pitch.half_width],
            [world.pitch.half_length, world.pitch.half_width],
        )
        world.crowd.target[world.referee] = place

    # --- one frame ---

    def step(self) -> bool:
        """One frame of dead time; True when the ball is kicked."""
        world = self.world
        if world.frame % 5 == 0 and not self._go:
            self._lay_out()
        self._send_taker()
        if self.stage is Stage.LOOSE:
            self._while_loose()
        elif self.stage is Stage.RETURNING:
            self._while_returning()
        elif self.stage is Stage.FETCHING:
            self._while_fetching()
        elif self.stage is Stage.PLACING:
            self._place()
        else:
            return self._wait_and_kick()
        return False

    def _send_taker(self) -> None:
        if self.stage in (Stage.READY, Stage.PLACING) or self.stage is Stage.FETCHING:
            return
        world = self.world
        pace = 3.5 + 3.3 * self.hurry
        place = self.award.spot + 0.6 * self._back
        if self.award.kind is EventType.FREE_KICK:
            place = world.ball.p[:2]
        world.run(self.taker, place, pace)
        if self._carrier != self.taker:
            world.run(self._carrier, self._reachable(world.ball.p[:2]), pace)

    def _reachable(self, place: Array) -> Array:
        """A place next to the ball that is not inside the goal's net."""
        pitch = self.world.pitch
        return np.clip(
            place,
            [-pitch.half_length - 0.9, -pitch.half_width - 4.0],
            [pitch.half_length + 0.9, pitch.half_width + 4.0],
        )

    def _while_loose(self) -> None:
        world, kind = self.world, self.award.kind
        if world.ball.path is not None:
            world.ball.roll_on()
        if kind is EventType.KICK_OFF:
            # The keeper takes the ball out of his net and sends it back to the centre.
            self._carrier = world.keeper(self.award.team)
            gap = world.gap(self._carrier, world.ball.p)
            if gap < 1.3 and world.frame > self.began + 12 and world.ball.p[2] < 1.3:
                world.ball.stop(0.2)
                self.stage, self._placed_at = Stage.FETCHING, world.frame
            return
        if kind is EventType.FREE_KICK:
            if world.gap(self.taker, world.ball.p) < 0.9 and world.ball.p[2] < 0.8:
                world.ball.stop(0.3)
                self.stage = Stage.PLACING
            return
        slow = float(np.hypot(*world.ball.v[:2])) < 6.0 and world.ball.p[2] < 1.5
        near = world.gap(self.taker, self.award.spot) < 10
        if world.frame >= self.toss_at and slow and near:
            self._toss(self.award.spot + 0.4 * self._back, math.radians(50), 0.9)

    def _toss(self, place: Array, elevation: float, share: float = 1.0) -> None:
        """Somebody behind the boards (or the keeper) throws the ball to `place`."""
        ball = self.world.ball
        far = float(np.hypot(*(place - ball.p[:2])))
        if far < 2.5:
            ball.stop(0.5)
            self.stage = Stage.PLACING
            return
        speed, _ = lofted(far * share, elevation, 1.0 - float(ball.p[2]))
        ball.kick(launch(ball.p, place, speed, elevation))
        self.stage = Stage.RETURNING

    def _while_fetching(self) -> None:
        """The keeper has the ball out of the net, turns, and punts it to the centre."""
        world, ball = self.world, self.world.ball
        who = self._carrier
        sign = world.sign(self.award.team)
        out = np.array([-sign * (world.pitch.half_length - 3.5), world.crowd.pos[who][1]])
        world.run(who, out, 5.0)
        world.strike(who, Pose.HOLD, 2)
        ball.guide(
            np.array([*(world.crowd.pos[who] + [0.35 * sign, 0.0]), 1.1]), np.array([*world.crowd.vel[who], 0.0])
        )
        free = abs(ball.p[0]) < world.pitch.half_length - 1.0
        if free and world.frame - self._placed_at > 10 + 30 * (1 - self.hurry):
            self._toss(np.array([-sign * 0.8, 0.0]), math.radians(32))
            world.strike(who, Pose.KICK)
            self._carrier = self.taker

    def _while_returning(self) -> None:
        world, ball = self.world, self.world.ball
        ball.roll_on()
        who = self.taker
        ahead = ball.ahead()
        t = np.arange(len(ahead)) * STEP_S
        gap = np.sqrt(((ahead[:, :2] - world.crowd.pos[who]) ** 2).sum(1))
        meets = (gap < 0.3 + 5.5 * np.maximum(t - 0.2, 0)) & (ahead[:, 2] < 1.6)
        cost = np.hypot(*(ahead[:, :2] - self.award.spot).T) + 1.5 * t
        at = int(np.where(meets, cost, 1e3).argmin()) if meets.any() else len(ahead) - 1
        world.run(who, ahead[at, :2], 6.5)
        if world.gap(who, ball.p) < 0.9 and ball.p[2] < 1.8:
            ball.stop(0.25)
            self.stage = Stage.PLACING

    def _place(self) -> None:
        """The taker brings the ball to the spot: at his feet, in his hands for a throw-in."""
        world, ball, spot = self.world, self.world.ball, self.award.spot
        who = self.taker
        way = spot - ball.p[:2]
        far = float(np.hypot(*way))
        if self.award.kind is EventType.THROW_IN:
            world.run(who, spot + self._back, 4.0)
            world.strike(who, Pose.HOLD, 2)
            inward = -np.sign(self._back[1])
            hand = world.crowd.pos[who] + [0.0, 0.15 * inward]
            ball.guide(np.array([*hand, 1.75]), np.array([*world.crowd.vel[who], 0.0]))
            if world.gap(who, spot + self._back) < 0.35 and np.linalg.norm(ball.p[:2] - hand) < 0.3:
                self.stage, self._placed_at = Stage.READY, world.frame
            return
        if far > 0.6:
            step = way / far
            world.run(who, ball.p[:2] + step * min(far, 3.5), 2.0 + 2.5 * self.hurry)
            place = world.crowd.pos[who] + step * 0.55
            if far < 1.6 or world.gap(who, ball.p) < 1.2:
                place = spot if far < 1.6 else place
                ball.guide(np.array([*place, BALL_RADIUS_M]), np.zeros(3), gain=5.0, limit=4.0)
            else:
                ball.guide(np.array([*ball.p[:2], BALL_RADIUS_M]), np.zeros(3))
            return
        ball.guide(np.array([*spot, BALL_RADIUS_M]), np.zeros(3), gain=5.0, limit=3.0)
        world.run(who, spot + self._back, 2.5)
        if far < 0.03 and float(np.linalg.norm(ball.v)) < 0.1:
            self.stage, self._placed_at = Stage.READY, world.frame

    def _wait_and_kick(self) -> bool:
        world, award = self.world, self.award
        who, ball = self.taker, world.ball
        throw = award.kind is EventType.THROW_IN
        if throw:
            world.strike(who, Pose.HOLD, 2)
            hand = np.array([*(world.crowd.pos[who] + [0.0, -0.15 * np.sign(self._back[1])]), 2.0])
            ball.guide(hand, np.zeros(3))
            world.run(who, award.spot + self._back, 1.5)
        if not self._go:
            if not throw:
                world.run(who, award.spot + self._back, 2.5)
            settled = throw or world.gap(who, award.spot + self._back) < 0.6
            late = world.frame > self.kick_at + 25 * (4 + 8 * (1 - self.hurry))
            if world.frame < self.kick_at or not (settled and (self._others_ready() or late)):
                if not (settled and award.kind is EventType.KICK_OFF and self._others_ready()):
                    return False
                if self.hurry < 0.6 or world.frame < self._placed_at + 8 or self.began == 0:
                    return False
            self._go = True
            if award.kind is EventType.KICK_OFF and world.director.hurry > 0.6:
                world.director.next(world.now_s)
                if world.director.urgent:
                    self.play.send_runner(award.team)
        if not throw:
            world.run(who, award.spot, 4.0)
            if world.gap(who, ball.p) > 0.62:
                return False
        self._deliver()
        return True

    def _others_ready(self) -> bool:
        world, award = self.world, self.award
        pos, pitch = world.crowd.pos, world.pitch
        foes = pos[world.outfield(1 - award.team)]
        gap = np.sqrt(((foes - award.spot) ** 2).sum(1)).min()
        if award.kind is EventType.KICK_OFF:
            halves = np.concatenate([pos[world.squad(0)][:, 0], -pos[world.squad(1)][:, 0]])
            return bool(halves.max() < 0.0 and gap > pitch.form.circle_radius)
        if award.kind is EventType.THROW_IN:
            return bool(gap > 2.0)
        if award.kind is EventType.GOAL_KICK:
            return True
        return bool(gap > pitch.form.circle_radius - 0.3)

    def _deliver(self) -> None:
        world, award, play = self.world, self.award, self.play
        ball, who, team = world.ball, self.taker, award.team
        world.tell(award.kind, who, place=np.array([*award.spot]))
        if award.kind is not EventType.KICK_OFF or self.hurry <= 0.6:
            world.director.next(world.now_s)
        play.team = team
        sign = world.sign(team)
        start = ball.p
        if award.kind is EventType.CORNER:
            hx, form = world.pitch.half_length, world.pitch.form
            side = math.copysign(1.0, award.spot[1])
            target = np.array(
                [sign * (hx - form.penalty_spot * world.rng.uniform(0.75, 1.0)), side * world.rng.uniform(-1, 3)]
            )
            mate = self._corner_target(target)
            speed, _ = lofted(float(np.hypot(*(target - start[:2]))), math.radians(28), 1.2)
            velocity = launch(start, target, speed, math.radians(28))
            play.release(Kick(who, world.frame, start.copy(), mate, safe=world.director.urgent), velocity)
            return
        forward = {EventType.KICK_OFF: -0.6, EventType.FREE_KICK: 0.8}.get(award.kind, 0.4)
        found = choose_pass(world, who, start, forward, longest=14.0 if award.kind is EventType.KICK_OFF else 60.0)
        if found is None:
            mate = world.nearest(award.spot + np.array([-sign * 8.0, 0.0]), self._mates(who))
            target, velocity = world.crowd.pos[mate], deliver(start, world.crowd.pos[mate], False)
        else:
            mate, target, velocity = found.receiver, found.target, found.velocity
        if award.kind is EventType.THROW_IN:
            far = min(float(np.hypot(*(target - start[:2]))), 17.0)
            elevation = math.radians(18)
            speed, _ = lofted(far * 0.8, elevation, 0.3 - float(start[2]))
            velocity = launch(start, target, speed, elevation)
        safe = world.director.urgent or world.rng.random() < 0.6 or award.kind is EventType.KICK_OFF
        play.release(
            Kick(who, world.frame, start.copy(), mate, safe=safe),
            velocity,
            Pose.THROW if award.kind is EventType.THROW_IN else Pose.KICK,
        )

    def _mates(self, who: int) -> npt.NDArray[np.intp]:
        mates = np.arange(self.world.count)[self.world.outfield(self.award.team)]
        return mates[mates != who]

    def _corner_target(self, target: Array) -> int:
        return self.world.nearest(target, self._mates(self.taker))
