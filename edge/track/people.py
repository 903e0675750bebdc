"""Follows persons: detector boxes at the passes, the moving blobs in between."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Detections, Floats, overlap
from edge.detect.motion import Blobs
from edge.detect.picture import Plane
from edge.detect.stature import Stature
from edge.track.assign import assigned
from edge.track.ids import TrackletIds
from edge.track.patch import shift
from edge.track.paths import DRAG, Paths
from edge.track.rows import Measured
from edge.track.shirts import Shirts
from edge.track.torso import TORSO

Rows = npt.NDArray[np.intp]
NONE = np.zeros(0, np.intp)

SURE = 0.4
"""Scores from here on may begin a track; weaker boxes only continue one (ByteTrack's two stages)."""
WIDEN = 0.5
"""Boxes are widened by this share before they are compared: small persons move by their own width between passes."""
LEAST_OVERLAP = (0.15, 0.3)
"""Of widened boxes, in the first and in the second stage."""
FASTEST = 0.2
"""Heights of a person per frame at 25 frames a second that nobody outruns, 9 m/s; the camera does not move."""
REACH = 0.25
"""How far in heights a box may be off without anybody having moved."""
COLOUR = 0.5
"""What another team's shirt weighs against overlap when a box is given to a track."""
NEVER = 10.0
"""Costs more than any pair that is possible."""
ACCELERATION = 0.006
"""Standard deviation of a person's acceleration in heights per frame² at 25 frames a second: about 6.5 m/s²."""
BOX_ERROR = 0.035
BLOB_ERROR = 0.03
"""Standard deviations of the foot point in heights, from a box of the detector and from a blob."""
POSE_ERROR = 0.015
"""The same, from a pose; on the simulator this brought feet nearer to the truth than 0.03."""
PATCH_ERROR = 0.05
CARRIED_S = 0.6
"""How long a track may be followed by the look of its shirt alone: such errors add up."""
MOVED = 0.3
"""Heights from where it began that a track has to go before it counts as one that moves: spectators do not."""
LEAST_PACE = 0.004
"""Heights per frame below which nothing is lost by waiting for the next look."""
SIZE_RATE = 0.25
"""Share by which one more box of the detector changes a track's size."""
COVERED = 0.25
"""Share of a torso that somebody nearer must hide to make its colour worthless."""
SAME = 0.7
"""Overlap of two tracks that are the same person."""
NETWORK_LOOK, MOTION_LOOK, BLOB = 8, 1, 4
"""What a box of the network, a person-like blob on its own, and a blob that fits a track prove."""
PROBATION = 16
"""Proof that a track needs to be believed."""
LOST_S = 1.4
"""A track that nothing has measured for so long is over …"""
UNSEEN = 4 * NETWORK_LOOK
"""… as is one that looks of this worth in a row have not confirmed, sooner if it was never believed."""


@dataclass
class Person:
    """One track: `size` (2,) width and height px, its id once believed, and its measurements."""

    size: Floats
    score: float
    born: int
    start: tuple[float, float]
    id: int | None = None
    evidence: int = 0
    unseen: int = 0
    last_frame: int = 0
    last_place: tuple[float, float] = (0.0, 0.0)
    carried: int = 0
    moved: bool = False
    measured: Measured = field(default_factory=Measured)
    torso: list[Floats] = field(default_factory=list)


class People:
    """The persons of one camera. Frames are counted from the session's first; call `advance` once per frame, then
    `see` and `refine` with what was measured in it."""

    def __init__(self, ids: TrackletIds, frames_per_second: float, stature: Stature) -> None:
        self._ids = ids
        self._stature = stature
        self._lost = round(LOST_S * frames_per_second)
        self._carried_most = round(CARRIED_S * frames_per_second)
        self._pace = 25.0 / frames_per_second
        self._frame = -1
        self.paths = Paths()
        self.shirts = Shirts()
        self.tracks: list[Person] = []
        self.over: list[Person] = []
        """Tracks that ended since the last segment was closed, and were believed."""

    def advance(self, frame: int) -> None:
        """Move every track on to this frame, and end those that are lost."""
        self._frame = frame
        gone = [
            frame - track.last_frame > (self._lost if track.id else self._lost // 2)
            or track.unseen >= (UNSEEN if track.id else UNSEEN // 2)
            for track in self.tracks
        ]
        if any(gone):
            self._end(np.array(gone))
        self.paths.step(ACCELERATION * self._pace**2 * self.sizes[:, 1])

    @property
    def sizes(self) -> Floats:
        """Width and height (n, 2) px of every track."""
        return np.array([track.size for track in self.tracks]).reshape(-1, 2)

    @property
    def boxes(self) -> Floats:
        """Boxes (n, 4) where every track is now believed to be."""
        return box_at(self.paths.place, self.sizes)

    @property
    def believed(self) -> npt.NDArray[np.bool_]:
        """Which tracks (n,) have proven themselves."""
        return np.array([track.id is not None for track in self.tracks], bool)

    def see(self, found: Detections, worth: int, colours: Floats) -> None:
        """Take in the persons that a detector found in this frame, and the colours of their torsos (n, 3), CIE L, a, b,
        NaN where unknown; `worth` is `NETWORK_LOOK` or `MOTION_LOOK`."""
        sure = found.score >= SURE
        colours = np.where(_covered(found.box)[:, None], np.nan, colours)
        left = np.arange(len(self.tracks))
        free = np.ones(len(found.box), bool)
        for stage, least in zip((sure, ~sure), LEAST_OVERLAP, strict=True):
            candidates = np.flatnonzero(stage)
            taken, matched = self._pairs(left, found.box[candidates], colours[candidates], least)
            rows, matched = left[taken], candidates[matched]
            self._take_boxes(rows, found.box[matched], found.score[matched], worth)
            self.shirts.learn(rows, colours[matched])
            free[matched] = False
            left = np.delete(left, taken)
        inside = _inside(self.boxes, found.region)
        for row in left.tolist():
            self.tracks[row].unseen += worth * bool(inside[row])
        self._begin(found.where(free & sure), worth, colours[free & sure])
        self._drop_doubles()

    def _pairs(self, rows: Rows, box: Floats, colours: Floats, least: float) -> tuple[Rows, Rows]:
        """Places in `rows` of tracks, and the boxes (m, 4) they go on in: by overlap and shirt, within reach."""
        if not len(rows) or not len(box):
            return NONE, NONE
        shared = overlap(_widened(self.boxes[rows], WIDEN), _widened(box, WIDEN))
        possible = (shared > least) & (self._off(rows, box) < 1)
        cost = np.where(possible, COLOUR * self.shirts.unlike(rows, colours) - shared, NEVER)
        taken, matched = np.array(assigned(cost), np.intp).T
        real = possible[taken, matched]
        return taken[real], matched[real]

    def _off(self, rows: Rows, box: Floats) -> Floats:
        """How far from these tracks' last places the boxes stand (n, m): 1 is as far as anybody can have run by now."""
        place = np.array([self.tracks[row].last_place for row in rows])
        gap = self._frame - np.array([self.tracks[row].last_frame for row in rows])
        tall = self._stature.at(place[:, 1])
        apart = np.linalg.norm(place[:, None] - feet_of(box)[None], axis=2)
        off: Floats = apart / (tall * (REACH + FASTEST * self._pace * gap))[:, None]
        return off

    def refine(self, blobs: Blobs) -> None:
        """Correct the tracks by the blobs of this frame, where it is plain which blob belongs to whom.

        A track takes all blobs whose centre lies in its (widened) box; a blob that several tracks claim says nothing
        about any of them.
        """
        if not self.tracks or not len(blobs.box):
            return
        boxes, sizes = self.boxes, self.sizes
        wide = _widened(boxes, 0.15)
        x, y = blobs.centre.T
        claims = (x > wide[:, :1]) & (x < wide[:, 2:3]) & (y > wide[:, 1:2]) & (y < wide[:, 3:])
        claims |= _share(boxes, blobs.box) > 0.3
        shared = claims.sum(axis=0) > 1
        tall = blobs.box[:, 3] - blobs.box[:, 1]
        # A small blob just outside the box is a ball at the feet or a shadow's edge.
        tiny = blobs.area[None] < 0.03 * sizes.prod(axis=1)[:, None]
        usable = claims & ~shared & ~(tiny & ~_centred_in(boxes, blobs.centre))
        blocked = (claims & shared & (tall[None] > 0.35 * sizes[:, 1:])).any(axis=1)
        rows = np.flatnonzero(usable.any(axis=1) & ~blocked)
        if len(rows):
            self._take_blobs(rows, sizes[rows], blobs, usable[rows])

    def stand(self, row: int, foot: Floats) -> None:
        """Correct a track by where its pose says that the person stands (2,) px."""
        self._measure(np.array([row]), foot[None], POSE_ERROR, 0)

    def carry(self, before: Plane, now: Plane, factor: int) -> None:
        """Follow by the look of the shirt whoever moves and was not measured in this frame, for a short while.

        `before` and `now` (h, w) are the luma of the last and of this frame, `factor` times smaller than the stream.
        """
        if before.shape != now.shape:
            return
        for row, track in enumerate(self.tracks):
            pace = float(np.abs(self.paths.speed[row]).max()) / float(track.size[1])
            worth_it = track.moved and pace > LEAST_PACE and track.carried < self._carried_most
            if track.last_frame != self._frame - 1 or not worth_it:
                continue
            expected = self.paths.speed[row] / DRAG
            left_from = self.paths.place[row] - expected
            box = box_at(left_from[None], track.size[None])[0]
            moved = shift(before, now, box / factor, expected / factor)
            if moved is not None:
                carried = track.carried + 1
                self._measure(np.array([row]), (left_from + moved * factor)[None], PATCH_ERROR, 0)
                track.carried = carried

    def _take_boxes(self, rows: Rows, box: Floats, score: Floats, worth: int) -> None:
        sizes = box[:, 2:] - box[:, :2]
        for row, size, strength in zip(rows.tolist(), sizes, score.tolist(), strict=True):
            track = self.tracks[row]
            track.size = track.size + SIZE_RATE * (size - track.size)
            track.score = 0.7 * track.score + 0.3 * strength
            track.unseen = 0
        self._measure(rows, feet_of(box), BOX_ERROR, worth)

    def _take_blobs(self, rows: Rows, sizes: Floats, blobs: Blobs, own: npt.NDArray[np.bool_]) -> None:
        """Correct these rows, whose boxes have the `sizes` (n, 2), by the blobs that are their `own` (n, m)."""
        x0, y0, x1, y1 = blobs.box.T
        low_x, low_y = (np.where(own, side, np.inf).min(axis=1) for side in (x0, y0))
        high_x, high_y = (np.where(own, side, -np.inf).max(axis=1) for side in (x1, y1))
        wide, tall = (high_x - low_x) / sizes[:, 0], (high_y - low_y) / sizes[:, 1]
        whole = (tall > 0.65) & (tall < 1.3) & (wide > 0.3) & (wide < 1.9)
        weight = own * blobs.area
        foot = np.stack([weight @ blobs.centre[:, 0] / weight.sum(axis=1), high_y], axis=1)
        self._measure(rows[whole], foot[whole], BLOB_ERROR, BLOB, 1.0)

    def _measure(self, rows: Rows, feet: Floats, error: float, worth: int, more: float = 0.0) -> None:
        """Take in the foot points (n, 2) of these rows, with an `error` in heights and `more` variance in px²."""
        tracks = [self.tracks[row] for row in rows]
        variance = np.array([(error * float(track.size[1])) ** 2 + more for track in tracks])
        self.paths.correct(rows, feet, variance)
        for track, foot, spread, (x, y) in zip(tracks, feet, variance.tolist(), self.paths.place[rows], strict=True):
            track.measured.add(self._frame, foot, spread, track.size, track.score)
            track.last_frame = self._frame
            track.last_place = (float(x), float(y))
            track.carried = 0
            track.moved = track.moved or math.dist(track.last_place, track.start) > MOVED * track.size[1]
            track.evidence += worth
            if track.id is None and track.evidence >= PROBATION:
                track.id = next(self._ids)

    def _begin(self, found: Detections, worth: int, colours: Floats) -> None:
        boxes = self.boxes
        if len(boxes) and len(found.box):
            new = overlap(found.box, boxes).max(axis=1) < 0.5
            found, colours = found.where(new), colours[new]
        if not len(found.box):
            return
        size = found.box[:, 2:] - found.box[:, :2]
        place = feet_of(found.box)
        variance = (BOX_ERROR * size[:, 1]) ** 2
        self.paths.add(place, variance, (0.08 * self._pace * size[:, 1]) ** 2)
        self.shirts.add(colours)
        for k, score in enumerate(found.score):
            at = (float(place[k, 0]), float(place[k, 1]))
            track = Person(
                size[k], float(score), self._frame, at, evidence=worth, last_frame=self._frame, last_place=at
            )
            track.measured.add(self._frame, place[k], float(variance[k]), size[k], float(score))
            self.tracks.append(track)

    def _drop_doubles(self) -> None:
        boxes = self.boxes
        same = np.triu(overlap(boxes, boxes) > SAME, 1)
        gone = np.zeros(len(boxes), bool)
        for a, b in zip(*np.nonzero(same), strict=True):
            # The one that has not been seen for longer, else the younger, is the double.
            first, second = self.tracks[a], self.tracks[b]
            gone[a if (first.last_frame, -first.born) < (second.last_frame, -second.born) else b] = True
        if gone.any():
            self._end(gone)

    def _end(self, gone: npt.NDArray[np.bool_]) -> None:
        self.over += [track for track, out in zip(self.tracks, gone, strict=True) if out and track.id is not None]
        self.tracks = [track for track, out in zip(self.tracks, gone, strict=True) if not out]
        self.paths.keep(~gone)
        self.shirts.keep(~gone)


def foot_of(box: Floats) -> Floats:
    """The middle of a box's lower edge (2,)."""
    return np.array([(box[0] + box[2]) / 2, box[3]])


def feet_of(boxes: Floats) -> Floats:
    """The middles (n, 2) of the lower edges of boxes (n, 4)."""
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)


def box_at(foot: Floats, size: Floats) -> Floats:
    """Boxes (n, 4) of the sizes (n, 2) that stand on the foot points (n, 2)."""
    half = size[:, 0] / 2
    x, y = foot.T
    return np.stack([x - half, y - size[:, 1], x + half, y], axis=1)


def _covered(boxes: Floats) -> npt.NDArray[np.bool_]:
    """Before whose torso somebody stands who is nearer: the shirt seen there may be his."""
    x0, y0, x1, y1 = boxes.T
    torso = np.stack([x0, y0 + TORSO[1] * (y1 - y0), x1, y0 + TORSO[3] * (y1 - y0)], axis=1)
    hidden: npt.NDArray[np.bool_] = ((_share(torso, boxes) > COVERED) & (y1[None] > y1[:, None])).any(axis=1)
    return hidden


def _widened(box: Floats, share: float) -> Floats:
    margin = (box[:, 2:] - box[:, :2]) * share
    return np.concatenate([box[:, :2] - margin, box[:, 2:] + margin], axis=1)


def _inside(boxes: Floats, region: tuple[float, float, float, float]) -> npt.NDArray[np.bool_]:
    x0, y0, x1, y1 = region
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside: npt.NDArray[np.bool_] = (
        (middle[:, 0] > x0) & (middle[:, 0] < x1) & (boxes[:, 1] > y0 - 1) & (boxes[:, 3] < y1 + 1)
    )
    return inside


def _centred_in(boxes: Floats, centre: Floats) -> npt.NDArray[np.bool_]:
    x, y = centre.T
    inside: npt.NDArray[np.bool_] = (x > boxes[:, :1]) & (x < boxes[:, 2:3]) & (y > boxes[:, 1:2]) & (y < boxes[:, 3:])
    return inside


def _share(boxes: Floats, blobs: Floats) -> Floats:
    """How much of each box (n, 4) each blob's box (m, 4) covers: (n, m)."""
    low = np.maximum(boxes[:, None, :2], blobs[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], blobs[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    share: Floats = common / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1)[:, None]
    return share
