"""The `motion` driver: what moves in front of a fixed camera, without any weights."""

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.background import Background
from edge.detect.blobs import BlobFinder, Blobs
from edge.detect.detector import Detections, Floats
from edge.detect.picture import Plane, planes_of
from edge.detect.stature import BALL_SHARE, Stature
from edge.frame import Frame
from wire.tracks import Kind

PERSON_SCORE = 0.5
FLOOD = 0.25
"""More of the picture than this does not move by itself: the camera was pushed, or the light changed."""
LEAST_BALL = 0.6
"""Least size of a ball relative to one on the ground there: one in the air is nearer than the ground behind it."""
FLIGHT = 0.25
"""How far above the spot it flies over a ball may be, as a share of the picture's height."""
SWARM = 6
SWARM_REACH = 0.03
"""More than so many blobs within a person's height, or this share of the picture's width, are no balls."""
MOST_BALLS = 24
"""Ball candidates of one frame that are handed on, strongest first."""


class MotionDetector:
    """Persons and ball candidates among the blobs of a background model; meant to run on every frame.

    How tall a person is at a row of the picture comes from `stature`. It learns that from its own upright blobs when it
    works `alone`; otherwise somebody who knows better teaches it.
    """

    name = "motion"

    def __init__(self, width: int, height: int, frames_per_second: float) -> None:
        self.background = Background(width, height, frames_per_second)
        self._finder = BlobFinder(self.background.size)
        self.stature = Stature(height)
        self.blobs = Blobs.none()
        self.moving: Plane = np.zeros((0, 0), np.uint8)
        """Where the last frame differs from the empty scene, 255 or 0, `background.factor` times smaller than the main
        stream; empty while nothing can be told."""
        self.luma: Plane = np.zeros((0, 0), np.uint8)
        """The last frame's luma, `background.factor` times smaller than the main stream."""
        self.kept: Floats = np.zeros((0, 4))
        """Boxes (n, 4) of what is known to stand in front: it does not become background."""
        self._width, self._height = width, height
        self.alone = True

    def detect(self, frame: Frame) -> Detections:
        """Person-sized and ball-sized blobs; `blobs` then holds all of them."""
        foreground = self.background.look(frame.planes, self.kept, frame.detect)
        self.luma = foreground.luma
        told = self.background.warm and cv2.countNonZero(foreground.mask) <= FLOOD * foreground.mask.size
        self.blobs = self._finder.blobs(foreground) if told else Blobs.none()
        self.moving = foreground.mask if told else np.zeros((0, 0), np.uint8)
        persons, balls = self._persons(), self._balls()
        if self.alone:
            self._learn(self.blobs.box[persons])
        box = np.concatenate([self.blobs.box[persons], self.blobs.box[balls]])
        score = np.concatenate([np.full(len(persons), PERSON_SCORE), self._whiteness(balls)])
        kind = np.repeat(np.array([Kind.PERSON, Kind.BALL], np.int64), [len(persons), len(balls)])
        order = np.argsort(-score, kind="stable")
        region = (0.0, 0.0, float(self._width), float(self._height))
        box = np.clip(box, 0, (self._width, self._height, self._width, self._height))
        return Detections(box[order], score[order], kind[order], region)

    def front(self, frame: Frame, place: Floats, reach: float) -> tuple[Plane, Floats]:
        """Levels of luma above the empty scene around `place` (2,), at full resolution, and the window's corner (2,) in
        the main stream; an empty window where there is no such place, or nothing is known yet."""
        if not self.background.warm:
            return np.zeros((0, 0), np.uint8), np.zeros(2)
        grid = self.background.factor
        wide, high = (side * grid for side in self.background.size)
        low, most = place - reach, place + reach
        x0, y0 = (max(0, int(v) // grid * grid) for v in low)
        x1, y1 = min(wide, -(int(-most[0]) // grid) * grid), min(high, -(int(-most[1]) // grid) * grid)
        if x1 <= x0 or y1 <= y0:
            return np.zeros((0, 0), np.uint8), np.zeros(2)
        return self.background.front(planes_of(frame.planes)[0], (x0, y0, x1, y1)), np.array([x0, y0], np.float64)

    def differs(self, box: Floats) -> npt.NDArray[np.bool_]:
        """In which of the boxes (n, 4) anything differs from the empty scene; in all of them while nobody can tell."""
        if not self.moving.size:
            return np.ones(len(box), bool)
        corners = (box / self.background.factor).astype(int).tolist()
        return np.array([bool(self.moving[y0 : y1 + 1, x0 : x1 + 1].any()) for x0, y0, x1, y1 in corners], bool)

    def _persons(self) -> npt.NDArray[np.intp]:
        box = self.blobs.box
        width, height = (box[:, 2:] - box[:, :2]).T
        tall = self.stature.at(box[:, 3])
        fill = self.blobs.area / np.maximum(width * height, 1)
        least, most = self.stature.spread
        fits = (height > least * tall) & (height < most * tall) & (width < 1.1 * height) & (width > 0.12 * height)
        return np.flatnonzero(fits & (fill > 0.25))

    def _learn(self, box: Floats) -> None:
        """Blobs that are upright and whole are most likely one person each."""
        width, height = (box[:, 2:] - box[:, :2]).T
        inside = (box[:, 3] < self._height - 2) & (box[:, 1] > 2)
        self.stature.learn(box[inside & (height > 1.6 * width) & (height < 5 * width)])

    def _balls(self) -> npt.NDArray[np.intp]:
        """Small, compact and brighter than what is behind. A ball in the air is above the spot it flies over, so it may
        look as large as one on the ground further down; a fast one is drawn out along its way."""
        box = self.blobs.box
        sides = np.sort(box[:, 2:] - box[:, :2], axis=1)
        expected = BALL_SHARE * self.stature.at(box[:, 3] + FLIGHT * self._height)
        pixel = float(self.background.factor)
        small = (sides[:, 0] < 1.6 * expected + 2 * pixel) & (sides[:, 1] < 4.0 * expected + 2 * pixel)
        big = sides[:, 0] > LEAST_BALL * BALL_SHARE * self.stature.at(box[:, 3])
        fill = self.blobs.area / np.maximum(sides.prod(axis=1), 1)
        rows = np.flatnonzero(small & big & (fill > 0.4) & (self.blobs.bright > 12))
        rows = rows[self._lonely(rows)]
        return rows[np.argsort(-self._whiteness(rows), kind="stable")][:MOST_BALLS]

    def _lonely(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Which of these blobs have few others around: leaves in the wind and a net that shakes come in swarms."""
        centre = self.blobs.centre
        reach = np.maximum(self.stature.at(self.blobs.box[rows, 3]), SWARM_REACH * self._width)
        off = np.abs(centre[rows, None] - centre[None]).max(axis=2)
        alone: npt.NDArray[np.bool_] = (off < reach[:, None]).sum(axis=1) <= SWARM
        return alone

    def _whiteness(self, rows: npt.NDArray[np.intp]) -> Floats:
        """0.1 to 0.6: the brighter against the grass, the likelier a ball."""
        score: Floats = np.clip(self.blobs.bright[rows] / 160, 0.1, 0.6)
        return score
