"""What all detectors that run a network have in common: looks are given to them, and what they hand on."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.detect.blob_loops import whole_ones
from edge.detect.detector import Detections, Detector, Floats, without_doubles
from edge.detect.looks import Look, Part
from edge.frame import Frame
from wire.tracks import Kind

KINDS = (Kind.PERSON, Kind.BALL)
FLOORS = (0.15, 0.12)
"""Scores below which a person, a ball is not worth handing on: the tracker wants weak persons for its second stage."""
DOUBLE = 0.55
"""Overlap above which two boxes are the same person (NMS)."""
PART = 0.8
"""Share of a box that lies within a larger one from where on it may be a part of the same person …"""
CUT = 0.25
"""… if it ends so near, in its own heights, to an edge of the look that found it."""
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
    seen = float(look.width), float(look.height)
    rows = without_doubles(box, score, DOUBLE, kind)
    whole, home = whole_ones(box[rows], look.region, (width, height), seen, EDGE_PX)
    rows = rows[whole]
    return Detections(home, score[rows], kind[rows], look.region)


def merged(found: Sequence[Detections]) -> Detections:
    """What several looks at one frame found, each thing once: strongest first, in the region around them all.

    Of what two looks see the surer box stays; a part of a person, cut by a tile's edge, gives way to the whole.
    """
    box = np.concatenate([part.box for part in found])
    score = np.concatenate([part.score for part in found])
    kind = np.concatenate([part.kind for part in found])
    look = np.repeat(np.arange(len(found)), [len(part.box) for part in found])
    regions = np.array([part.region for part in found], np.float64)
    whole = ~_parts(box, look, regions[look]) | (kind != Kind.PERSON)
    rows = np.flatnonzero(whole)
    kept = rows[without_doubles(box[rows], score[rows], DOUBLE, kind[rows])]
    low, high = regions[:, :2].min(axis=0), regions[:, 2:].max(axis=0)
    around = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return Detections(box[kept], score[kept], kind[kept], around)


def _parts(box: Floats, look: npt.NDArray[np.int64], region: Floats) -> npt.NDArray[np.bool_]:
    """Which boxes end at an edge of their own look's region and lie in a larger one that another look found."""
    size = box[:, 2:] - box[:, :2]
    reach = CUT * size[:, 1:]
    at_edge = ((box[:, :2] - region[:, :2] < reach) | (region[:, 2:] - box[:, 2:] < reach)).any(axis=1)
    low = np.maximum(box[:, None, :2], box[None, :, :2])
    high = np.minimum(box[:, None, 2:], box[None, :, 2:])
    area = size.prod(axis=1)
    inside = np.maximum(high - low, 0).prod(axis=2) > PART * area[:, None]
    larger = (area[None] > area[:, None]) & (look[None] != look[:, None])
    cut: npt.NDArray[np.bool_] = at_edge & (inside & larger).any(axis=1)
    return cut
