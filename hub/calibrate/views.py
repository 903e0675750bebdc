"""What calibration looks at: one still picture per camera with the people taken out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.errors import ViewsDoNotFit
from wire.ids import NodeId

Picture = npt.NDArray[np.uint8]


class View(NamedTuple):
    """A node's picture (h, w, 3) BGR and, where its lens is known, the nominal horizontal field of view in degrees."""

    node: NodeId
    picture: Picture
    nominal_fov_deg: float | None = None


def background(frames: Sequence[Picture]) -> Picture:
    """The median over time of pictures (h, w, 3): what stays when people move. Some 9 to 25 frames over a few seconds
    do; raises `ViewsDoNotFit` when there is none or they differ in size."""
    if not frames:
        raise ViewsDoNotFit("there is no frame to make a background picture from")
    if len({frame.shape for frame in frames}) > 1:
        raise ViewsDoNotFit("the frames of one camera differ in size")
    out = np.empty_like(frames[0])
    rows = 64
    for top in range(0, out.shape[0], rows):
        band = np.stack([frame[top : top + rows] for frame in frames])
        middle = len(frames) // 2
        out[top : top + rows] = np.partition(band, middle, axis=0)[middle]
    return out
