"""The detector that looks through the chip."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge.detect.detector import Detections
from edge.detect.hailo.chip import SIDE, Chip
from edge.detect.looks import Look, Part, uniform
from edge.detect.network import FLOORS, KINDS, brought_home, merged
from edge.detect.picture import Picture, small_rgb
from edge.frame import Frame

NETWORK = "yolov8s"
CLASSES = (0, 32)
"""Person and sports ball among the 80 classes of COCO, as `KINDS` has them."""
GREY = 114
"""What fills the square beside the part looked at: what the network was trained with."""


class HailoDetector:
    """yolov8s on squares of the picture; the chip is opened at the first look."""

    name = "hailo"

    def __init__(self, width: int, height: int, chip: Chip) -> None:
        self._chip = chip
        self._size = (width, height)

    def detect(self, frame: Frame) -> Detections:
        """What is found in the whole view and in the tiles that cover it."""
        return merged(self.look_at(frame, uniform(*self._size, self.fit)))

    def fit(self, region: Part) -> Look:
        """A look that fills the network's square in one direction."""
        x0, y0, x1, y1 = region
        scale = SIDE / max(x1 - x0, y1 - y0)
        width, height = (max(2, round(side * scale / 2) * 2) for side in (x1 - x0, y1 - y0))
        return Look(region, width, height)

    def look_at(self, frame: Frame, looks: Sequence[Look]) -> list[Detections]:
        """What is found in each of these parts of the frame; the chip works on one while the next is prepared.

        Raises `ChipFault` or `WrongWeights`; the next call then opens the chip anew.
        """

        def paint(look: Look, square: Picture) -> None:
            letterbox(frame, look, square)

        return self._chip.network(NETWORK).run(looks, paint, self._found)

    def _found(self, look: Look, outputs: list[Any]) -> Detections:
        [by_class] = outputs
        # One array (n, 5) per class: y0, x0, y1, x1 as shares of the square, and the score.
        rows = [by_class[number][by_class[number][:, 4] > floor] for number, floor in zip(CLASSES, FLOORS, strict=True)]
        kind = np.repeat(np.array(KINDS, np.int64), [len(part) for part in rows])
        together = np.concatenate(rows, dtype=np.float64)
        box = together[:, [1, 0, 3, 2]] * SIDE
        # What lies on the grey alone is nothing.
        inside = (box[:, :2] < (look.width, look.height)).all(axis=1)
        return brought_home(look, box[inside], together[inside, 4], kind[inside], *self._size)


def letterbox(frame: Frame, look: Look, square: Picture) -> None:
    """Paint a part of the frame in RGB into the upper left of `square` (h, w, 3), at the look's size, on grey."""
    square[look.height :] = GREY
    square[: look.height, look.width :] = GREY
    square[: look.height, : look.width] = small_rgb(frame.planes, look.region, look.width, look.height)
