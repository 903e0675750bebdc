"""Open play: who has the ball, what he does with it, who chases it, and what the keeper does about a shot."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.match.ball import fly
from simulator.match.choices import Pass, aim, choose_pass, deliver, lane, through_ball
from simulator.match.director import SHOTS, Ending
from simulator.match.shape import hold_shape
from simulator.match.truth import BALL_RADIUS_M, Pose
from simulator.match.world import World
from wire.events import EventType

Array = npt.NDArray[np.float64]


@dataclass
class Kick:
    """A ball on its way: who kicked it when and where, for whom, and what it is meant to be.

    `passing` counts as a pass once a team mate has it (a set piece's delivery does not); `safe` keeps the opponents
    from cutting it out; `loose` is nobody's ball yet; `shot` is the ending a shot is aimed at.
    """

    kicker: int
    frame: int
    place: Array
    receiver: int | None = None
    passing: bool = False
    safe: bool = False
    loose: bool = False
    shot: Ending | None = None
    untouchable: bool = False


@dataclass(frozen=True)
class Foul:
    """A foul by the opponents of `team` at `place`."""

    team: int
    place: Array


class OpenPlay:
    """The ball in play, one frame at a time. `holder` has the ball at his feet (or in his hands, `in_hands`)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.holder: int | None = None
        self.in_hands = False
        self.team = 0
        self.kick: Kick | None = None
        self.foul: Foul | None = None
        self._since = 0
        self._decide_at = 0
        self._hunters: list[int] = []
        self._runner: tuple[int, Array, int] | None = None

    # --- the ball leaves somebody ---

    def release(self, kick: Kick, velocity: Array, pose: Pose = Pose.KICK) -> None:
        """Let the ball go as `kick` with `velocity`."""
        world = self.world
        world.ball.kick(velocity)
        world.ball.roll_on()
        world.strike(kick.kicker, pose)
        world.last_touch = kick.kicker
        self.kick, self.holder, self.in_hands = kick, None, False
        self.team = int(world.team[kick.kicker])
        self._hunters = []
        self._chase()

    def send_runner(self, team: int) -> None:
        """Let the foremost forward of `team` start a run behind the opponents' lines."""
        world = self.world
        who = world.outfield(team)
        sign = world.sign(team)
        order = np.arange(world.count)[who]
        slots = world.slots[team]
        best = int(order[int((slots[:, 0] * 3 - np.abs(slots[:, 1])).argmax())])
        goal = world.goal(team)
        place = np.array([goal[0] - sign * 0.23 * world.pitch.length_m, 0.5 * world.crowd.pos[best][1]])
        self._runner = (best, place, world.frame + 160)

    # --- one frame ---

    def step(self) -> None:
        """Targets of everybody, and the ball's next position."""
        world = self.world
        if world.frame % 4 == 0:
            hold_shape(world, self.team, world.ball.p)
            self._press()
            self._make_run()
        if self.holder is None:
            self._loose_ball()
        else:
            self._carry(self.holder)

    def _make_run(self) -> None:
        if self._runner is None:
            return
        who, place, until = self._runner
        if self.world.frame > until or self.world.team[who] != self.team or who == self.holder:
            self._runner = None
            return
        self.world.run(who, place, self.world.crowd.top[who])

    def _press(self) -> None:
        """The nearest opponents go for the man on the ball, the second one covers."""
        world, ball = self.world, self.world.ball.p
        team = 1 - self.team
        if self.holder is None or self.in_hands:
            return
        who = np.arange(world.count)[world.outfield(team)]
        away = np.sqrt(((world.crowd.pos[who] - ball[:2]) ** 2).sum(1))
        order = who[away.argsort()[:2]]
        way = world.goal(self.team) - ball[:2]
        way = way / max(float(np.hypot(*way)), 1e-6)
        eager = world.director.ending is Ending.FOUL
        slow = 0.8 if self._protected() else 0.95
        stand_off = 0.5 if eager or not self._protected() else 2.0
        world.run(int(order[0]), ball[:2] + way * stand_off, slow * world.crowd.top[order[0]])
        world.run(int(order[1]), ball[:2] + way * 6.0, 0.7 * world.crowd.top[order[1]])

    def _protected(self) -> bool:
        return self.world.director.urgent

    # --- the ball on its way ---

    def _loose_ball(self) -> None:
        world, kick = self.world, self.kick
        assert kick is not None
        world.ball.roll_on()
        if kick.shot is not None:
            self._keep(kick)
            return
        if kick.untouchable:
            # A clearance that dies before the line is anybody's ball after all.
            if float(np.hypot(*world.ball.v[:2])) < 0.8:
                kick.untouchable, kick.loose = False, True
            return
        if world.frame % 4 == 0:
            self._chase()
        ball = world.ball.p
        reach = 0.8 if ball[2] < 1.1 else 0.65
        if ball[2] > 2.1 or not world.pitch.contains(ball[0], ball[1], 0.05):
            return
        pos = world.crowd.pos[: 2 * world.n]
        gap = np.sqrt(((pos - ball[:2]) ** 2).sum(1))
        for who in gap.argsort()[:3]:
            if gap[who] > reach:
                return
            if self._may_take(int(who), kick):
                self._control(int(who))
                return

    def _may_take(self, who: int, kick: Kick) -> bool:
        world = self.world
        age = world.frame - kick.frame
        if (who == kick.kicker and age < 20) or age < 3:
            return False
        if world.team[who] == world.team[kick.kicker] or kick.loose:
            return who == kick.receiver or kick.receiver is None or age > 8
        if kick.safe and age < 75:
            return False
        speed = float(np.hypot(*world.ball.v[:2]))
        return bool(world.rng.random() < (0.45 if speed > 9 else 0.85))

    def _chase(self) -> None:
        """Send the best placed of each team to where they meet the ball."""
        world, kick = self.world, self.kick
        assert kick is not None
        if kick.shot is not None or kick.untouchable:
            return
        crowd, pitch = world.crowd, world.pitch
        ahead = world.ball.ahead()[:150:2]
        t = np.arange(len(ahead)) * 0.08
        inside = (np.abs(ahead[:, 0]) < pitch.half_length + 0.3) & (np.abs(ahead[:, 1]) < pitch.half_width + 0.3)
        pos = crowd.pos[: 2 * world.n] + crowd.vel[: 2 * world.n] * 0.15
        gap = np.sqrt(((pos[:, None] - ahead[None, :, :2]) ** 2).sum(2))
        can = gap <= 0.45 + 0.8 * crowd.top[: 2 * world.n, None] * np.maximum(t - 0.25, 0)
        can &= ((ahead[:, 2] < 1.6) & inside)[None]
        can[:, -1] = True
        first = can.argmax(1)
        first[kick.kicker] = len(t) + 5 if world.frame - kick.frame < 25 else first[kick.kicker]
        for team in (0, 1):
            keeper = world.keeper(team)
            point = ahead[min(int(first[keeper]), len(ahead) - 1)]
            area = pitch.half_length - pitch.form.penalty_area_depth
            own = point[0] * -world.sign(team) > area and abs(point[1]) < pitch.form.penalty_area_width / 2
            if not own and keeper != kick.receiver:
                first[keeper] = len(t) + 9
        hunters: list[int] = []
        mine = int(world.team[kick.kicker])
        for team in (mine, 1 - mine):
            squad = np.arange(2 * world.n)[world.squad(team)]
            best = int(squad[int((first[squad] + 0.02 * gap[squad, 0]).argmin())])
            if team == mine and kick.receiver is not None and first[kick.receiver] <= first[best] + 6:
                best = kick.receiver
            hunters.append(best)
            spot = ahead[min(int(first[best]), len(ahead) - 1), :2]
            pace = float(crowd.top[best])
            if team != mine and kick.safe:
                way = world.goal(mine) - spot
                spot, pace = spot + way / max(float(np.hypot(*way)), 1e-6) * 4.5, pace * 0.75
            world.run(best, self._inside(spot), pace)
        self._hunters = hunters

    def _inside(self, place: Array) -> Array:
        pitch = self.world.pitch
        return np.array(
            [
                np.clip(place[0], -pitch.half_length + 0.3, pitch.half_length - 0.3),
                np.clip(place[1], -pitch.half_width + 0.3, pitch.half_width - 0.3),
            ]
        )

    def _control(self, who: int) -> None:
        """`who` has the ball."""
        world, kick, director = self.world, self.kick, self.world.director
        team = int(world.team[who])
        high = world.ball.p[2] > 1.2
        if kick is not None:
            same = team == world.team[kick.kicker]
            if kick.passing and same and who != kick.kicker:
                world.tell(EventType.PASS, kick.kicker, kick.frame / 25.0, kick.place)
            if not same and director.ending is Ending.LOST:
                director.next(world.now_s)
        changed = team != self.team
        self.holder, self.team, self.kick = who, team, None
        world.last_touch = who
        self._since = world.frame
        if changed:
            self._runner = None
        pitch, form = world.pitch, world.pitch.form
        spot = world.crowd.pos[who] * -world.sign(team)
        self.in_hands = (
            who == world.keeper(team)
            and changed
            and spot[0] > pitch.half_length - form.penalty_area_depth
            and abs(spot[1]) < form.penalty_area_width / 2
        )
        world.crowd.power[who] = 1.0
        world.ball.stop(0.1 if self.in_hands else 0.3)
        haste = director.hurry > 0.6
        settle = int(world.rng.integers(7, 12) if haste else world.rng.integers(9, 28))
        if high and self._range(team) < 0.17 * pitch.length_m and director.ending in SHOTS:
            settle = 1
        if self.in_hands:
            settle = int(world.rng.integers(18, 30) if haste else world.rng.integers(50, 110))
            if director.ending in (Ending.CAUGHT, Ending.LOST):
                director.next(world.now_s)
        self._decide_at = world.frame + settle

    # --- the man on the ball ---

    def _range(self, team: int) -> float:
        return float(np.hypot(*(self.world.goal(team) - self.world.ball.p[:2])))

    def _carry(self, who: int) -> None:
        world, ball, crowd = self.world, self.world.ball, self.world.crowd
        team = int(world.team[who])
        if self.in_hands:
            face = np.array([math.cos(crowd.heading[who]), math.sin(crowd.heading[who])])
            ball.guide(np.array([*(crowd.pos[who] + 0.33 * face), 1.15]), np.array([*crowd.vel[who], 0.0]))
            world.strike(who, Pose.HOLD, 2)
            ahead = crowd.pos[who] + np.array([world.sign(team) * 1.0, 0.0])
            area = world.pitch.half_length - world.pitch.form.penalty_area_depth + 2.0
            if crowd.pos[who][0] * -world.sign(team) < area:
                ahead = crowd.pos[who]
            world.run(who, ahead, 1.8)
        else:
            self._dribble(who, team)
            if self._challenged(who, team):
                return
        if world.frame >= self._decide_at:
            self._decide(who, team)

    def _dribble(self, who: int, team: int) -> None:
        world, ball, crowd, pitch = self.world, self.world.ball, self.world.crowd, self.world.pitch
        here = crowd.pos[who]
        goal = world.goal(team)
        way = goal - here
        if abs(here[0]) > pitch.half_length - 4:
            way = way * [0.3, 1.0]
        way = way / max(float(np.hypot(*way)), 1e-6)
        foes = crowd.pos[world.squad(1 - team)]
        off = here - foes
        gap = np.sqrt((off * off).sum(1))
        push = (off / np.maximum(gap, 0.3)[:, None] * np.exp(-gap / 2.2)[:, None]).sum(0)
        keeper = world.keeper(team) == who
        way = way + (1.5 if not keeper else 2.5) * push
        way = way / max(float(np.hypot(*way)), 1e-6)
        front = ((foes - here) @ way > 0) & (gap < 6)
        pace = 3.4 if front.any() else 5.6
        if world.director.urgent and world.director.ending in SHOTS:
            pace = 6.6
        if keeper:
            pace = 1.5
        target = self._inside(here + way * 5.0)
        world.run(who, target, pace)
        speed = float(np.hypot(*crowd.vel[who]))
        face = crowd.vel[who] / speed if speed > 1.0 else way
        touch = 0.42 + (0.12 + 0.05 * speed) * max(0.0, math.sin(crowd.stride[who]))
        place = self._inside(here + face * touch)
        ball.guide(np.array([*place, BALL_RADIUS_M]), np.array([*crowd.vel[who], 0.0]))
        ball.p[:2] = self._kept_in(ball.p[:2])

    def _kept_in(self, place: Array) -> Array:
        pitch = self.world.pitch
        return np.clip(place, [-pitch.half_length, -pitch.half_width], [pitch.half_length, pitch.half_width])

    def _challenged(self, who: int, team: int) -> bool:
        """Duels: an opponent at the ball may win it, or foul when the director wants one."""
        world, ball = self.world, self.world.ball
        if world.frame - self._since < 10:
            return False
        foes = np.arange(world.count)[world.outfield(1 - team)]
        gap = np.sqrt(((world.crowd.pos[foes] - ball.p[:2]) ** 2).sum(1))
        foe = int(foes[int(gap.argmin())])
        near = float(gap.min())
        if world.director.ending is Ending.FOUL and near < 1.5 and self._foul_counts(team):
            self.foul = Foul(team, ball.p[:2].copy())
            self.release(Kick(who, world.frame, ball.p.copy(), loose=True, untouchable=True), ball.v * 0.4, Pose.RUN)
            return True
        if near > 1.0 or self._protected() or world.rng.random() > 0.03:
            return False
        if world.rng.random() < 0.6:
            self.kick = None
            if world.director.ending is Ending.LOST:
                world.director.next(world.now_s)
            self._control(foe)
        else:
            angle = world.rng.uniform(0, 2 * math.pi)
            poke = world.rng.uniform(3, 6) * np.array([math.cos(angle), math.sin(angle), 0.0])
            self.release(Kick(foe, world.frame, ball.p.copy(), loose=True), poke)
        return True

    def _foul_counts(self, team: int) -> bool:
        """Free kicks are given outside the penalty areas and not right at the touchline."""
        pitch, ball = self.world.pitch, self.world.ball.p
        return abs(ball[0]) < pitch.half_length - pitch.form.penalty_area_depth - 2 and abs(ball[1]) < (
            pitch.half_width - 3
        )

    def _decide(self, who: int, team: int) -> None:
        world, director, pitch = self.world, self.world.director, self.world.pitch
        self._decide_at = world.frame + int(world.rng.integers(5, 10))
        ball = world.ball.p
        pressing = director.pressing(world.now_s)
        away = self._range(team)
        ending = director.ending
        if self.in_hands or who == world.keeper(team):
            self._hand_out(who)
            return
        if ending in SHOTS and self._in_range(away, pressing) and self._shoot(who, ending):
            return
        if ending is Ending.OUT and self._over_the_line(who, pressing):
            return
        if ending in SHOTS and director.urgent and self._through(who, team):
            return
        foes = world.crowd.pos[world.squad(1 - team)]
        crowded = float(np.sqrt(((foes - ball[:2]) ** 2).sum(1)).min())
        patience = world.frame - self._since
        keep = 0.55 if crowded > 4 else 0.1
        if ending in SHOTS and away < 0.3 * pitch.length_m and crowded > 2.0:
            keep = 0.85
        if ending in SHOTS and director.urgent:
            keep = 0.93 if crowded > 1.2 or away < 0.3 * pitch.length_m else 0.5
        if ending is Ending.FOUL and self._foul_counts(team):
            keep = 0.93 if pressing else 0.7
        if ending is Ending.LOST and pressing:
            keep = 0.0
        if patience < 75 and world.rng.random() < keep:
            return
        found = choose_pass(
            world, who, ball, 2.2 if ending in SHOTS else 0.7, careless=ending is Ending.LOST and pressing
        )
        if found is not None and (found.lane > 0.7 or crowded < 2.5 or patience > 50):
            self._pass(who, found)

    def _in_range(self, away: float, pressing: bool) -> bool:
        pitch, ball = self.world.pitch, self.world.ball.p
        reach = float(np.clip(0.19 * pitch.length_m, 10, 20)) * (1.5 if pressing else 1.0)
        if away > reach or abs(ball[1]) > 0.95 * away:
            return False
        free = lane(self.world, self.team, ball[:2], self.world.goal(self.team)[None])
        return pressing or away < 0.55 * reach or bool(free[0] > 0.5)

    def _shoot(self, who: int, ending: Ending) -> bool:
        world = self.world
        shot = aim(world, who, ending)
        if shot is None:
            return False
        world.tell(EventType.SHOT, who)
        self.release(Kick(who, world.frame, world.ball.p.copy(), shot=shot.ending), shot.velocity)
        return True

    def _pass(self, who: int, found: Pass) -> None:
        world = self.world
        safe = world.director.urgent or (world.director.ending is not Ending.LOST and world.rng.random() < 0.55)
        kick = Kick(who, world.frame, world.ball.p.copy(), found.receiver, passing=True, safe=safe)
        velocity = found.velocity * (1.0 if world.director.urgent else world.rng.normal(1.0, 0.03))
        self.release(kick, velocity)
        if self._runner is None and world.rng.random() < 0.25:
            self.send_runner(self.team)

    def _through(self, who: int, team: int) -> bool:
        """A long ball for the forward who runs."""
        world = self.world
        if self._runner is None:
            self.send_runner(team)
            assert self._runner is not None
        runner, place, _ = self._runner
        ball = world.ball.p
        if runner == who or self._range(team) < 0.38 * world.pitch.length_m:
            return False
        found = through_ball(world, runner, ball, place)
        if found is None:
            return False
        self._pass(who, found)
        return True

    def _over_the_line(self, who: int, pressing: bool) -> bool:
        """A ball hit too hard towards the touchline."""
        world, pitch, rng = self.world, self.world.pitch, self.world.rng
        ball = world.ball.p
        side = math.copysign(1.0, ball[1])
        room = pitch.half_width - abs(float(ball[1]))
        if room > (1.0 if pressing else 0.3) * pitch.half_width:
            return False
        limit = pitch.half_length - 4
        x = float(np.clip(ball[0] + world.sign(self.team) * rng.uniform(3, 12), -limit, limit))
        target = np.array([x, side * (pitch.half_width + 1.0)])
        velocity = deliver(ball, target, room > 14) * rng.uniform(1.05, 1.2)
        mate = world.nearest(target, world.outfield(self.team))
        kick = Kick(who, world.frame, ball.copy(), None if mate == who else mate, safe=True, untouchable=True)
        self.release(kick, velocity)
        return True

    def _hand_out(self, who: int) -> None:
        """The keeper brings the ball back into play."""
        world = self.world
        found = choose_pass(world, who, world.ball.p, 0.35)
        if found is None:
            return
        safe = world.director.urgent or world.rng.random() < 0.6
        kick = Kick(who, world.frame, world.ball.p.copy(), found.receiver, passing=True, safe=safe)
        far = float(np.hypot(*(found.target - world.ball.p[:2])))
        self.release(kick, found.velocity, Pose.THROW if self.in_hands and far < 24 else Pose.KICK)

    # --- the keeper and a shot ---

    def _keep(self, kick: Kick) -> None:
        world, crowd, pitch = self.world, self.world.crowd, self.world.pitch
        attack = int(world.team[kick.kicker])
        sign = world.sign(attack)
        keeper = world.keeper(1 - attack)
        ball = world.ball
        assert ball.path is not None
        wait = 11 if kick.shot is Ending.GOAL else 5
        depth = crowd.pos[keeper][0] * sign
        coming = ball.path.xyz[ball.age :]
        beyond = coming[:, 0] * sign >= depth - 0.25
        at = int(beyond.argmax()) if beyond.any() else len(coming) - 1
        point = coming[at]
        across = float(point[1] - crowd.pos[keeper][1])
        if world.frame - kick.frame >= wait:
            share = {Ending.GOAL: 0.4, Ending.WIDE: 0.6}.get(kick.shot or Ending.WIDE, 1.0)
            world.run(keeper, np.array([crowd.pos[keeper][0], crowd.pos[keeper][1] + share * across]), 5.5)
            crowd.power[keeper] = 1.7
            if at < 10 and abs(across) > 0.6 and abs(ball.p[0]) < pitch.half_length + 0.5:
                world.strike(keeper, Pose.DIVE, 16)
        if at > 0 or abs(ball.p[0]) > pitch.half_length:
            return
        crowd.power[keeper] = 1.0
        if kick.shot in (Ending.PARRIED, Ending.CAUGHT) and abs(across) < 1.9 and ball.p[2] < 2.6:
            self._save(keeper, kick.shot, attack)

    def _save(self, keeper: int, ending: Ending, attack: int) -> None:
        world, ball = self.world, self.world.ball
        world.tell(EventType.SAVE, keeper)
        away = self._parry(keeper, attack) if ending is Ending.PARRIED else None
        if away is None:
            self._control(keeper)
            return
        self.release(Kick(keeper, world.frame, ball.p.copy(), loose=True, untouchable=True), away, Pose.DIVE)

    def _parry(self, keeper: int, attack: int) -> Array | None:
        """A push of the ball over the goal line beside the goal; None when it is too near the line for that."""
        world, ball, rng = self.world, self.world.ball, self.world.rng
        sign, hx = world.sign(attack), world.pitch.half_length
        side = math.copysign(1.0, ball.p[1] - 0.3 * world.crowd.pos[keeper][1])
        post = world.pitch.form.goal_width / 2
        for wider in (2.0, 4.0, 7.0, 11.0):
            target = np.array([sign * (hx + 1.0), side * (post + wider + rng.uniform(0, 1.5))])
            way = target - ball.p[:2]
            velocity = np.array([*(way / np.hypot(*way) * rng.uniform(9, 11)), rng.uniform(1.0, 2.5)])
            crossing = fly(world.pitch, ball.p, velocity).crossing
            if crossing is not None and crossing.end_line and abs(crossing.y) > post + 0.3:
                return velocity
        return None
