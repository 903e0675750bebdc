"""Follows persons: detector boxes at the passes, the moving blobs in between."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Detections, Floats, overlap
from edge.detect.looks import Look
from edge.detect.motion import Blobs
from edge.detect.picture import Plane
from edge.track.assign import assigned
from edge.track.ids import TrackletIds
from edge.track.patch import shift
from edge.track.paths import DRAG, Paths
from edge.track.rows import Measured

SURE = 0.4
"""Scores from here on may begin a track; weaker boxes only continue one (ByteTrack's two stages)."""
WIDEN = 0.3
"""Boxes are widened by this share before they are compared: small persons move by their own width between passes."""
LEAST_OVERLAP = (0.2, 0.35)
"""Of widened boxes, in the first and in the second stage."""
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
SAME = 0.7
"""Overlap of two tracks that are the same person."""
NETWORK_LOOK, MOTION_LOOK, BLOB = 8, 1, 4
"""What a box of the network, a person-like blob on its own, and a blob that fits a track prove."""
PROBATION = 16
"""Proof that a track needs to be believed."""
MISSED_S = 0.24
"""Looks that follow each other faster than this see the same picture: together they miss somebody once."""
NEAR_ENOUGH_PX = 20.0
"""A person smaller than this at network scale may well be overlooked."""
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
    missed_frame: int = -1000
    carried: int = 0
    moved: bool = False
    measured: Measured = field(default_factory=Measured)
    torso: list[tuple[float, float, float]] = field(default_factory=list)


class People:
    """The persons of one camera. Frames are counted from the session's first; call `advance` once per frame, then
    `see` and `refine` with what was measured in it."""

    def __init__(self, ids: TrackletIds, frames_per_second: float) -> None:
        self._ids = ids
        self._lost = round(LOST_S * frames_per_second)
        self._between = int(MISSED_S * frames_per_second)
        self._carried_most = round(CARRIED_S * frames_per_second)
        self._pace = 25.0 / frames_per_second
        self._frame = -1
        self.paths = Paths()
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

    def see(self, found: Detections, worth: int, looks: Sequence[Look] = ()) -> None:
        """Take in the persons that a detector found in this frame; `worth` is `NETWORK_LOOK` or `MOTION_LOOK`.

        `looks` are a network's looks that found them: whom none of them could see near enough is not missed.
        """
        sure = found.score >= SURE
        left = np.arange(len(self.tracks))
        free = np.ones(len(found.box), bool)
        for stage, least in zip((sure, ~sure), LEAST_OVERLAP, strict=True):
            candidates = np.flatnonzero(stage)
            pairs = _assign(self.boxes[left], found.box[candidates], least)
            for row, column in pairs:
                match = candidates[column]
                self._take_box(int(left[row]), found.box[match], float(found.score[match]), worth)
                free[match] = False
            left = np.delete(left, [row for row, _ in pairs])
        inside = _looked_at(self.boxes, looks) if looks else _inside(self.boxes, found.region)
        for row in left[inside[left]].tolist():
            track = self.tracks[row]
            if not looks or self._frame - track.missed_frame >= self._between:
                track.missed_frame = self._frame
                track.unseen += worth
        self._begin(found.where(free & sure), worth)
        self._drop_doubles()

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
        for row in np.flatnonzero(usable.any(axis=1) & ~blocked):
            self._take_blobs(int(row), blobs, np.flatnonzero(usable[row]))

    def stand(self, row: int, foot: Floats) -> None:
        """Correct a track by where its pose says that the person stands (2,) px."""
        self._measure(row, foot, float(POSE_ERROR * self.tracks[row].size[1]) ** 2, 0)

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
                variance = float(PATCH_ERROR * track.size[1]) ** 2
                self._measure(row, left_from + moved * factor, variance, 0)
                track.carried = carried

    def _take_box(self, row: int, box: Floats, score: float, worth: int) -> None:
        track = self.tracks[row]
        size = box[2:] - box[:2]
        track.size = track.size + SIZE_RATE * (size - track.size)
        track.score = 0.7 * track.score + 0.3 * score
        track.unseen = 0
        self._measure(row, foot_of(box), float(BOX_ERROR * track.size[1]) ** 2, worth)

    def _take_blobs(self, row: int, blobs: Blobs, own: npt.NDArray[np.intp]) -> None:
        track = self.tracks[row]
        low, high = blobs.box[own, :2].min(axis=0), blobs.box[own, 2:].max(axis=0)
        wide, tall = (high - low) / track.size
        if not (0.65 < tall < 1.3 and 0.3 < wide < 1.9):
            return
        weight = blobs.area[own] / blobs.area[own].sum()
        foot = np.array([weight @ blobs.centre[own, 0], high[1]])
        self._measure(row, foot, float(BLOB_ERROR * track.size[1]) ** 2 + 1.0, BLOB)

    def _measure(self, row: int, foot: Floats, variance: float, worth: int) -> None:
        track = self.tracks[row]
        self.paths.correct(np.array([row]), foot[None], np.array([variance]))
        track.measured.add(self._frame, foot, variance, track.size, track.score)
        track.last_frame = self._frame
        track.carried = 0
        track.moved = track.moved or math.dist(self.paths.place[row], track.start) > MOVED * track.size[1]
        track.evidence += worth
        if track.id is None and track.evidence >= PROBATION:
            track.id = next(self._ids)

    def _begin(self, found: Detections, worth: int) -> None:
        boxes = self.boxes
        if len(boxes) and len(found.box):
            found = found.where(overlap(found.box, boxes).max(axis=1) < 0.5)
        if not len(found.box):
            return
        size = found.box[:, 2:] - found.box[:, :2]
        place = np.stack([foot_of(box) for box in found.box])
        variance = (BOX_ERROR * size[:, 1]) ** 2
        self.paths.add(place, variance, (0.08 * self._pace * size[:, 1]) ** 2)
        for k, score in enumerate(found.score):
            start = (float(place[k, 0]), float(place[k, 1]))
            track = Person(size[k], float(score), self._frame, start, evidence=worth, last_frame=self._frame)
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


def foot_of(box: Floats) -> Floats:
    """The middle of a box's lower edge (2,)."""
    return np.array([(box[0] + box[2]) / 2, box[3]])


def box_at(foot: Floats, size: Floats) -> Floats:
    """Boxes (n, 4) of the sizes (n, 2) that stand on the foot points (n, 2)."""
    half = size[:, 0] / 2
    x, y = foot.T
    return np.stack([x - half, y - size[:, 1], x + half, y], axis=1)


def _assign(tracks: Floats, found: Floats, least: float) -> list[tuple[int, int]]:
    if not len(tracks) or not len(found):
        return []
    shared = overlap(_widened(tracks, WIDEN), _widened(found, WIDEN))
    return [(row, column) for row, column in assigned(-shared) if shared[row, column] > least]


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


def _looked_at(boxes: Floats, looks: Sequence[Look]) -> npt.NDArray[np.bool_]:
    """Which of the boxes (n, 4) one of the looks could see whole and near enough."""
    tall = boxes[:, 3] - boxes[:, 1]
    seen = [_inside(boxes, look.region) & (tall * look.scale[1] > NEAR_ENOUGH_PX) for look in looks]
    looked_at: npt.NDArray[np.bool_] = np.any(seen, axis=0)
    return looked_at


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
