"""The state that everybody on the pitch shares: bodies, ball, clock, and the list of what has happened."""

import numpy as np
import numpy.typing as npt

from simulator.match.ball import Ball
from simulator.match.crowd import Crowd
from simulator.match.director import Director
from simulator.match.formation import SHAPES, kick_off_shape
from simulator.match.truth import STEP_S, Pose
from wire.events import Event, EventType
from wire.pitch import Pitch
from wire.pitch_tracks import TeamSide

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
SIDES = (TeamSide.HOME, TeamSide.AWAY)


class World:
    """People by index: home 0..n-1, away n..2n-1 (keepers first), the referee last. Team 0 attacks +x, team 1 -x."""

    def __init__(self, pitch: Pitch, director: Director, rng: np.random.Generator, kicking: int) -> None:
        self.pitch, self.director, self.rng = pitch, director, rng
        self.n = n = pitch.players
        self.count = 2 * n + 1
        self.referee = 2 * n
        self.frame = 0
        self.events: list[Event] = []
        self.ball = Ball(pitch, 0.0, 0.0)
        self.last_touch = 1
        self.slots: list[Array] = []
        for _ in range(2):
            shapes = SHAPES[n]
            self.slots.append(np.array(shapes[int(rng.integers(len(shapes)))], float))
        self.team: Places = np.array([0] * n + [1] * n + [2])
        adult = 1.0 if n == 11 else 0.88
        top = rng.uniform(7.3, 8.0, self.count) * adult
        self.crowd = Crowd(self._opening(kicking), top)
        self.crowd.heading[:n] = 0.0
        self.crowd.heading[n:] = np.pi
        self.pose: npt.NDArray[np.uint8] = np.zeros(self.count, np.uint8)
        self.pose_until: Places = np.zeros(self.count, np.intp)
        self._drift = rng.uniform(0, 2 * np.pi, (self.count, 4))
        self._beat = rng.uniform(0.25, 0.75, (self.count, 4))

    def _opening(self, kicking: int) -> Array:
        pos = np.zeros((self.count, 2))
        for team in (0, 1):
            sign = self.sign(team)
            places = kick_off_shape(self.pitch, self.slots[team], team == kicking)
            places = places + self.rng.normal(0, 0.15, places.shape)
            places[:, 0] = np.minimum(places[:, 0], -1.0)
            pos[self.outfield(team)] = places * sign
            pos[self.keeper(team)] = (-sign * (self.pitch.half_length - 4.0), 0.0)
        pos[self.referee] = (-3.0, -self.pitch.form.circle_radius - 2.0)
        return pos

    @property
    def now_s(self) -> float:
        """Match clock of the present frame."""
        return self.frame * STEP_S

    @staticmethod
    def sign(team: int) -> float:
        """+1 for the team that attacks +x, -1 for the other; turns pitch places into the team's frame and back."""
        return 1.0 if team == 0 else -1.0

    def keeper(self, team: int) -> int:
        """The index of a team's keeper."""
        return team * self.n

    def outfield(self, team: int) -> slice:
        """The indices of a team's outfield players."""
        return slice(team * self.n + 1, (team + 1) * self.n)

    def squad(self, team: int) -> slice:
        """The indices of a whole team."""
        return slice(team * self.n, (team + 1) * self.n)

    def goal(self, team: int) -> Array:
        """The middle of the goal that `team` attacks."""
        return np.array([self.sign(team) * self.pitch.half_length, 0.0])

    def tell(self, kind: EventType, who: int, time_s: float | None = None, place: Array | None = None) -> Event:
        """Put an event on the list, by default here and now at the ball."""
        x, y = (self.ball.p if place is None else place)[:2]
        event = Event(
            time_s=round(self.now_s if time_s is None else time_s, 3),
            type=kind,
            x_m=round(float(x), 3),
            y_m=round(float(y), 3),
            team=SIDES[int(self.team[who])],
            track=who + 1,
        )
        self.events.append(event)
        self.director.note(kind)
        return event

    def strike(self, who: int, pose: Pose, frames: int = 9) -> None:
        """Show `who` in a pose for some frames."""
        self.pose[who] = pose
        self.pose_until[who] = self.frame + frames

    def drift(self, size: float) -> Array:
        """Small slow wanderings (people, 2) in metres, so that nobody stands like a chessman."""
        phase = self._drift + self._beat * self.now_s
        waves = np.sin(phase)
        return size * (waves[:, :2] + 0.6 * waves[:, 2:])

    def nearest(self, place: Array, who: slice | Places) -> int:
        """The index of the person among `who` nearest to `place`."""
        index = np.arange(self.count)[who]
        away = self.crowd.pos[index] - place[:2]
        return int(index[int((away * away).sum(1).argmin())])

    def gap(self, who: int, place: Array) -> float:
        """How far a person is from a place, metres."""
        return float(np.hypot(*(self.crowd.pos[who] - place[:2])))

    def run(self, who: int, place: Array, pace: float) -> None:
        """Send one person somewhere."""
        self.crowd.target[who] = place[:2]
        self.crowd.pace[who] = pace
