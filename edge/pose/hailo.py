"""The `hailo` pose driver: yolov8s_pose on the chip, four persons a pass."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats, overlap
from edge.detect.hailo import Chip
from edge.detect.hailo.chip import SIDE
from edge.detect.picture import Picture
from edge.frame import Frame
from edge.pose.crop import Crop
from edge.pose.pose import POINTS, Pose

NETWORK = "yolov8s_pose"
QUARTERS = ((0, 0), (1, 0), (0, 1), (1, 1))
"""The network sees a square of four crops, each a quarter: it finds whoever is there, and one person needs no more."""
BINS = 16
FLOOR = 0.2
"""Persons scored lower are not looked at."""
LEAST_OVERLAP = 0.3
"""A person in a quarter is the one who was asked about if the boxes have so much in common."""


class HailoPose:
    """The chip is opened when the first pose is asked for."""

    name = "hailo"
    at_once = len(QUARTERS)

    def __init__(self, chip: Chip) -> None:
        self._chip = chip

    def poses(self, frame: Frame, boxes: Floats) -> list[Pose]:
        """The poses of the persons in these boxes (n, 4); raises `ChipFault` or `WrongWeights`."""
        fours = [boxes[at : at + len(QUARTERS)] for at in range(0, len(boxes), len(QUARTERS))]

        def paint(four: Floats, square: Picture) -> None:
            half = SIDE // 2
            square[:] = 0
            for (right, down), box in zip(QUARTERS, four, strict=False):
                quarter = square[down * half :, right * half :][:half, :half]
                Crop.around(box).paint(frame.planes, quarter)

        found = self._chip.network(NETWORK).run(fours, paint, self._take)
        return [pose for poses in found for pose in poses]

    def _take(self, four: Floats, outputs: list[Any]) -> list[Pose]:
        found, point, score = decode(outputs)
        half = SIDE / 2
        poses = []
        for quarter, box in zip(QUARTERS, four, strict=False):
            crop = Crop.around(box)
            corner = np.array(quarter) * half
            at_home = crop.home((found.reshape(-1, 2, 2) - corner) / half).reshape(-1, 4)
            shared = overlap(box[None], at_home)[0]
            best = int(np.argmax(shared)) if len(shared) else -1
            if best >= 0 and shared[best] > LEAST_OVERLAP:
                poses.append(Pose(crop.home((point[best] - corner) / half), score[best], box))
            else:
                poses.append(Pose(np.tile((box[:2] + box[2:]) / 2, (POINTS, 1)), np.zeros(POINTS), box))
        return poses


def decode(outputs: Sequence[npt.NDArray[np.float32]]) -> tuple[Floats, Floats, Floats]:
    """Boxes (n, 4), points (n, 17, 2), both px of the network's square, and the points' scores (n, 17).

    There are nine outputs in any order, told apart by their shapes: for each of three grids (g, g, c), c = 1 a person's
    score, 64 the bins of the box's four reaches, 51 the points' x, y and unsquashed score.
    """
    by_shape = {(output.shape[0], output.shape[2]): output for output in outputs}
    boxes, points, scores = [], [], []
    for grid in sorted({g for g, _ in by_shape}):
        stride = SIDE / grid
        row, column = np.nonzero(by_shape[grid, 1][..., 0] > FLOOR)
        cell = np.stack([column, row], axis=1).astype(np.float64)
        bins = by_shape[grid, 4 * BINS][row, column].reshape(-1, 4, BINS).astype(np.float64)
        weight = np.exp(bins - bins.max(axis=2, keepdims=True))
        reach = weight @ np.arange(BINS) / weight.sum(axis=2)
        boxes.append(stride * np.concatenate([cell + 0.5 - reach[:, :2], cell + 0.5 + reach[:, 2:]], axis=1))
        raw = by_shape[grid, 3 * POINTS][row, column].reshape(-1, POINTS, 3).astype(np.float64)
        points.append(stride * (2 * raw[..., :2] + cell[:, None]))
        # The logistic function, in the form that no score can make overflow.
        scores.append(0.5 + 0.5 * np.tanh(raw[..., 2] / 2))
    return np.concatenate(boxes), np.concatenate(points), np.concatenate(scores)
