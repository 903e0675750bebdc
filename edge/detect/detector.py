"""The one interface of every detector, and what it hands on."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.frame import Frame
from wire.tracks import Kind

Floats = npt.NDArray[np.float64]
Region = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the main stream."""


@dataclass(frozen=True)
class Detections:
    """What one look at a picture found inside `region`.

    `box` (n, 4) x0, y0, x1, y1 in pixels of the main stream, `score` (n,) 0..1, `kind` (n,) of `wire.tracks.Kind`.
    Outside the region nothing was looked for.
    """

    box: Floats
    score: Floats
    kind: npt.NDArray[np.int64]
    region: Region

    def of(self, kind: Kind) -> "Detections":
        """Only the detections of one kind."""
        return self.where(self.kind == kind)

    def where(self, rows: npt.NDArray[np.bool_]) -> "Detections":
        """Only the detections of these rows (n,)."""
        return Detections(self.box[rows], self.score[rows], self.kind[rows], self.region)


class Detector(Protocol):
    """Finds persons and balls in the frames of one camera, which all have the same size and come in order.

    A detector may look at a part of the frame and may learn from the frames before. Boxes lie inside the picture.
    """

    name: str

    def detect(self, frame: Frame) -> Detections:
        """What is in this frame, strongest first."""


def overlap(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common: Floats = np.prod(np.maximum(high - low, 0.0), axis=2)
    areas = [np.prod(np.maximum(x[:, 2:] - x[:, :2], 0.0), axis=1) for x in (a, b)]
    shared: Floats = common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9)
    return shared


def without_doubles(box: Floats, score: Floats, limit: float) -> npt.NDArray[np.intp]:
    """Rows that remain, strongest first, when boxes overlapping a stronger one by more than `limit` are dropped."""
    order = np.argsort(-score, kind="stable")
    shared = overlap(box[order], box[order]) > limit
    kept = np.ones(len(order), bool)
    for row in range(len(order)):
        if kept[row]:
            kept[row + 1 :] &= ~shared[row, row + 1 :]
    return order[kept]
