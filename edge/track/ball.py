"""Follows everything that may be the ball: several hypotheses at once, the hub decides between them."""

import math
from collections.abc import Callable
from itertools import count

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Detections, Floats, middles
from edge.detect.picture import Plane
from edge.detect.stature import BALL_SHARE, Stature
from edge.track import loops
from edge.track.assign import assigned
from edge.track.ids import TrackletIds
from edge.track.loops import bend_and_step, within
from edge.track.paths import Paths
from edge.track.rows import Journal
from edge.track.spot import spot

FASTEST = 0.75
"""A hard shot: heights of a person per frame at 25 frames a second, 33 m/s."""
ACCELERATION = 0.05
"""Standard deviation of a ball's acceleration, heights per frame²: bounces and touches among it."""
ERROR = 0.25
"""Standard deviation of a measured centre in ball diameters."""
LEAST_VARIANCE = 0.3
"""Of a measured centre, px²: pixels are whole."""
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
NOT_NEAR = 10.0
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


HYPOTHESIS = np.dtype(
    [
        ("number", np.int64),
        ("id", np.int64),
        ("last_frame", np.int64),
        ("hits", np.int64),
        ("sightings", np.int64),
        ("alone", np.int64),
        ("at_person", np.int64),
        ("shin", np.float64),
        ("diameter", np.float64),
        ("whiteness", np.float64),
        ("tall", np.float64),
        ("start", np.float64, 2),
        ("recent_frame", np.int64, WITHIN),
        ("recent", np.float64, (WITHIN, 2)),
    ]
)
"""Something that may be the ball: its number from birth on, its id (0 until it is believed), the frame it was last
measured in, how often it was measured, seen by the network, a blob by itself and at somebody's body, how much of its
life it spent on a shin, diameter (px), whiteness, how tall (px) a person beside it would look, where it began (px), and
its last measurements, newest last."""
Tracks = npt.NDArray[np.void]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
NEVER = -1000


class Balls:
    """The ball hypotheses of one camera. Call `advance` once per frame, then `see` with the candidates in it."""

    def __init__(self, ids: TrackletIds, frames_per_second: float, stature: Stature) -> None:
        self._ids = ids
        self._rate = frames_per_second
        self._pace = 25.0 / frames_per_second
        self._stature = stature
        self._frame = -1
        self._numbers = count(1)
        self.paths = Paths()
        self.tracks: Tracks = np.zeros(0, HYPOTHESIS)
        """Those alive, `HYPOTHESIS`; row by row the same as `paths`."""
        self.over: Tracks = np.zeros(0, HYPOTHESIS)
        """Believed ones that ended since the last segment was closed."""
        self.measured = Journal()
        """What was measured, by the hypotheses' numbers."""

    @property
    def believed(self) -> Flags:
        """Which hypotheses (n,) have proven themselves."""
        believed: Flags = self.tracks["id"] > 0
        return believed

    @property
    def boxes(self) -> Floats:
        """Boxes (n, 4) where the believed ones are now."""
        return self._boxes(np.flatnonzero(self.believed))

    @property
    def chances(self) -> tuple[Floats, Floats]:
        """Where (n, 2) the ball may be now, and how much speaks for looking there (n,)."""
        seen = self.tracks["hits"] > 1
        trust = np.where(self.believed, 1.0, UNPROVEN) * self._scores()
        return self.paths.place[seen], np.where(self._still(), UNPROVEN * trust, trust)[seen]

    def advance(self, frame: int) -> None:
        """Move every hypothesis on to this frame, and end those that are lost."""
        self._frame = frame
        patience, lying = (round(s * self._rate) for s in (LOST_S, STILL_LOST_S))
        lost = loops.lost(self.tracks, self.paths.speed, frame, REST, HITS, patience, lying)
        if lost.any():
            self.over = np.concatenate([self.over, self.tracks[lost & self.believed]])
            self._keep(~lost)
        tracks = self.tracks
        ground = self._stature.at(self.paths.place[:, 1])
        # One in the air is nearer than the ground behind it.
        tracks["tall"] = np.clip(tracks["diameter"] / BALL_SHARE, ground, NEARER * ground)
        self.paths.step(ACCELERATION * self._pace**2 * tracks["tall"])

    def see(self, found: Detections, persons: Floats, seen_by_network: bool) -> None:
        """Take in this frame's candidates; those in the upper part of the boxes `persons` (n, 4) are shirts."""
        if seen_by_network:  # letters on the grass look like balls to it, but large ones
            found = found.where(_diameter(found.box) < NEARER * BALL_SHARE * self._stature.at(found.box[:, 3]))
        if not len(found.box):
            return
        shirt = within(found.box, persons, 0.0, 0.75)
        at_person = within(found.box, persons, 0.0, 1.05)
        if seen_by_network:
            at_person |= within(found.box, persons, *SHIN, BESIDE)
        rows, candidates = self._pairs(middles(found.box), shirt)
        self._take(rows, found.where(candidates), at_person[candidates], seen_by_network)
        free = ~shirt
        free[candidates] = False
        self._begin(found.where(free), at_person[free], seen_by_network)

    def search(self, front: Front, persons: Floats) -> None:
        """Look closely for those that no candidate of this frame belongs to, near where they should be."""
        tracks = self.tracks
        due = loops.sought(tracks, self._frame, SEARCH_FRAMES, MOST_SEARCHED)
        diameter = tracks["diameter"][due]
        reach = 2.0 * np.sqrt(self.paths.cov[due, 0]) + 0.5 * diameter
        reach = np.minimum(reach, SEARCH * tracks["tall"][due]) + diameter
        rows, centres = [], []
        for row, size, far in zip(due.tolist(), diameter.tolist(), reach.tolist(), strict=True):
            place = self.paths.place[row]
            window, corner = front(place, far)
            found = spot(window, size, place - corner)
            if found is not None:
                rows.append(row)
                centres.append(found + corner)
        if rows:
            self._find(np.array(rows), np.array(centres), persons)
        self._drop_socks(persons)

    def _find(self, rows: Rows, centre: Floats, persons: Floats) -> None:
        """Take in what a search for these rows found, unless it is a shirt."""
        box = _boxes(centre, self.tracks["diameter"][rows])
        kept = self._passing()[rows] | ~within(box, persons, 0.0, 0.6)
        self._measure(rows[kept], centre[kept], within(box[kept], persons, 0.0, 1.05))

    def _drop_socks(self, persons: Floats) -> None:
        """End those that never leave somebody's shin, and what they said in this segment."""
        now = np.flatnonzero(self.tracks["last_frame"] == self._frame)
        if not len(now):
            return
        shin = self.tracks["shin"]
        shin[now] += (within(self._boxes(now), persons, *SHIN, BESIDE) - shin[now]) * self._pace / SOCK_FRAMES
        self._keep(shin < SOCK)

    def _boxes(self, rows: Rows) -> Floats:
        return _boxes(self.paths.place[rows], self.tracks["diameter"][rows])

    def _scores(self) -> Floats:
        """How much speaks for each (n,) being the ball: what the network saw, else how long its path is."""
        tracks = self.tracks
        much = 0.25 + 0.3 * tracks["whiteness"] + 0.02 * np.minimum(tracks["hits"], 12)
        scores: Floats = np.minimum(0.95, much + 0.2 * np.minimum(tracks["sightings"], 2))
        return scores

    def _still(self) -> Flags:
        x, y = self.paths.speed.T
        still: Flags = np.hypot(x, y) < REST * self.tracks["diameter"]
        return still

    def _passing(self) -> Flags:
        """Which believed ones are so fast that what they cross does not matter."""
        x, y = self.paths.speed.T
        fast: Flags = self.believed & (np.hypot(x, y) > PASSING * self._pace * self.tracks["tall"])
        return fast

    def _pairs(self, centre: Floats, shirt: Flags) -> tuple[Rows, Rows]:
        """Rows of hypotheses and the candidates at `centre` (n, 2) that they go on with."""
        if not len(self.tracks):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        cost = loops.costs(
            self.tracks,
            self.paths.place,
            self.paths.cov,
            centre,
            shirt.view(np.uint8),
            self._passing().view(np.uint8),
            GATE,
            0.5 * BALL_SHARE,
            FASTEST * self._pace,
            NOT_NEAR,
        )
        rows, columns = assigned(cost)
        near = cost[rows, columns] < NOT_NEAR
        return rows[near], columns[near]

    def _take(self, rows: Rows, found: Detections, at_person: Flags, seen_by_network: bool) -> None:
        tracks, size = self.tracks, _diameter(found.box)
        if seen_by_network:
            ratio = size / (BALL_SHARE * self._stature.at(found.box[:, 3]))
            tracks["sightings"][rows] += ~at_person & (ratio > ON_GROUND[0]) & (ratio < ON_GROUND[1])
        else:
            tracks["alone"][rows] += 1
        tracks["whiteness"][rows] += 0.2 * (found.score - tracks["whiteness"][rows])
        tracks["diameter"][rows] += 0.2 * (size - tracks["diameter"][rows])
        self._measure(rows, middles(found.box), at_person)

    def _measure(self, rows: Rows, centre: Floats, at_person: Flags) -> None:
        """Take in where (n, 2) these rows are in this frame."""
        if not len(rows):
            return
        paths = self.paths
        variance = loops.measured(
            self.tracks,
            paths.place,
            paths.speed,
            paths.cov,
            rows,
            centre,
            at_person.view(np.uint8),
            self._frame,
            ERROR,
            LEAST_VARIANCE,
        )
        self._write_down(rows, centre, variance)
        for row in rows[self.tracks["id"][rows] == 0].tolist():
            if self._proven(self.tracks[row]):
                self.tracks["id"][row] = next(self._ids)

    def _proven(self, track: np.void) -> bool:
        """Whether this one has proven itself by now."""
        if track["sightings"] >= SIGHTINGS:
            return True
        alone = track["alone"] >= max(HITS, ALONE * track["hits"])
        return bool(alone) and _makes_a_path(track, self._frame)

    def _write_down(self, rows: Rows, centre: Floats, variance: Floats) -> None:
        tracks = self.tracks
        size = np.repeat(tracks["diameter"][rows, None], 2, axis=1)
        self.measured.add(self._frame, tracks["number"][rows], centre, variance, size, self._scores()[rows])

    def _begin(self, found: Detections, at_person: Flags, seen_by_network: bool) -> None:
        first = np.argsort(-found.score, kind="stable")[: max(0, MOST - len(self.tracks))]
        if not len(first):
            return
        found, place, diameter = found.where(first), middles(found.box[first]), _diameter(found.box[first])
        born = np.zeros(len(first), HYPOTHESIS)
        born["number"] = [next(self._numbers) for _ in first]
        born["last_frame"], born["hits"] = self._frame, 1
        born["sightings"] = seen_by_network & ~at_person[first]
        born["alone"], born["at_person"] = not seen_by_network, at_person[first]
        born["diameter"], born["whiteness"], born["start"] = diameter, found.score, place
        born["recent_frame"], born["recent_frame"][:, -1] = NEVER, self._frame
        born["recent"][:, -1] = place
        variance = (ERROR * diameter) ** 2 + LEAST_VARIANCE
        ground = self._stature.at(found.box[:, 3])
        born["tall"] = np.clip(diameter / BALL_SHARE, ground, NEARER * ground)
        self.paths.add(place, variance, (0.3 * FASTEST * self._pace * born["tall"]) ** 2)
        rows = len(self.tracks) + np.arange(len(born))
        self.tracks = np.concatenate([self.tracks, born])
        self._write_down(rows, place, variance)

    def _keep(self, rows: Flags) -> None:
        if not rows.all():
            self.tracks = self.tracks[rows]
            self.paths.keep(rows)


def _makes_a_path(track: np.void, now: int) -> bool:
    """Whether its last measurements are those of something that flies or rolls."""
    frame = track["recent_frame"]
    first = int(np.searchsorted(frame, now - WITHIN, side="right"))
    frame, place = frame[first:], track["recent"][first:]
    diameter = float(track["diameter"])
    # Counted over its whole life: a ball that rolls out slowly takes a second to prove itself.
    if len(frame) < HITS or math.dist(place[-1], track["start"]) < TRAVEL * diameter:
        return False
    rough, step = bend_and_step(frame, place)
    dribbled = track["at_person"] > 0.5 * track["hits"]
    return rough < max(ROUGHNESS * step, (0.8 if dribbled else 0.5) * diameter)


def _diameter(box: Floats) -> Floats:
    """Shorter sides of boxes (n, 4): a fast ball is drawn out along its way."""
    shorter: Floats = np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    return shorter


def _boxes(centre: Floats, diameter: Floats) -> Floats:
    half = diameter[:, None] / 2
    return np.concatenate([centre - half, centre + half], axis=1)
