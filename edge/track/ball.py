"""Follows everything that may be the ball: several hypotheses at once, the hub decides between them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Detections, Floats, middles
from edge.detect.picture import Plane
from edge.detect.stature import BALL_SHARE, Stature
from edge.track.assign import assigned
from edge.track.ids import TrackletIds
from edge.track.paths import Paths
from edge.track.rows import Measured
from edge.track.spot import spot

FASTEST = 0.75
"""A hard shot: heights of a person per frame at 25 frames a second, 33 m/s."""
ACCELERATION = 0.05
"""Standard deviation of a ball's acceleration, heights per frame²: bounces and touches among it."""
ERROR = 0.25
"""Standard deviation of a measured centre in ball diameters."""
GATE = 4.0
HITS = 4
WITHIN = 7
"""A hypothesis is believed after so many measurements in so many frames, if they make a path …"""
TRAVEL = 2.5
"""… that is so many ball diameters long …"""
ROUGHNESS = 0.3
"""… and whose second differences stay below this share of its steps, or below half a diameter."""
SIGHTINGS = 2
"""So many boxes of the network at one place make a still ball believed."""
ON_GROUND = (0.6, 1.6)
"""Sizes of a ball that lies still, as shares of what is expected there: it is on the ground and not nearer."""
ALONE = 0.25
"""A ball at somebody's feet is believed only when it stood out by itself in so many of its frames: no sock does."""
BESIDE = 0.3
"""A stride: so many heights of a person to each side of somebody's box his feet may be."""
SHIN = (0.55, 0.91)
"""Shares of a box's height between which its legs are: a ball on the grass lies lower."""
SOCK = 0.8
SOCK_FRAMES = 30.0
"""What was on somebody's shin for more than this share of its life, counted with so long a memory, is a sock."""
LOST_S = 0.4
STILL_LOST_S = 2.5
"""A ball on its way is given up sooner than one that lies still and waits for the next look."""
MOST = 40
"""Hypotheses alive at once."""
PASSING = 0.1
"""Heights per frame, 4 m/s, from which on a ball may cross somebody's shirt."""
NEARER = 2.5
"""At most so much larger than on the ground behind it a ball in the air looks."""
REST = 0.1
"""Ball diameters per frame below which it lies still."""


UNPROVEN = 0.2
"""How much a hypothesis that is not believed yet counts for, against one that is."""
SEARCH_FRAMES = 6
"""A hypothesis is searched for closely so many frames after it was last measured …"""
MOST_SEARCHED = 6
"""At most so many in one frame, the believed first …"""
SEARCH = 0.2
"""… and at most so many heights of a person from where it should be."""

Front = Callable[[Floats, float], tuple[Plane, Floats]]
"""Levels of luma above the empty scene around a place (2,), so many px to each side, and the window's corner (2,)."""


@dataclass
class Hypothesis:
    """Something that may be the ball: its diameter px, id once believed, and measurements."""

    diameter: float
    born: int
    id: int | None = None
    sightings: int = 0
    hits: int = 0
    alone: int = 0
    at_person: int = 0
    shin: float = 0.0
    last_frame: int = 0
    whiteness: float = 0.3
    measured: Measured = field(default_factory=Measured)

    def score(self) -> float:
        """How much speaks for it being the ball: what the network saw, else how long its path is."""
        return min(0.95, 0.25 + 0.3 * self.whiteness + 0.02 * min(self.hits, 12) + 0.2 * min(self.sightings, 2))


class Balls:
    """The ball hypotheses of one camera. Call `advance` once per frame, then `see` with the candidates in it."""

    def __init__(self, ids: TrackletIds, frames_per_second: float, stature: Stature) -> None:
        self._ids = ids
        self._rate = frames_per_second
        self._pace = 25.0 / frames_per_second
        self._stature = stature
        self._frame = -1
        self.paths = Paths()
        self.tracks: list[Hypothesis] = []
        self.over: list[Hypothesis] = []
        """Believed ones that ended since the last segment was closed."""

    @property
    def boxes(self) -> Floats:
        """Boxes (n, 4) where the believed ones are now."""
        rows = [k for k, track in enumerate(self.tracks) if track.id is not None]
        half = np.array([self.tracks[k].diameter / 2 for k in rows]).reshape(-1, 1)
        place = self.paths.place[rows]
        return np.concatenate([place - half, place + half], axis=1)

    @property
    def chances(self) -> tuple[Floats, Floats]:
        """Where (n, 2) the ball may be now, and how much speaks for looking there (n,)."""
        seen = np.array([track.hits > 1 for track in self.tracks], bool)
        trust = np.array([(1.0 if track.id is not None else UNPROVEN) * track.score() for track in self.tracks])
        still = np.linalg.norm(self.paths.speed, axis=1) < REST * np.array([track.diameter for track in self.tracks])
        return self.paths.place[seen], np.where(still, UNPROVEN * trust, trust)[seen]

    def advance(self, frame: int) -> None:
        """Move every hypothesis on to this frame, and end those that are lost."""
        self._frame = frame
        self._keep(np.array([not self._lost(track, k) for k, track in enumerate(self.tracks)], bool))
        tall = self._tall()
        self.paths.step(ACCELERATION * self._pace**2 * tall)

    def see(self, found: Detections, persons: Floats, seen_by_network: bool) -> None:
        """Take in this frame's candidates; those in the upper part of the boxes `persons` (n, 4) are shirts."""
        if seen_by_network:  # letters on the grass look like balls to it, but large ones
            found = found.where(_diameter(found.box.T) < NEARER * BALL_SHARE * self._stature.at(found.box[:, 3]))
        centre = middles(found.box)
        shirt = _within(found.box, persons, 0.0, 0.75)
        at_person = _within(found.box, persons, 0.0, 1.05)
        if seen_by_network:
            at_person |= _within(found.box, persons, *SHIN, BESIDE)
        free = np.ones(len(centre), bool)
        for row, column in zip(*self._pairs(centre, shirt), strict=True):
            self._take(row, found, column, bool(at_person[column]), seen_by_network)
            free[column] = False
        free &= ~shirt
        self._begin(found.where(free), at_person[free], seen_by_network)

    def search(self, front: Front, persons: Floats) -> None:
        """Look closely for those that no candidate of this frame belongs to, near where they should be."""
        tall = self._tall()
        passing = self._passing(tall)
        due = [
            row
            for row, track in enumerate(self.tracks)
            if track.last_frame < self._frame <= track.last_frame + SEARCH_FRAMES and (track.id or track.alone)
        ]
        due.sort(key=lambda row: (self.tracks[row].id is None, -self.tracks[row].alone))
        for row in due[:MOST_SEARCHED]:
            track = self.tracks[row]
            reach = float(2.0 * np.sqrt(self.paths.cov[row, 0]) + 0.5 * track.diameter)
            reach = min(reach, SEARCH * float(tall[row])) + track.diameter
            place = self.paths.place[row]
            window, corner = front(place, reach)
            found = spot(window, track.diameter, place - corner)
            if found is None:
                continue
            centre = found[0] + corner
            half = track.diameter / 2
            box = np.concatenate([centre - half, centre + half])[None]
            if not passing[row] and _within(box, persons, 0.0, 0.6)[0]:
                continue
            self._measure(row, centre, bool(_within(box, persons, 0.0, 1.05)[0]))
        self._drop_socks(persons)

    def _drop_socks(self, persons: Floats) -> None:
        """End those that never leave somebody's shin, and what they said in this segment."""
        now = [row for row, track in enumerate(self.tracks) if track.last_frame == self._frame]
        half = np.array([self.tracks[row].diameter / 2 for row in now]).reshape(-1, 1)
        place = self.paths.place[now]
        on_shin = _within(np.concatenate([place - half, place + half], axis=1), persons, *SHIN, BESIDE)
        for row, yes in zip(now, on_shin.tolist(), strict=True):
            self.tracks[row].shin += (float(yes) - self.tracks[row].shin) * self._pace / SOCK_FRAMES
        kept = np.array([track.shin < SOCK for track in self.tracks], bool)
        if not kept.all():
            self.tracks = [track for track, keep in zip(self.tracks, kept, strict=True) if keep]
            self.paths.keep(kept)

    def _tall(self) -> Floats:
        """How tall (n,) px a person beside each would look: one in the air is nearer than the ground behind it."""
        ground = self._stature.at(self.paths.place[:, 1])
        sizes = np.array([track.diameter for track in self.tracks]) / BALL_SHARE
        return np.clip(sizes, ground, NEARER * ground)

    def _passing(self, tall: Floats) -> npt.NDArray[np.bool_]:
        """Which believed ones are so fast that what they cross does not matter."""
        believed = np.array([track.id is not None for track in self.tracks], bool)
        fast: npt.NDArray[np.bool_] = believed & (
            np.linalg.norm(self.paths.speed, axis=1) > PASSING * self._pace * tall
        )
        return fast

    def _pairs(self, centre: Floats, shirt: npt.NDArray[np.bool_]) -> tuple[list[int], list[int]]:
        """Rows of hypotheses and the candidates at `centre` (n, 2) that they go on with."""
        if not self.tracks or not len(centre):
            return [], []
        off = np.linalg.norm(self.paths.place[:, None] - centre[None], axis=2)
        tall = self._tall()
        # A newborn may fly anywhere; later only as far as its filter says.
        newborn = np.array([track.hits < 2 for track in self.tracks])
        gate = GATE * np.sqrt(self.paths.cov[:, 0]) + 0.5 * BALL_SHARE * tall
        gate = np.where(newborn, FASTEST * self._pace * tall, np.minimum(gate, FASTEST * self._pace * tall))
        cost = off / gate[:, None]
        cost[:, shirt] = np.where(self._passing(tall)[:, None], cost[:, shirt], np.inf)
        # The believed choose first.
        cost = np.where(cost < 1, cost - 2.0 * np.array([t.id is not None for t in self.tracks])[:, None], 10.0)
        rows, columns = assigned(cost)
        near = cost[rows, columns] < 1
        return rows[near].tolist(), columns[near].tolist()

    def _take(self, row: int, found: Detections, column: int, at_person: bool, seen_by_network: bool) -> None:
        track = self.tracks[row]
        box = found.box[column]
        expected = BALL_SHARE * float(self._stature.at(box[3:])[0])
        on_ground = ON_GROUND[0] < float(_diameter(box)) / expected < ON_GROUND[1]
        track.sightings += seen_by_network and not at_person and on_ground
        track.alone += not seen_by_network
        track.whiteness += 0.2 * (float(found.score[column]) - track.whiteness)
        track.diameter += 0.2 * (float(_diameter(box)) - track.diameter)
        self._measure(row, (box[:2] + box[2:]) / 2, at_person)

    def _measure(self, row: int, centre: Floats, at_person: bool) -> None:
        track = self.tracks[row]
        track.at_person += at_person
        variance = (ERROR * track.diameter) ** 2 + 0.3
        if track.hits == 1 and track.last_frame < self._frame:
            gap = self._frame - track.last_frame
            self.paths.speed[row] = (centre - self.paths.place[row] + self.paths.speed[row]) / gap
            self.paths.place[row] = centre
            self.paths.cov[row] = (variance, variance, 2 * variance)
        else:
            self.paths.correct(np.array([row]), centre[None], np.array([variance]))
        track.hits += 1
        track.last_frame = self._frame
        track.measured.add(self._frame, centre, variance, np.full(2, track.diameter), track.score())
        if track.id is None and self._believable(track):
            track.id = next(self._ids)

    def _believable(self, track: Hypothesis) -> bool:
        if track.sightings >= SIGHTINGS:
            return True
        if track.hits < HITS or track.alone < max(HITS, ALONE * track.hits):
            return False
        dribbled = track.at_person > 0.5 * track.hits
        recent = [k for k, frame in enumerate(track.measured.frame) if frame > self._frame - WITHIN]
        if len(recent) < HITS:
            return False
        frame = np.array([track.measured.frame[k] for k in recent], np.float64)
        place = np.array([track.measured.place[k] for k in recent])
        speed = np.diff(place, axis=0) / np.diff(frame)[:, None]
        travel = float(np.linalg.norm(place[-1] - place[0]))
        # Counted over its whole life: a ball that rolls out slowly takes a second to prove itself.
        if float(np.linalg.norm(place[-1] - track.measured.place[0])) < TRAVEL * track.diameter:
            return False
        step = travel / (frame[-1] - frame[0])
        rough = float(np.median(np.linalg.norm(np.diff(speed, axis=0), axis=1)))
        return rough < max(ROUGHNESS * float(step), (0.8 if dribbled else 0.5) * track.diameter)

    def _begin(self, found: Detections, at_person: npt.NDArray[np.bool_], seen_by_network: bool) -> None:
        room = max(0, MOST - len(self.tracks))
        first = np.argsort(-found.score, kind="stable")[:room]
        if not len(first):
            return
        box = found.box[first]
        diameter = _diameter(box.T)
        variance = (ERROR * diameter) ** 2 + 0.3
        ground = self._stature.at(box[:, 3])
        tall = np.clip(diameter / BALL_SHARE, ground, NEARER * ground)
        place = middles(box)
        self.paths.add(place, variance, (0.3 * FASTEST * self._pace * tall) ** 2)
        for k, row in enumerate(first):
            sighted = int(seen_by_network and not at_person[row])
            track = Hypothesis(float(diameter[k]), self._frame, sightings=sighted, hits=1)
            track.last_frame = self._frame
            track.at_person = int(at_person[row])
            track.alone = int(not seen_by_network)
            track.whiteness = float(found.score[row])
            size = np.full(2, track.diameter)
            track.measured.add(self._frame, place[k], float(variance[k]), size, track.score())
            self.tracks.append(track)

    def _lost(self, track: Hypothesis, row: int) -> bool:
        unseen = self._frame - track.last_frame
        if track.id is None and not track.sightings:
            return unseen > (2 if track.hits < HITS else 4)
        still = float(np.linalg.norm(self.paths.speed[row])) < REST * track.diameter
        return unseen > round((STILL_LOST_S if still and track.sightings else LOST_S) * self._rate)

    def _keep(self, rows: npt.NDArray[np.bool_]) -> None:
        if rows.all():
            return
        self.over += [track for track, kept in zip(self.tracks, rows, strict=True) if not kept and track.id is not None]
        self.tracks = [track for track, kept in zip(self.tracks, rows, strict=True) if kept]
        self.paths.keep(rows)


def _diameter(box: Floats) -> Floats:
    """Shorter side: a fast ball is drawn out along its way. `box` (4,) or (4, n)."""
    shorter: Floats = np.minimum(box[2] - box[0], box[3] - box[1])
    return shorter


def _within(found: Floats, persons: Floats, top: float, bottom: float, beside: float = 0.0) -> npt.NDArray[np.bool_]:
    """Which centres of `found` (n, 4) lie in the part of a person's box between these shares of its height, and so
    many heights to each side of it."""
    if not len(persons) or not len(found):
        return np.zeros(len(found), bool)
    x, y = middles(found).T
    x0, y0, x1, y1 = persons.T[:, :, None]
    tall = y1 - y0
    inside: npt.NDArray[np.bool_] = (
        (x > x0 - beside * tall) & (x < x1 + beside * tall) & (y > y0 + top * tall) & (y < y0 + bottom * tall)
    ).any(axis=0)
    return inside
