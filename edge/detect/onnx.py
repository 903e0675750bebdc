"""The `onnx` driver: NanoDet-g run by onnxruntime on the processor."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from edge.detect.detector import Detections, Floats, without_doubles
from edge.detect.looks import Look, Looks
from edge.detect.picture import small_bgr
from edge.errors import WrongWeights
from edge.frame import Frame
from edge.models import NANODET
from wire.tracks import Kind

STRIDES = (8, 16, 32)
BINS = 11
KINDS = (Kind.PERSON, Kind.BALL)
FLOORS = (0.15, 0.12)
"""Scores below which a person, a ball is not worth handing on: the tracker wants weak persons for its second stage."""
DOUBLE = 0.55
"""Overlap above which two boxes are the same person (NMS)."""


class OnnxDetector:
    """NanoDet-g on the part of the picture that is due; one thread, so that a node's other work is not starved.

    Raises `WrongWeights` when the model cannot be loaded.
    """

    name = "onnx"

    def __init__(self, width: int, height: int, model: Path = NANODET, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # The arena would keep the largest look's tensors for ever, and again for every shape it has seen.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as fault:  # onnxruntime's own exceptions share no public base
            raise WrongWeights(f"the detector's model {model.name} cannot be loaded: {fault}") from fault
        self._outputs = [f"{part}{stride}" for stride in STRIDES for part in ("cls", "reg")]
        self.looks = Looks(width, height)

    def detect(self, frame: Frame) -> Detections:
        """What the look that is due finds."""
        found = self.look_at(frame, self.looks.next())
        self.looks.learn(found)
        return found

    def look_at(self, frame: Frame, look: Look) -> Detections:
        """What is found in one part of the frame."""
        picture = small_bgr(frame.planes, look.region, look.width, look.height)
        maps = self._session.run(self._outputs, {"picture": picture[None]})
        box, score, kind = _decode(maps)
        rows = np.concatenate(
            [np.flatnonzero(kind == k)[without_doubles(box[kind == k], score[kind == k], DOUBLE)] for k in KINDS]
        )
        rows = rows[np.argsort(-score[rows], kind="stable")]
        x0, y0, x1, y1 = look.region
        box = np.clip(box[rows], 0, (look.width, look.height, look.width, look.height))
        box = box / np.tile(look.scale, 2) + (x0, y0, x0, y0)
        found = Detections(box, score[rows], kind[rows], (x0, y0, x1, y1))
        whole = (box[:, 1] > y0 + 2) | (y0 == 0), (box[:, 3] < y1 - 2) | (y1 == self.looks.height)
        return found.where(whole[0] & whole[1])


def _decode(maps: list[npt.NDArray[np.float32]]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Boxes (n, 4) in network pixels, scores (n,) and kinds (n,) of every cell above its floor."""
    boxes, scores, kinds = [], [], []
    for stride, cls, reg in zip(STRIDES, maps[::2], maps[1::2], strict=True):
        what, row, column = np.nonzero(cls[0] > np.array(FLOORS, np.float32)[:, None, None])
        bins: npt.NDArray[Any] = reg[0][:, row, column].reshape(4, BINS, -1)
        weight = np.exp(bins - bins.max(axis=1, keepdims=True))
        reach = (weight * np.arange(BINS)[None, :, None]).sum(axis=1) / weight.sum(axis=1) * stride
        x, y = (column + 0.5) * stride, (row + 0.5) * stride
        boxes.append(np.stack([x - reach[0], y - reach[1], x + reach[2], y + reach[3]], axis=1))
        scores.append(cls[0][what, row, column])
        kinds.append(np.array(KINDS, np.int64)[what])
    return np.concatenate(boxes), np.concatenate(scores).astype(np.float64), np.concatenate(kinds)
