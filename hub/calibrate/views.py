"""What calibration looks at: one still picture per camera with the people taken out."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from hub.calibrate.lenses import LensProfile
from hub.errors import ViewsDoNotFit
from hub.picture import Picture as Frame
from hub.picture import Plane
from wire.ids import NodeId
from wire.rig import Lens

Picture = npt.NDArray[np.uint8]

_ROWS = 64
"""Rows handled at a time: the stack of all frames need not exist at once."""


class View(NamedTuple):
    """A node's picture (h, w, 3) BGR and what is known of its lens: the horizontal field of view that its maker states,
    in degrees, or a profile that was measured."""

    node: NodeId
    picture: Picture
    lens: float | LensProfile | None = None

    @property
    def nominal_fov_deg(self) -> float | None:
        """The stated field of view; None where nothing is known, or more."""
        return None if isinstance(self.lens, LensProfile) else self.lens

    @property
    def measured(self) -> Lens | None:
        """The lens by its profile, for this picture; raises `LensUnknown` for one of another shape."""
        height, width = self.picture.shape[:2]
        return self.lens.at(width, height) if isinstance(self.lens, LensProfile) else None


def background(frames: Sequence[Frame]) -> Picture:
    """The picture (h, w, 3) BGR that stays when people move: the median over time of the frames' planes.

    Some 9 to 25 frames spread over a few seconds do. Raises `ViewsDoNotFit` when there is none or they differ in size.
    """
    if not frames:
        raise ViewsDoNotFit("there is no frame to make a background picture from")
    if len({frame.luma.shape for frame in frames}) > 1:
        raise ViewsDoNotFit("the frames of one camera differ in size")
    return coloured(Frame(*(_median(planes) for planes in zip(*frames, strict=True))))


def coloured(frame: Frame) -> Picture:
    """A frame as a picture (h, w, 3) BGR."""
    planes = np.concatenate([plane.ravel() for plane in frame])
    stacked = planes.reshape(frame.height_px * 3 // 2, frame.width_px)
    return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2BGR_I420), np.uint8)


def _median(planes: Sequence[Plane]) -> Plane:
    """Of each pixel over time."""
    out = np.empty(planes[0].shape, np.uint8)
    middle = len(planes) // 2
    for top in range(0, len(out), _ROWS):
        band = np.stack([plane[top : top + _ROWS] for plane in planes])
        out[top : top + _ROWS] = np.partition(band, middle, axis=0)[middle]
    return out
