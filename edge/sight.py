"""What the node's eyes (detector and tracker) hand to the recorder: the agreement between the two halves of a node."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.errors import EdgeError
from edge.frame import Frame
from wire.tracks import Tracklet


@dataclass(frozen=True)
class SegmentSight:
    """What was seen in one segment, in the terms of `wire.tracks.SegmentTracks`.

    One row per detection: `frame` (m,) index of the frame within the segment, from 0; `tracklet` (m,) id that is one of
    `tracklets`; `box` (m, 4) x0, y0, x1, y1 in pixels of the frame; `score` (m,) 0..1. `passes` is how often a network
    was asked for it.
    """

    tracklets: tuple[Tracklet, ...]
    frame: npt.NDArray[np.int64]
    tracklet: npt.NDArray[np.int64]
    box: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    passes: int = 0

    @classmethod
    def empty(cls) -> "SegmentSight":
        """The sight of eyes that saw nothing."""
        none = np.zeros(0, np.int64)
        return cls((), none, none, np.zeros((0, 4)), np.zeros(0))


class Eyes(Protocol):
    """Detector and tracker of one session; called from one thread, frame by frame, and free to hold on to a frame."""

    name: str
    """The detector's name, as it stands in `NodeStatus.detector` and in every `.tracks` file."""

    @property
    def impaired(self) -> str | None:
        """Why less is seen than could be, while that is so: somebody may be able to help."""

    def look(self, frame: Frame) -> None:
        """Take in the next frame; every frame of the session comes, in order."""

    def close_segment(self, sequence: int) -> SegmentSight:
        """What was seen since the last call, which is the segment `sequence`; its first frame counts as 0."""


class NoEyes:
    """The eyes of a session whose detector could not be made, for the reason `why`: it is recorded all the same."""

    name = "none"
    impaired: str | None = None

    def __init__(self, why: str) -> None:
        self._why = why

    def look(self, frame: Frame) -> None:
        """Say why there is nothing to be seen; raises `EdgeError`."""
        raise EdgeError(f"{self._why}: recorded without a detector")

    def close_segment(self, sequence: int) -> SegmentSight:
        """Have seen nothing."""
        return SegmentSight.empty()
