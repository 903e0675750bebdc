"""The `motion` driver: what moves in front of a fixed camera, without any weights."""

import numpy as np
import numpy.typing as npt

from edge.detect.background import Background, Front
from edge.detect.blob_loops import round_ones, upright
from edge.detect.blobs import BlobFinder, Blobs
from edge.detect.detector import Detections, Floats
from edge.detect.picture import Plane
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
        self.sway: Floats = np.zeros(2)
        """How far (2,) right and down the last frame was pushed, in the main stream: it is taken back in all that is
        found here."""
        self.kept: Floats = np.zeros((0, 4))
        """Boxes (n, 4) of what is known to stand in front: it does not become background. Nobody asks for them but when
        the `background` learns."""
        self._width, self._height = width, height
        self._region = (0.0, 0.0, float(width), float(height))
        self._corner = np.array([width, height, width, height], np.float64)
        self.alone = True

    def detect(self, frame: Frame) -> Detections:
        """Person-sized and ball-sized blobs; `blobs` then holds all of them."""
        self.watch(frame)
        persons = self.blobs.box[self._persons()]
        balls = self.balls()
        if self.alone:
            self._learn(persons)
        box = np.concatenate([self._inside(persons), balls.box])
        score = np.concatenate([np.full(len(persons), PERSON_SCORE), balls.score])
        kind = np.repeat(np.array([Kind.PERSON, Kind.BALL], np.int64), [len(persons), len(balls.box)])
        order = np.argsort(-score, kind="stable")
        return Detections(box[order], score[order], kind[order], self._region)

    def watch(self, frame: Frame) -> None:
        """Take in the next frame, and find its `blobs`, whatever they are."""
        foreground = self.background.look(frame.planes, self.kept, frame.detect)
        self.luma, self.sway = foreground.luma, foreground.sway
        blobs = self._finder.blobs(foreground, FLOOD) if self.background.warm else None
        self.blobs = Blobs.none() if blobs is None else blobs
        self.moving = np.zeros((0, 0), np.uint8) if blobs is None else foreground.mask

    def balls(self) -> Detections:
        """The blobs of the last frame that may be balls, whitest first: small, compact and brighter than what is
        behind. A ball in the air is above the spot it flies over, so it may look as large as one on the ground further
        down; a fast one is drawn out along its way."""
        blobs = self.blobs
        rows = round_ones(
            blobs.box,
            blobs.centre,
            blobs.area,
            blobs.bright,
            self.stature.line,
            LEAST_BALL * BALL_SHARE,
            BALL_SHARE,
            FLIGHT * self._height,
            self.background.factor,
            SWARM_REACH * self._width,
            SWARM,
            MOST_BALLS,
        )
        kind = np.full(len(rows), int(Kind.BALL), np.int64)
        return Detections(self._inside(blobs.box[rows]), _whiteness(blobs.bright[rows]), kind, self._region)

    def _inside(self, box: Floats) -> Floats:
        inside: Floats = np.minimum(np.maximum(box, 0), self._corner)
        return inside

    def front(self, frame: Frame) -> Front | None:
        """What stands out in the last frame, at full resolution; None while nobody can tell."""
        if not self.background.warm:
            return None
        luma = frame.planes[: self._height]  # `planes_of` would make views of chroma, too
        return self.background.front(luma, self.sway)

    def differs(self, box: Floats) -> npt.NDArray[np.bool_]:
        """In which of the boxes (n, 4) anything differs from the empty scene; in all of them while nobody can tell."""
        if not self.moving.size:
            return np.ones(len(box), bool)
        corners = np.maximum(box / self.background.factor, 0).astype(int).tolist()
        return np.array([bool(self.moving[y0 : y1 + 1, x0 : x1 + 1].any()) for x0, y0, x1, y1 in corners], bool)

    def _persons(self) -> npt.NDArray[np.intp]:
        blobs = self.blobs
        return np.flatnonzero(upright(blobs.box, blobs.area, self.stature.at(blobs.box[:, 3]), *self.stature.spread))

    def _learn(self, box: Floats) -> None:
        """Blobs that are upright and whole are most likely one person each."""
        width, height = (box[:, 2:] - box[:, :2]).T
        inside = (box[:, 3] < self._height - 2) & (box[:, 1] > 2)
        self.stature.learn(box[inside & (height > 1.6 * width) & (height < 5 * width)])


def _whiteness(bright: Floats) -> Floats:
    """0.1 to 0.6: the brighter against the grass, the likelier a ball."""
    score: Floats = np.minimum(np.maximum(bright / 160, 0.1), 0.6)
    return score
