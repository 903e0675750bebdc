"""The `onnx` pose driver: MoveNet Lightning run by onnxruntime on the processor."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from edge.detect.detector import Floats
from edge.errors import WrongWeights
from edge.frame import Frame
from edge.models import MOVENET
from edge.pose.crop import Crop
from edge.pose.pose import POINTS, Pose

SIDE, CELLS = 192, 48
SOFTNESS = 1.8
"""Cells by which a point's score counts half as much away from where the person's middle expects it."""
HEADS = ("heat", "centre", "reach", "offset")
Maps = npt.NDArray[np.float32]


class OnnxPose:
    """One crop after the other, on one thread. Raises `WrongWeights` when the model cannot be loaded."""

    name = "onnx"
    at_once = 1

    def __init__(self, model: Path = MOVENET) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as fault:  # onnxruntime's own exceptions share no public base
            raise WrongWeights(f"the pose model {model.name} cannot be loaded: {fault}") from fault

    def poses(self, frame: Frame, boxes: Floats) -> list[Pose]:
        """The poses of the persons in these boxes (n, 4)."""
        return [self._pose(frame, box) for box in boxes]

    def _pose(self, frame: Frame, box: Floats) -> Pose:
        crop = Crop.around(box)
        square = np.empty((SIDE, SIDE, 3), np.uint8)
        crop.paint(frame.planes, square)
        point, score = self.find(square)
        return Pose(crop.home(point), score, box)

    def find(self, square: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Points (17, 2), as shares x, y of the square (192, 192, 3) RGB, and their scores (17,)."""
        heads: list[Any] = self._session.run(list(HEADS), {"crops": square[None]})
        return decode(*(head[0] for head in heads))


def decode(heat: Maps, centre: Maps, reach: Maps, offset: Maps) -> tuple[Floats, Floats]:
    """Points (17, 2), as shares x, y of the crop, and scores (17,) from the four heads of one crop, (channels, 48, 48).

    The person whose middle scores best tells where about each point is; there the best cell is taken, and in it the
    place it points to.
    """
    row, column = divmod(int(np.argmax(centre[0])), CELLS)
    y, x = reach[0::2, row, column] + row, reach[1::2, row, column] + column
    cells = np.arange(CELLS, dtype=np.float32)
    down = cells[None, :, None] - y[:, None, None]
    across = cells[None, None, :] - x[:, None, None]
    worth = heat / (np.hypot(down, across) + SOFTNESS)
    rows, columns = np.divmod(worth.reshape(POINTS, -1).argmax(axis=1), CELLS)
    which = np.arange(POINTS)
    y = rows + offset[2 * which, rows, columns]
    x = columns + offset[2 * which + 1, rows, columns]
    return np.stack([x, y], axis=1).astype(np.float64) / CELLS, heat[which, rows, columns].astype(np.float64)
