"""The one interface of every detector, and what it hands on."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.detect.blob_loops import apart, shared
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

    def where(self, rows: npt.NDArray[np.bool_ | np.intp]) -> "Detections":
        """Only the detections of these rows, marked or counted."""
        return Detections(self.box[rows], self.score[rows], self.kind[rows], self.region)


class Detector(Protocol):
    """Finds persons and balls in the frames of one camera, which all have the same size and come in order.

    A detector may look at a part of the frame and may learn from the frames before. Boxes lie inside the picture.
    """

    name: str

    def detect(self, frame: Frame) -> Detections:
        """What is in this frame, strongest first."""


def middles(box: Floats) -> Floats:
    """Centres (n, 2) of boxes (n, 4)."""
    centre: Floats = (box[:, :2] + box[:, 2:]) / 2
    return centre


def overlap(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m)."""
    return shared(a, b)


def without_doubles(
    box: Floats, score: Floats, limit: float, kind: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.intp]:
    """Rows that remain, strongest first, when boxes (n, 4) overlapping a stronger one, of the same `kind` (n,) where
    that is given, by more than `limit` are dropped."""
    return apart(box, score, limit, kind)
