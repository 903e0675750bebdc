"""Plays a match from a seed: the clock, the laws, and the record of everything."""

import numpy as np

from simulator.errors import BadMatch
from simulator.match.director import Director
from simulator.match.possession import OpenPlay
from simulator.match.restarts import Award, Restart, after
from simulator.match.truth import BALL_RADIUS_M, FRAMES_PER_SECOND, MatchTruth, Person, Pose
from simulator.match.world import SIDES, World
from wire.events import Event, EventType
from wire.pitch import Pitch
from wire.pitch_tracks import Role, TeamSide

_TAKES = 8
"""How many times a short match is played anew until it has everything such a match promises."""


def play(pitch: Pitch, seconds: float, seed: int) -> MatchTruth:
    """A match of `seconds` on `pitch`, the same for the same arguments.

    From 20 s on it has a goal and the kick-off after it, from 60 s on every kind of restart but the free kick, from
    180 s on everything (pitches much longer than 110 m take more time to run back over, and may miss the last of it).
    Raises `BadMatch` for a length outside 1 s to 3 h.
    """
    if not 1 <= seconds <= 3 * 3600:
        raise BadMatch(f"a simulated match lasts between 1 s and 3 h, not {seconds:g} s")
    best: tuple[int, MatchTruth] | None = None
    for take in range(_TAKES):
        truth = _take(pitch, seconds, np.random.default_rng([seed, take]))
        missing = _missing(truth.events, seconds)
        if best is None or missing < best[0]:
            best = missing, truth
        if not missing:
            break
    assert best is not None
    return best[1]


def _missing(events: tuple[Event, ...], seconds: float) -> int:
    """How many of the promised events a match of this length lacks."""
    kinds = [event.type for event in events]
    wanted = {EventType.KICK_OFF: 1}
    if seconds >= 20:
        wanted |= {EventType.KICK_OFF: 2, EventType.GOAL: 1, EventType.SHOT: 1, EventType.PASS: 2}
    if seconds >= 60:
        once = (EventType.SAVE, EventType.CORNER, EventType.THROW_IN, EventType.GOAL_KICK, EventType.BALL_OUT)
        wanted |= {EventType.SHOT: 2, EventType.PASS: 5} | dict.fromkeys(once, 1)
    if seconds >= 180:
        wanted[EventType.FREE_KICK] = 1
    return sum(max(0, count - kinds.count(kind)) for kind, count in wanted.items())


def _take(pitch: Pitch, seconds: float, rng: np.random.Generator) -> MatchTruth:
    first = int(rng.integers(2))
    world = World(pitch, Director(seconds, rng), rng, first)
    open_play = OpenPlay(world)
    restart: Restart | None = Restart(world, open_play, Award(EventType.KICK_OFF, first, np.zeros(2)), opening=True)
    frames, count = round(seconds * FRAMES_PER_SECOND), world.count
    xy = np.empty((frames, count, 2), np.float32)
    heading, speed, stride = (np.empty((frames, count), np.float32) for _ in range(3))
    pose = np.empty((frames, count), np.uint8)
    ball = np.empty((frames, 3), np.float32)
    crowd = world.crowd
    for frame in range(frames):
        world.frame = frame
        moving = np.sqrt((crowd.vel * crowd.vel).sum(1))
        xy[frame], heading[frame], speed[frame], stride[frame] = crowd.pos, crowd.heading, moving, crowd.stride
        gait = np.where(moving > 0.4, Pose.RUN, Pose.STAND)
        pose[frame] = np.where(world.pose_until > frame, world.pose, gait)
        ball[frame] = world.ball.p
        crowd.watch = world.ball.p[:2]
        if restart is not None:
            if restart.step():
                restart = None
        else:
            open_play.step()
            restart = _dead(world, open_play)
        crowd.step()
    return MatchTruth(
        pitch=pitch,
        people=_people(world, rng),
        xy=xy,
        heading=heading,
        speed=speed,
        stride=stride,
        pose=pose,
        ball=ball,
        events=tuple(sorted(world.events, key=lambda event: event.time_s)),
    )


def _dead(world: World, open_play: OpenPlay) -> Restart | None:
    """The restart to come when the ball has just gone out, or a foul was given."""
    if open_play.foul is not None:
        foul, open_play.foul = open_play.foul, None
        return Restart(world, open_play, Award(EventType.FREE_KICK, foul.team, foul.place))
    kick, path = open_play.kick, world.ball.path
    if kick is None or path is None or path.crossing is None:
        return None
    crossing = path.crossing
    if world.ball.age / FRAMES_PER_SECOND < crossing.after_s:
        return None
    award = after(world, crossing, int(world.team[world.last_touch]))
    time_s = kick.frame / FRAMES_PER_SECOND + crossing.after_s
    kind = EventType.GOAL if crossing.goal else EventType.BALL_OUT
    place = np.array([crossing.x, crossing.y, BALL_RADIUS_M])
    world.tell(kind, kick.kicker, time_s, place)
    return Restart(world, open_play, award)


def _people(world: World, rng: np.random.Generator) -> tuple[Person, ...]:
    tall = {11: 1.80, 9: 1.60, 7: 1.45}[world.n]
    out = []
    for index in range(world.count):
        if index == world.referee:
            out.append(
                Person(index + 1, Role.REFEREE, TeamSide.NONE, False, 0, round(float(rng.normal(1.80, 0.04)), 2))
            )
            continue
        number = index % world.n + 1
        height = float(np.clip(rng.normal(tall, 0.06), tall - 0.15, tall + 0.15))
        side = SIDES[int(world.team[index])]
        out.append(Person(index + 1, Role.PLAYER, side, number == 1, number, round(height, 2)))
    return tuple(out)
