"""The director: decides how the next attack shall end, so that short matches have everything, long ones are natural."""

from collections import Counter
from enum import Enum

import numpy as np

from wire.events import EventType


class Ending(Enum):
    """How an attack ends, as far as its players can manage."""

    GOAL = "goal"
    PARRIED = "parried"
    CAUGHT = "caught"
    WIDE = "wide"
    OUT = "out"
    FOUL = "foul"
    LOST = "lost"


SHOTS = frozenset({Ending.GOAL, Ending.PARRIED, Ending.CAUGHT, Ending.WIDE})
# Shares of possessions, from what a match has on average: 2.7 goals, 25 shots, 40 throw-ins, 22 free kicks.
_NATURAL = {
    Ending.GOAL: 0.022,
    Ending.PARRIED: 0.045,
    Ending.CAUGHT: 0.04,
    Ending.WIDE: 0.09,
    Ending.OUT: 0.26,
    Ending.FOUL: 0.14,
    Ending.LOST: 0.403,
}


class Director:
    """Hands out endings in the order a match of `seconds` needs, each with a time by which it should have come.

    `hurry` (0..1) says how much dead time is shortened: 1 up to a minute, 0 from ten minutes on. `staying_back`
    says that few may join an attack, so that all are soon back for the next kick-off.
    """

    def __init__(self, seconds: float, rng: np.random.Generator) -> None:
        self.rng = rng
        self.hurry = float(np.clip((600 - seconds) / 540, 0, 1))
        self.staying_back = seconds < 40
        self.happened: Counter[EventType] = Counter()
        self.wanted: list[tuple[Ending, EventType, int]] = []
        self.ending = Ending.LOST
        self.deadline_s = 0.0
        if seconds >= 14:
            self._want(Ending.GOAL, EventType.GOAL)
        if seconds >= 45:
            self._want(Ending.PARRIED, EventType.CORNER)
            self._want(Ending.WIDE, EventType.GOAL_KICK)
            self._want(Ending.OUT, EventType.THROW_IN)
        if seconds >= 100:
            self._want(Ending.FOUL, EventType.FREE_KICK)
            self._want(Ending.CAUGHT, EventType.SAVE)
        if seconds > 240:
            order = rng.permutation(len(self.wanted))
            self.wanted = [self.wanted[i] for i in order]
        self.next(0.0)

    def _want(self, ending: Ending, proof: EventType) -> None:
        self.wanted.append((ending, proof, 1))

    def note(self, event: EventType) -> None:
        """Keep count of what really happened."""
        self.happened[event] += 1

    @property
    def urgent(self) -> bool:
        """Whether the present ending is one that the match must still have, with little time left."""
        return bool(self.wanted) and self.hurry > 0.6

    def next(self, now_s: float) -> None:
        """Choose the ending of the attack that begins now."""
        self.wanted = [want for want in self.wanted if self.happened[want[1]] < want[2]]
        if self.wanted and (self.hurry > 0.6 or self.rng.random() < 0.5):
            self.ending = self.wanted[0][0]
        else:
            kinds = list(_NATURAL)
            self.ending = kinds[int(self.rng.choice(len(kinds), p=np.array(list(_NATURAL.values()))))]
        short = 2.5 if self.ending is Ending.OUT else 5.0
        patience = short if self.hurry > 0.6 else 9 + 12 * self.rng.random()
        self.deadline_s = now_s + patience

    def pressing(self, now_s: float) -> bool:
        """Whether the attack has used up its time and takes the next chance, however poor."""
        return now_s > self.deadline_s
