"""Follows persons: detector boxes at the passes, the moving blobs in between."""

from collections.abc import Sequence
from itertools import count

import numpy as np
import numpy.typing as npt

from edge.detect.blobs import Blobs
from edge.detect.detector import Detections, Floats, middles, overlap
from edge.detect.looks import Look
from edge.detect.picture import Plane
from edge.track.assign import assigned
from edge.track.claims import feet_of_blobs
from edge.track.ids import TrackletIds
from edge.track.patch import shifts
from edge.track.paths import DRAG, Paths
from edge.track.rows import Journal

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


TRACK = np.dtype(
    [
        ("number", np.int64),
        ("id", np.int64),
        ("born", np.int64),
        ("start", np.float64, 2),
        ("size", np.float64, 2),
        ("score", np.float64),
        ("evidence", np.int64),
        ("unseen", np.int64),
        ("last_frame", np.int64),
        ("missed_frame", np.int64),
        ("carried", np.int64),
        ("moved", np.bool_),
    ]
)
"""One track: its number from birth on, its id (0 until it is believed), the frame and the place (px) it began in, width
and height of its box (px), score, proof that it is a person, looks in vain, the frame it was last measured and last
missed in, frames it was carried on for, and whether it ever left its place."""
Tracks = npt.NDArray[np.void]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


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
        self._numbers = count(1)
        self.paths = Paths()
        self.tracks: Tracks = np.zeros(0, TRACK)
        """Those alive, `TRACK`; row by row the same as `paths`."""
        self.over: Tracks = np.zeros(0, TRACK)
        """Those that ended since the last segment was closed, and were believed."""
        self.measured = Journal()
        """What was measured, by the tracks' numbers."""

    def advance(self, frame: int) -> None:
        """Move every track on to this frame, and end those that are lost."""
        self._frame = frame
        share = np.where(self.believed, 1, 2)
        gone = (frame - self.tracks["last_frame"] > self._lost // share) | (self.tracks["unseen"] >= UNSEEN // share)
        if gone.any():
            self._end(gone)
        self.paths.step(ACCELERATION * self._pace**2 * self.sizes[:, 1])

    @property
    def sizes(self) -> Floats:
        """Width and height (n, 2) px of every track."""
        sizes: Floats = self.tracks["size"]
        return sizes

    @property
    def boxes(self) -> Floats:
        """Boxes (n, 4) where every track is now believed to be."""
        return box_at(self.paths.place, self.sizes)

    @property
    def believed(self) -> Flags:
        """Which tracks (n,) have proven themselves."""
        believed: Flags = self.tracks["id"] > 0
        return believed

    @property
    def measured_now(self) -> Rows:
        """Rows of the tracks that were measured in this frame."""
        return np.flatnonzero(self.tracks["last_frame"] == self._frame)

    def see(self, found: Detections, worth: int, looks: Sequence[Look] = ()) -> None:
        """Take in the persons that a detector found in this frame; `worth` is `NETWORK_LOOK` or `MOTION_LOOK`.

        `looks` are a network's looks that found them: whom none of them could see near enough is not missed.
        """
        sure = found.score >= SURE
        left = np.arange(len(self.tracks))
        free = np.ones(len(found.box), bool)
        for stage, least in zip((sure, ~sure), LEAST_OVERLAP, strict=True):
            candidates = np.flatnonzero(stage)
            taken, matched = _assign(self.boxes[left], found.box[candidates], least)
            self._take_boxes(left[taken], found.where(candidates[matched]), worth)
            free[candidates[matched]] = False
            left = np.delete(left, taken)
        inside = _looked_at(self.boxes, looks) if looks else _inside(self.boxes, found.region)
        missed = left[inside[left]]
        if looks:
            missed = missed[self._frame - self.tracks["missed_frame"][missed] >= self._between]
        self.tracks["missed_frame"][missed] = self._frame
        self.tracks["unseen"][missed] += worth
        self._begin(found.where(free & sure), worth)
        self._drop_doubles()

    def refine(self, blobs: Blobs) -> None:
        """Correct the tracks by the blobs of this frame, where it is plain which blob belongs to whom."""
        feet = feet_of_blobs(self.boxes, blobs)
        rows = np.flatnonzero(~np.isnan(feet[:, 0]))
        if len(rows):
            self._measure(rows, feet[rows], BLOB_ERROR, BLOB, 1.0)

    def stand(self, rows: Rows, feet: Floats) -> None:
        """Correct these tracks by where their poses say that the persons stand (n, 2) px."""
        self._measure(rows, feet, POSE_ERROR, 0)

    def carry(self, before: Plane, now: Plane, factor: int) -> None:
        """Follow by the look of the shirt whoever moves and was not measured in this frame, for a short while.

        `before` and `now` (h, w) are the luma of the last and of this frame, `factor` times smaller than the stream.
        """
        if before.shape != now.shape:
            return
        tracks = self.tracks
        pace = np.abs(self.paths.speed).max(axis=1, initial=0.0) / tracks["size"][:, 1]
        worth_it = tracks["moved"] & (pace > LEAST_PACE) & (tracks["carried"] < self._carried_most)
        due = np.flatnonzero(worth_it & (tracks["last_frame"] == self._frame - 1))
        if not len(due):
            return
        expected = self.paths.speed[due] / DRAG
        left_from = self.paths.place[due] - expected
        found, moved = shifts(before, now, box_at(left_from, self.sizes[due]) / factor, expected / factor)
        rows = due[found]
        carried = tracks["carried"][rows] + 1
        self._measure(rows, left_from[found] + moved * factor, PATCH_ERROR, 0)
        tracks["carried"][rows] = carried

    def _take_boxes(self, rows: Rows, found: Detections, worth: int) -> None:
        size, score = found.box[:, 2:] - found.box[:, :2], self.tracks["score"]
        self.tracks["size"][rows] += SIZE_RATE * (size - self.tracks["size"][rows])
        score[rows] = 0.7 * score[rows] + 0.3 * found.score
        self.tracks["unseen"][rows] = 0
        self._measure(rows, feet_of(found.box), BOX_ERROR, worth)

    def _measure(self, rows: Rows, feet: Floats, error: float, worth: int, more: float = 0.0) -> None:
        """Take in the foot points (n, 2) of these rows, with an `error` in heights and `more` variance in px²."""
        tracks = self.tracks
        size = tracks["size"][rows]
        variance = (error * size[:, 1]) ** 2 + more
        self.paths.correct(rows, feet, variance)
        self.measured.add(self._frame, tracks["number"][rows], feet, variance, size, tracks["score"][rows])
        tracks["last_frame"][rows] = self._frame
        tracks["carried"][rows] = 0
        off = self.paths.place[rows] - tracks["start"][rows]
        tracks["moved"][rows] |= np.hypot(off[:, 0], off[:, 1]) > MOVED * size[:, 1]
        tracks["evidence"][rows] += worth
        if worth:
            for row in rows[(tracks["id"][rows] == 0) & (tracks["evidence"][rows] >= PROBATION)].tolist():
                tracks["id"][row] = next(self._ids)

    def _begin(self, found: Detections, worth: int) -> None:
        boxes = self.boxes
        if len(boxes) and len(found.box):
            found = found.where(overlap(found.box, boxes).max(axis=1) < 0.5)
        if not len(found.box):
            return
        place = feet_of(found.box)
        born = np.zeros(len(place), TRACK)
        born["number"] = [next(self._numbers) for _ in place]
        born["born"] = born["last_frame"] = self._frame
        born["missed_frame"] = self._frame - self._between
        born["start"], born["size"] = place, found.box[:, 2:] - found.box[:, :2]
        born["score"], born["evidence"] = found.score, worth
        tall = born["size"][:, 1]
        variance = (BOX_ERROR * tall) ** 2
        self.paths.add(place, variance, (0.08 * self._pace * tall) ** 2)
        self.measured.add(self._frame, born["number"], place, variance, born["size"], born["score"])
        self.tracks = np.concatenate([self.tracks, born])

    def _drop_doubles(self) -> None:
        boxes = self.boxes
        same = np.triu(overlap(boxes, boxes) > SAME, 1)
        if not same.any():
            return
        gone = np.zeros(len(boxes), bool)
        for a, b in zip(*np.nonzero(same), strict=True):
            # The one that has not been seen for longer, else the younger, is the double.
            first, second = ((self.tracks["last_frame"][row], -self.tracks["born"][row]) for row in (a, b))
            gone[a if first < second else b] = True
        self._end(gone)

    def _end(self, gone: Flags) -> None:
        self.over = np.concatenate([self.over, self.tracks[gone & self.believed]])
        self.tracks = self.tracks[~gone]
        self.paths.keep(~gone)


def feet_of(boxes: Floats) -> Floats:
    """The middles (n, 2) of the lower edges of boxes (n, 4)."""
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)


def box_at(foot: Floats, size: Floats) -> Floats:
    """Boxes (n, 4) of the sizes (n, 2) that stand on the foot points (n, 2)."""
    half = size[:, 0] / 2
    x, y = foot.T
    return np.stack([x - half, y - size[:, 1], x + half, y], axis=1)


def _assign(tracks: Floats, found: Floats, least: float) -> tuple[Rows, Rows]:
    """Tracks (n, 4) and boxes (m, 4) in pairs that overlap enough: rows of both."""
    if not len(tracks) or not len(found):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    shared = overlap(_widened(tracks, WIDEN), _widened(found, WIDEN))
    taken, matched = assigned(-shared)
    enough = shared[taken, matched] > least
    return taken[enough], matched[enough]


def _widened(box: Floats, share: float) -> Floats:
    margin = (box[:, 2:] - box[:, :2]) * share
    return np.concatenate([box[:, :2] - margin, box[:, 2:] + margin], axis=1)


def _inside(boxes: Floats, region: tuple[float, float, float, float]) -> npt.NDArray[np.bool_]:
    x0, y0, x1, y1 = region
    middle = middles(boxes)
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
