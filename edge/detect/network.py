"""What all detectors that run a network have in common: looks are given to them, and what they hand on."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Detections, Detector, Floats, without_doubles
from edge.detect.looks import Look, Part
from edge.frame import Frame
from wire.tracks import Kind

KINDS = (Kind.PERSON, Kind.BALL)
FLOORS = (0.15, 0.12)
"""Scores below which a person, a ball is not worth handing on: the tracker wants weak persons for its second stage."""
DOUBLE = 0.55
"""Overlap above which two boxes are the same person (NMS)."""
EDGE_PX = 2.0
"""A box that comes so near to an edge of the region, inside the picture, is cut there."""


class NetworkDetector(Detector, Protocol):
    """A detector that can be told where to look. One look is one pass of its network, and all passes cost about the
    same, so that they can be counted."""

    def fit(self, region: Part) -> Look:
        """How this detector looks at a part of the picture: as closely as one pass allows."""

    def look_at(self, frame: Frame, looks: Sequence[Look]) -> list[Detections]:
        """What each look finds, in their order; several may be under way at once, so give all that are due."""


def brought_home(
    look: Look, box: Floats, score: Floats, kind: npt.NDArray[np.int64], width: int, height: int
) -> Detections:
    """What the network found in a look, boxes (n, 4) in its pixels, as detections in a picture of this size.

    Strongest first, without doubles, and without what an edge of the look cuts that is not the picture's own edge.
    """
    rows = np.concatenate(
        [np.flatnonzero(kind == k)[without_doubles(box[kind == k], score[kind == k], DOUBLE)] for k in KINDS]
    )
    rows = rows[np.argsort(-score[rows], kind="stable")]
    x0, y0, x1, y1 = look.region
    box = np.clip(box[rows], 0, (look.width, look.height, look.width, look.height))
    box = box / np.tile(look.scale, 2) + (x0, y0, x0, y0)
    low = (box[:, :2] > (x0 + EDGE_PX, y0 + EDGE_PX)) | (np.array([x0, y0]) == 0)
    high = (box[:, 2:] < (x1 - EDGE_PX, y1 - EDGE_PX)) | (np.array([x1, y1]) == (width, height))
    found = Detections(box, score[rows], kind[rows], (x0, y0, x1, y1))
    return found.where((low & high).all(axis=1))
