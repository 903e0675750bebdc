"""What really happened in a simulated match: where everybody and the ball was in every frame, and every event."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from wire.events import Event
from wire.pitch import Pitch
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track

FRAMES_PER_SECOND = 25.0
STEP_S = 1 / FRAMES_PER_SECOND
BALL_RADIUS_M = 0.11


class Pose(IntEnum):
    """What a body is doing, for whoever draws it."""

    STAND = 0
    RUN = 1
    KICK = 2
    DIVE = 3
    THROW = 4
    HOLD = 5


@dataclass(frozen=True)
class Person:
    """One player or the referee: a match-wide id, shirt number (0 for the referee) and body height in metres."""

    id: int
    role: Role
    team: TeamSide
    keeper: bool
    number: int
    height_m: float


@dataclass(frozen=True)
class MatchTruth:
    """A played match, frame k at k / `frames_per_second` seconds, all in the pitch frame (metres).

    `xy` (frames, people, 2) ground position; `heading` (frames, people) radians, x axis = 0; `speed` (frames, people)
    m/s; `stride` (frames, people) radians, one full turn per two steps, advances with the distance run; `pose` (frames,
    people) values of `Pose`; `ball` (frames, 3) the ball's centre, z above the grass. Home defends the left goal.
    """

    pitch: Pitch
    people: tuple[Person, ...]
    xy: npt.NDArray[np.float32]
    heading: npt.NDArray[np.float32]
    speed: npt.NDArray[np.float32]
    stride: npt.NDArray[np.float32]
    pose: npt.NDArray[np.uint8]
    ball: npt.NDArray[np.float32]
    events: tuple[Event, ...]
    frames_per_second: float = FRAMES_PER_SECOND

    @property
    def frames(self) -> int:
        """How many frames the match has."""
        return len(self.ball)

    @property
    def ball_id(self) -> int:
        """The ball's track id."""
        return max(person.id for person in self.people) + 1


def truth_tracks(truth: MatchTruth, start_ns: int) -> PitchTracks:
    """The truth as pitch tracks from rig time `start_ns`: everybody, and the ball by the ground below it, all seen."""
    frames, count = truth.frames, len(truth.people) + 1
    ids = np.array([*(person.id for person in truth.people), truth.ball_id])
    xy = np.concatenate([truth.xy.transpose(1, 0, 2), truth.ball[None, :, :2]]).reshape(-1, 2)
    tracks = [Track(person.id, person.role, person.team) for person in truth.people]
    return PitchTracks(
        start_ns=start_ns,
        frames_per_second=truth.frames_per_second,
        tracks=(*tracks, Track(truth.ball_id, Role.BALL)),
        frame=np.tile(np.arange(frames, dtype=np.int64), count),
        track=np.repeat(ids, frames).astype(np.int64),
        xy=xy.astype(np.float64),
        seen=np.ones(frames * count, np.bool_),
    )


def truth_events(truth: MatchTruth) -> list[Event]:
    """Every event of the match in order of time, as the shared scorer dates them."""
    return list(truth.events)
