"""What the loops of `spot_loops.pyx` are for; set-up compiles them."""

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.detect.picture import Plane

def spots(
    luma: Plane,
    behind: Plane,
    factor: int,
    sway: Floats,
    wanted: Floats,
    discs: list[npt.NDArray[np.float32]],
    distance: float,
    alike: float,
    drop: float,
    contrast: float,
) -> Floats:
    """What `edge.track.spot.spots` says. Each of the `discs` (n of side, side; odd, 0 around it) is laid everywhere in
    the window around its place, which shows by how much luma is brighter than what lies `behind` it.

    A place counts by its correlation, less what is `distance` at the window's edges and grows as the square of the way
    from where it should be. A spot is at least so much `alike`, and more so by `drop` than half a diameter further, on
    one side of each line through it; its middle half is on average brighter by `contrast`.
    """
