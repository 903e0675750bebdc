"""Which persons are asked for their pose, and when: the few near the ball, within a stated number of crops a second."""

from collections.abc import Sequence

import numpy as np

from edge.detect.detector import Floats
from edge.frame import Frame
from edge.pose.pose import Pose, PoseDetector

NEAR = 2.0
"""How many of his own heights a person may be away from a ball."""
MOST = 4
"""Crops of one frame, at most."""


class NearTheBall:
    """Asks `detector` about `crops_per_second` persons near the ball, those first who were asked about longest ago, and
    together as many as it takes for the price of one."""

    def __init__(self, detector: PoseDetector, crops_per_second: float, frames_per_second: float) -> None:
        self._detector = detector
        self._earned = crops_per_second / frames_per_second
        self._credit = 0.0
        self._frame = 0
        self._asked: dict[int, int] = {}

    def ask(self, frame: Frame, ids: Sequence[int], boxes: Floats, balls: Floats) -> list[tuple[int, Pose]]:
        """Rows of `boxes` (n, 4) and the poses of who is asked about in this frame; call it for every frame.

        `ids` are the persons' tracklets, 0 for who is not believed yet; `balls` (m, 4) what may be the ball.
        """
        self._frame += 1
        self._credit = min(MOST, self._credit + self._earned)
        if self._credit < 1 or not len(balls) or not len(boxes):
            return []
        tall = boxes[:, 3] - boxes[:, 1]
        foot = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
        ball = np.stack([(balls[:, 0] + balls[:, 2]) / 2, balls[:, 3]], axis=1)
        away = np.linalg.norm(foot[:, None] - ball[None], axis=2).min(axis=1) / tall
        near = [row for row in np.flatnonzero(away < NEAR).tolist() if ids[row]]
        near.sort(key=lambda row: (self._asked.get(ids[row], -1), away[row]))
        rows = near[: int(self._credit)]
        if not rows or len(rows) < min(len(near), self._detector.at_once):
            return []
        self._credit -= len(rows)
        self._asked = {i: k for i, k in self._asked.items() if i in ids} | {ids[row]: self._frame for row in rows}
        return list(zip(rows, self._detector.poses(frame, boxes[rows]), strict=True))
