"""The one interface of every pose driver, and what a pose says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge.detect.detector import Floats
from edge.frame import Frame

POINTS = 17
"""Nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles, left before right: COCO's order."""
SHOULDERS, HIPS, ANKLES = slice(5, 7), slice(11, 13), slice(15, 17)
SURE = 0.3
"""Score from which on a point is believed."""
SOLE = 0.06
"""How far the ground is below the ankle of a standing foot, as a share of a person's height: 8 cm and 2.5 of sole."""


@dataclass(frozen=True)
class Pose:
    """One person: `point` (17, 2) px of the main stream, `score` (17,) 0..1, `box` (4,) the box asked about."""

    point: Floats
    score: Floats
    box: Floats

    @property
    def foot(self) -> Floats | None:
        """Where the lower foot touches the ground (2,) px; None unless both ankles are sure: the one that is not seen
        may be the one that stands."""
        if self.score[ANKLES].min() < SURE:
            return None
        ankles = self.point[ANKLES]
        x, y = ankles[np.argmax(ankles[:, 1])]
        return np.array([x, y + SOLE * (self.box[3] - self.box[1])])

    @property
    def stance(self) -> Floats | None:
        """Where the person stands (2,) px: on the ground that the lower foot touches, below the middle of the hips."""
        foot = self.foot
        if foot is None or self.score[HIPS].min() < SURE:
            return None
        return np.array([self.point[HIPS, 0].mean(), foot[1]])

    @property
    def torso(self) -> Floats | None:
        """Left shoulder, right shoulder, right hip, left hip (4, 2) px; None unless all are sure.

        The part of the picture that shows the shirt. The node's own colours come from boxes, which everybody has, and
        were no better by this."""
        if min(self.score[SHOULDERS].min(), self.score[HIPS].min()) < SURE:
            return None
        quad: Floats = np.concatenate([self.point[SHOULDERS], self.point[HIPS][::-1]])
        return quad


class PoseDetector(Protocol):
    """Finds the poses of persons whose boxes are known; asked only about the few who matter."""

    name: str
    at_once: int
    """So many persons cost as much as one."""

    def poses(self, frame: Frame, boxes: Floats) -> Sequence[Pose]:
        """The poses of the persons in these boxes (n, 4) px of the main stream, in their order."""
