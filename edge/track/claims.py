"""Which moving blobs belong to which person, where that is plain to see."""

import numpy as np
import numpy.typing as npt

from edge.detect.blobs import Blobs
from edge.detect.detector import Floats
from edge.track import loops

Rows = npt.NDArray[np.intp]
WIDEN = 0.15
"""A blob may belong to whose box, this share wider to every side, holds its centre …"""
COVERED = 0.3
"""… or whose box it covers more than this share of."""
TALL = 0.35
"""A blob that several claim and that is taller than this share of one of them hides where he ends."""
TINY = 0.03
"""A blob of less than this share of a box, and just outside it, is a ball at the feet or a shadow's edge."""
WHOLE_HEIGHT = (0.65, 1.3)
WHOLE_WIDTH = (0.3, 1.9)
"""Together a person's blobs are between these shares of the box high and wide, or they are not the whole person."""


def feet_of_blobs(persons: npt.NDArray[np.void], place: Floats, blobs: Blobs) -> tuple[Rows, Floats]:
    """Of which `persons` (`edge.track.people.TRACK`, n), believed to stand at the `place` (n, 2), the blobs that are
    theirs alone tell where they stand: rows (k,), and the places (k, 2)."""
    limits = (WIDEN, COVERED, TALL, TINY, WHOLE_HEIGHT, WHOLE_WIDTH)
    return loops.feet_of_blobs(persons, place, blobs.box, blobs.centre, blobs.area, *limits)
