"""Follows everything that may be the ball: several hypotheses at once, the hub decides between them."""

import math

import numpy as np
import numpy.typing as npt

from edge.detect.background import Front
from edge.detect.detector import Detections, Floats
from edge.detect.stature import BALL_SHARE, Stature
from edge.track import ball_loops as loops
from edge.track.assign import assigned
from edge.track.ids import TrackletIds
from edge.track.paths import DRAG, Paths
from edge.track.rows import Entries, Journal
from edge.track.spot import spots

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
"""So many boxes of the network at one place make a still ball believed …"""
SIGHTED_S = 0.5
"""… if they are so far apart: pictures that follow each other show the same thing."""
ON_GROUND = (0.6, 1.6)
"""Sizes of a ball that lies still, as shares of what is expected there: it is on the ground and not nearer."""
ALONE = 0.25
"""A ball at somebody's feet is believed only when it stood out by itself in so many of its frames: no sock does."""
MEMORY = 32
"""Each time so many measurements are counted, all counts of them are halved: a ball that is kicked may be followed by
what was the foot before."""
SHIRT = 0.75
"""Share of a box's height above which a candidate is part of a shirt …"""
CLOSE_SHIRT = 0.6
"""… and above which what was found by looking closely is."""
BODY = 1.05
"""Share of a box's height down to which a ball is at somebody's body."""
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
"""Costs more than any pair that is possible."""
REST = 0.1
"""Ball diameters per frame below which it lies still."""
FOLLOW = 0.2
"""Share of what is new that its diameter and whiteness take in."""
UNPROVEN = 0.2
"""How much a hypothesis that is not believed yet counts for, against one that is."""
SEARCH_FRAMES = 6
"""A hypothesis is searched for closely so many frames after it was last measured, …"""
MOST_SEARCHED = 6
"""… at most so many in one frame, the believed first …"""
SEARCH = 0.2
"""… and at most so many heights of a person from where it should be."""

HYPOTHESIS = np.dtype(
    [
        ("number", np.int64),
        ("id", np.int64),
        ("last_frame", np.int64),
        ("hits", np.int64),
        ("sightings", np.int64),
        ("sighted", np.int64),
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
measured in, how often (as `MEMORY` counts) it was measured, how often seen by the network (as `SIGHTED_S` counts) and
in which frame last, how often (as `MEMORY` counts) a blob by itself and at somebody's body, how much of its life it
spent on a shin, diameter (px), whiteness, how tall (px) a person beside it would look, where it began (px), and its
last measurements, newest last."""
Tracks = npt.NDArray[np.void]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


class Balls:
    """The ball hypotheses of one camera. Call `advance` once per frame, then `see` with the candidates in it."""

    def __init__(self, ids: TrackletIds, frames_per_second: float, stature: Stature) -> None:
        self._ids = ids
        self._rate = frames_per_second
        self._pace = 25.0 / frames_per_second
        self._stature = stature
        self._frame = -1
        self._number = 0
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
        rows = self.believed
        place, half = self.paths.place[rows], self.tracks["diameter"][rows, None] / 2
        return np.concatenate([place - half, place + half], axis=1)

    @property
    def chances(self) -> tuple[Floats, Floats]:
        """Where (n, 2) the ball may be now, and how much speaks for looking there (n,)."""
        seen = self.tracks["hits"] > 1
        trust = np.where(self.believed, 1.0, UNPROVEN) * loops.scores(self.tracks)
        still = np.hypot(*self.paths.speed.T) < REST * self.tracks["diameter"]
        return self.paths.place[seen], np.where(still, UNPROVEN * trust, trust)[seen]

    def advance(self, frame: int) -> None:
        """Move every hypothesis on to this frame, and end those that are lost."""
        self._frame = frame
        paths = self.paths
        lost = loops.flown(
            self.tracks,
            paths.place,
            paths.speed,
            paths.cov,
            frame,
            REST,
            HITS,
            round(LOST_S * self._rate),
            round(STILL_LOST_S * self._rate),
            self._stature.line,
            BALL_SHARE,
            NEARER,
            ACCELERATION * self._pace**2,
            DRAG,
        )
        if lost.any():
            self.over = np.concatenate([self.over, self.tracks[lost & self.believed]])
            self._keep(~lost)

    def see(self, found: Detections, persons: Floats, seen_by_network: bool) -> None:
        """Take in this frame's candidates; those in the upper part of the boxes `persons` (n, 4) are shirts."""
        if seen_by_network:  # letters on the grass look like balls to it, but large ones
            found = found.where(_diameter(found.box) < NEARER * BALL_SHARE * self._stature.at(found.box[:, 3]))
        if not len(found.box):
            return
        candidates = loops.candidates(
            found.box,
            found.score,
            persons,
            seen_by_network,
            self._stature.line,
            BALL_SHARE,
            NEARER,
            ON_GROUND,
            SHIRT,
            BODY,
            SHIN,
            BESIDE,
        )
        rows, columns = self._pairs(candidates)
        if len(rows):
            paths = self.paths
            entries = loops.taken(
                self.tracks,
                paths.place,
                paths.speed,
                paths.cov,
                rows,
                candidates,
                columns,
                seen_by_network,
                round(SIGHTED_S * self._rate),
                self._frame,
                ERROR,
                LEAST_VARIANCE,
                MEMORY,
                FOLLOW,
            )
            self._measured(rows, entries)
        self._begin(candidates, columns, seen_by_network)

    def search(self, front: Front | None, persons: Floats) -> None:
        """Look closely for those that no candidate of this frame belongs to, near where they should be; nowhere while
        it is not known what stands in front."""
        paths = self.paths
        rows, wanted = loops.sought(
            self.tracks, paths.place, paths.cov, self._frame, SEARCH_FRAMES, MOST_SEARCHED, SEARCH
        )
        if front and len(rows):
            self._measured(
                *loops.spotted(
                    self.tracks,
                    paths.place,
                    paths.speed,
                    paths.cov,
                    rows,
                    spots(front, wanted),
                    persons,
                    CLOSE_SHIRT,
                    BODY,
                    PASSING * self._pace,
                    self._frame,
                    ERROR,
                    LEAST_VARIANCE,
                    MEMORY,
                )
            )
        socks = loops.socks(
            self.tracks, paths.place, persons, self._frame, SHIN, BESIDE, self._pace / SOCK_FRAMES, SOCK
        )
        if socks.any():
            # What they said in this segment goes with them.
            self._keep(~socks)

    def _pairs(self, candidates: Floats) -> tuple[Rows, Rows]:
        """Rows of hypotheses and of the `candidates` that they go on with."""
        if not len(self.tracks):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        paths = self.paths
        cost = loops.costs(
            self.tracks,
            paths.place,
            paths.speed,
            paths.cov,
            candidates,
            GATE,
            0.5 * BALL_SHARE,
            FASTEST * self._pace,
            PASSING * self._pace,
            NOT_NEAR,
        )
        rows, columns = assigned(cost)
        near = cost[rows, columns] < NOT_NEAR
        return rows[near], columns[near]

    def _measured(self, rows: Rows, entries: Entries) -> None:
        """Write down what was measured of these rows, and believe who has proven himself by now."""
        self.measured.add(self._frame, *entries)
        for row in rows[self.tracks["id"][rows] == 0].tolist():
            if self._proven(self.tracks[row]):
                self.tracks["id"][row] = next(self._ids)

    def _proven(self, track: np.void) -> bool:
        """Whether this one has proven itself by now."""
        if track["sightings"] >= SIGHTINGS:
            return True
        alone = track["alone"] >= max(HITS, ALONE * track["hits"])
        return bool(alone) and _makes_a_path(track, self._frame)

    def _begin(self, candidates: Floats, claimed: Rows, seen_by_network: bool) -> None:
        """Begin a hypothesis with each of the `candidates` that nobody `claimed`, as far as there is room."""
        free = loops.unclaimed(candidates, claimed, MOST - len(self.tracks))
        if not len(free):
            return
        born = np.zeros(len(free), HYPOTHESIS)
        number = self._number + 1
        entries = loops.born(born, candidates, free, number, seen_by_network, self._frame, ERROR, LEAST_VARIANCE)
        self._number += len(born)
        _, place, variance, _, _ = entries
        self.paths.add(place, variance, (0.3 * FASTEST * self._pace * born["tall"]) ** 2)
        self.tracks = np.concatenate([self.tracks, born])
        self.measured.add(self._frame, *entries)

    def _keep(self, rows: Flags) -> None:
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
    rough, step = loops.bend_and_step(frame, place)
    dribbled = track["at_person"] > 0.5 * track["hits"]
    return rough < max(ROUGHNESS * step, (0.8 if dribbled else 0.5) * diameter)


def _diameter(box: Floats) -> Floats:
    """Shorter sides of boxes (n, 4): a fast ball is drawn out along its way."""
    shorter: Floats = np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    return shorter
