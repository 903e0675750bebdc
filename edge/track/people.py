"""Follows persons: detector boxes at the passes, the moving blobs in between."""

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
import numpy.typing as npt

from edge.detect.blobs import Blobs
from edge.detect.detector import Detections, Floats, overlap
from edge.detect.looks import Look
from edge.detect.picture import Plane
from edge.track import loops
from edge.track.assign import assigned
from edge.track.claims import feet_of_blobs
from edge.track.ids import TrackletIds
from edge.track.patch import shifts
from edge.track.paths import DRAG, Paths
from edge.track.rows import Journal
from edge.track.shirts import UNSURE, unlike
from edge.track.torso import TORSO

SURE = 0.4
"""Scores from here on may begin a track; weaker boxes only continue one (ByteTrack's two stages)."""
WIDEN = 0.3
"""Boxes are widened by this share before they are compared: small persons move by their own width between passes."""
LEAST_OVERLAP = (0.2, 0.35)
"""Of widened boxes, in the first and in the second stage."""
GATE = 13.8
"""Chi-square of the way from where a track is believed to a box's foot point: beyond it lies one in a thousand, of two
degrees of freedom."""
STRAY = 0.1
"""Standard deviation in heights of the foot points of boxes there: those of half-hidden persons are among them."""
SHIRT = 0.5
"""What another team's shirt weighs against overlap when several boxes fit a track, or several tracks a box."""
COVERED = 0.25
"""Share of a torso that somebody nearer must hide to make its colour worthless."""
SHIRT_LOOKS = 8
"""A shirt's colour is the mean of so many looks, and follows what is seen as slowly from then on."""
IMPOSSIBLE = 50.0
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
SIZE_ERROR = (0.12, 0.04)
SIZE_DRIFT = (0.015, 0.008)
SIZE_DOUBT = (0.15, 0.05)
"""Standard deviations of the width and height of a box, of what a person's change by from frame to frame at 25 a
second, and of a track's that begins, as shares of them: widths come and go with every stride."""
FULL_SCORE = 0.8
WEAK = 4.0
"""By so much the variance of a box's size grows with what its score is short of a full one: such boxes may show half of
somebody."""
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
        ("doubt", np.float64, 2),
        ("shirt", np.float64, 3),
        ("shirt_looks", np.int64),
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
and height of its box (px) and their variances (as shares of them), the CIE L, a, b of its shirt (NaN until that was
seen) and how often it was seen, score, proof that it is a person, looks in vain, the frame it was last measured and
last missed in, frames it was carried on for, and whether it ever left its place."""
Tracks = npt.NDArray[np.void]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Shirts = Callable[[Floats], Floats]
"""Looks at the shirts of the persons in boxes (n, 4): CIE L, a, b (n, 3), NaN where there is nothing to be seen."""


class People:
    """The persons of one camera. Frames are counted from the session's first; call `advance` once per frame, then
    `see` and `refine` with what was measured in it."""

    def __init__(self, ids: TrackletIds, frames_per_second: float) -> None:
        self._ids = ids
        self._lost = round(LOST_S * frames_per_second)
        self._between = int(MISSED_S * frames_per_second)
        self._carried_most = round(CARRIED_S * frames_per_second)
        self._pace = 25.0 / frames_per_second
        across, up = SIZE_DRIFT
        self._drift = across**2 * self._pace, up**2 * self._pace
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
        paths, acceleration = self.paths, ACCELERATION * self._pace**2
        gone = loops.walked(
            self.tracks,
            paths.place,
            paths.speed,
            paths.cov,
            frame,
            self._lost,
            UNSEEN,
            acceleration,
            DRAG,
            self._drift,
        )
        if gone:
            self._end(gone)

    @property
    def sizes(self) -> Floats:
        """Width and height (n, 2) px of every track."""
        sizes: Floats = self.tracks["size"]
        return sizes

    @property
    def boxes(self) -> Floats:
        """Boxes (n, 4) where every track is now believed to be."""
        return loops.boxes(self.tracks, self.paths.place)

    @property
    def believed(self) -> Flags:
        """Which tracks (n,) have proven themselves."""
        believed: Flags = self.tracks["id"] > 0
        return believed

    @property
    def measured_now(self) -> Rows:
        """Rows of the tracks that were measured in this frame."""
        return np.flatnonzero(self.tracks["last_frame"] == self._frame)

    def see(self, found: Detections, worth: int, looks: Sequence[Look] = (), shirts: Shirts | None = None) -> None:
        """Take in the persons that a detector found in this frame; `worth` is `NETWORK_LOOK` or `MOTION_LOOK`.

        `looks` are a network's looks that found them: whom none of them could see near enough is not missed. `shirts`
        is asked where it is not plain who goes on in which box.
        """
        sure = found.score >= SURE
        left = np.arange(len(self.tracks))
        free = np.ones(len(found.box), bool)
        for stage, least in zip((sure, ~sure), LEAST_OVERLAP, strict=True):
            candidates = np.flatnonzero(stage)
            taken, matched = self._pairs(left, found.box[candidates], least, shirts)
            self._take_boxes(left[taken], found.where(candidates[matched]), worth)
            free[candidates[matched]] = False
            left = np.delete(left, taken)
        parts, between = np.array([(*found.region, np.inf)]), 0
        if looks:
            parts, between = np.array([(*look.region, look.scale[1]) for look in looks]), self._between
        loops.missed(self.tracks, self.paths.place, left, parts, NEAR_ENOUGH_PX, self._frame, between, worth)
        self._begin(found.where(free & sure), worth)
        self._drop_doubles()

    def wear(self, rows: Rows, colours: Floats) -> None:
        """Remember the colours (n, 3) seen of these tracks' shirts, NaN where there was nothing to be seen."""
        known = ~np.isnan(colours[:, 0]) & ~_covered(self.boxes)[rows]
        rows, colours = rows[known], colours[known]
        looks = self.tracks["shirt_looks"][rows] + 1
        before = self.tracks["shirt"][rows]
        weight = 1 / np.minimum(looks, SHIRT_LOOKS)[:, None]
        self.tracks["shirt"][rows] = np.where(np.isnan(before), colours, before + weight * (colours - before))
        self.tracks["shirt_looks"][rows] = looks

    def refine(self, blobs: Blobs) -> None:
        """Correct the tracks by the blobs of this frame, where it is plain which blob belongs to whom."""
        rows, feet = feet_of_blobs(self.tracks, self.paths.place, blobs)
        if len(rows):
            self._measure(rows, feet, BLOB_ERROR, BLOB, 1.0)

    def stand(self, rows: Rows, feet: Floats) -> None:
        """Correct these tracks by where their poses say that the persons stand (n, 2) px."""
        self._measure(rows, feet, POSE_ERROR, 0)

    def carry(self, before: Plane, now: Plane, factor: int) -> None:
        """Follow by the look of the shirt whoever moves and was not measured in this frame, for a short while.

        `before` and `now` (h, w) are the luma of the last and of this frame, `factor` times smaller than the stream.
        """
        if before.shape != now.shape:
            return
        tracks, paths = self.tracks, self.paths
        rows, boxes, expected = loops.adrift(
            tracks, paths.place, paths.speed, self._frame - 1, self._carried_most, LEAST_PACE, DRAG, factor
        )
        if not len(rows):
            return
        moved = shifts(before, now, boxes, expected)
        entries = loops.carried(
            tracks, paths.place, paths.speed, paths.cov, rows, moved, self._frame, PATCH_ERROR, MOVED, DRAG, factor
        )
        self.measured.add(self._frame, *entries)

    def _pairs(self, rows: Rows, box: Floats, least: float, shirts: Shirts | None) -> tuple[Rows, Rows]:
        """Which of these tracks go on in which boxes (m, 4): by what they share, within reach, and by shirt; places in
        `rows`, and rows of `box`."""
        if not len(rows) or not len(box):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        share = loops.fits(self.tracks, self.paths.place, self.paths.cov, rows, box, WIDEN, least, STRAY, GATE)
        possible = share > 0
        if shirts:
            share -= SHIRT * self._strangeness(rows, box, share, shirts)
        taken, matched = assigned(np.where(possible, -share, IMPOSSIBLE))
        real = possible[taken, matched]
        return taken[real], matched[real]

    def _strangeness(self, rows: Rows, box: Floats, share: Floats, shirts: Shirts) -> Floats:
        """How unlike the shirts of these tracks those in the boxes (m, 4) are (n, m), where that could matter: where
        others, too, `share` (n, m) something with the track or the box."""
        strange = np.full(share.shape, UNSURE)
        asked = loops.rivalled(share)
        if len(asked):
            asked = asked[~_covered(box)[asked]]
            strange[:, asked] = unlike(self.tracks["shirt"][rows], shirts(box[asked]))
        return strange

    def _take_boxes(self, rows: Rows, found: Detections, worth: int) -> None:
        loops.resized(self.tracks, rows, found.box, found.score, SIZE_ERROR, FULL_SCORE, WEAK)
        self._measure(rows, feet_of(found.box), BOX_ERROR, worth)

    def _measure(self, rows: Rows, feet: Floats, error: float, worth: int, more: float = 0.0) -> None:
        """Take in the foot points (n, 2) of these rows, with an `error` in heights and `more` variance in px²."""
        tracks, paths = self.tracks, self.paths
        proven, entries = loops.stood(
            tracks, paths.place, paths.speed, paths.cov, rows, feet, self._frame, error, more, MOVED, worth, PROBATION
        )
        self.measured.add(self._frame, *entries)
        for row in proven:
            tracks["id"][row] = next(self._ids)

    def _begin(self, found: Detections, worth: int) -> None:
        if len(self.tracks) and len(found.box):
            found = found.where(overlap(found.box, self.boxes).max(axis=1) < 0.5)
        if not len(found.box):
            return
        place = feet_of(found.box)
        born = np.zeros(len(place), TRACK)
        born["number"] = [next(self._numbers) for _ in place]
        born["born"] = born["last_frame"] = self._frame
        born["missed_frame"] = self._frame - self._between
        born["start"], born["size"] = place, found.box[:, 2:] - found.box[:, :2]
        born["doubt"], born["shirt"] = np.square(SIZE_DOUBT), np.nan
        born["score"], born["evidence"] = found.score, worth
        tall = born["size"][:, 1]
        variance = (BOX_ERROR * tall) ** 2
        self.paths.add(place, variance, (0.08 * self._pace * tall) ** 2)
        self.measured.add(self._frame, born["number"], place, variance, born["size"], born["score"])
        self.tracks = np.concatenate([self.tracks, born])

    def _drop_doubles(self) -> None:
        """End who is somebody else: whoever was not seen for longer, else the younger."""
        gone = loops.doubles(self.tracks, self.paths.place, SAME)
        if gone:
            self._end(gone)

    def _end(self, gone: list[int]) -> None:
        kept = np.ones(len(self.tracks), bool)
        kept[gone] = False
        self.over = np.concatenate([self.over, self.tracks[~kept & self.believed]])
        self.tracks = self.tracks[kept]
        self.paths.keep(kept)


def feet_of(boxes: Floats) -> Floats:
    """The middles (n, 2) of the lower edges of boxes (n, 4)."""
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)


def box_at(foot: Floats, size: Floats) -> Floats:
    """Boxes (n, 4) of the sizes (n, 2) that stand on the foot points (n, 2)."""
    return np.concatenate([foot - size * (0.5, 1.0), foot + size * (0.5, 0.0)], axis=1)


def _covered(boxes: Floats) -> Flags:
    """Before whose torso somebody stands who is nearer: the shirt seen there may be his."""
    return loops.hidden(boxes, TORSO[1], TORSO[3], COVERED)
