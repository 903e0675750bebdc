"""The `onnx` driver: NanoDet-g run by onnxruntime on the processor."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from edge.detect.detector import Detections, Floats
from edge.detect.looks import Look, Part, closest, uniform
from edge.detect.loops import cells_above
from edge.detect.network import FLOORS, KINDS, brought_home, merged
from edge.detect.picture import Picture, small_bgr
from edge.errors import WrongWeights
from edge.frame import Frame
from edge.models import NANODET

STRIDES = (8, 16, 32)


class NanoDet:
    """The network itself; one thread, so that a node's other work is not starved.

    Raises `WrongWeights` when the model cannot be loaded.
    """

    def __init__(self, model: Path = NANODET, threads: int = 1) -> None:
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

    def find(self, picture: Picture) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
        """Boxes (n, 4) in pixels, scores (n,) and kinds (n,) of all that scores above its floor in a picture
        (h, w, 3) BGR, h and w multiples of 32; doubles are still among them."""
        return _decode(self._session.run(self._outputs, {"picture": picture[None]}))


class OnnxDetector:
    """NanoDet-g on parts of the picture. Raises `WrongWeights` when the model cannot be loaded."""

    name = "onnx"

    def __init__(self, width: int, height: int) -> None:
        self._network = NanoDet()
        self._size = (width, height)

    def detect(self, frame: Frame) -> Detections:
        """What is found in the whole view and in the tiles that cover it."""
        return merged(self.look_at(frame, uniform(*self._size, self.fit)))

    def fit(self, region: Part) -> Look:
        """A look of about `edge.detect.looks.PASS_PIXELS` pixels."""
        return closest(region)

    def look_at(self, frame: Frame, looks: Sequence[Look]) -> list[Detections]:
        """What is found in each of these parts of the frame."""
        return [self._look(frame, look) for look in looks]

    def _look(self, frame: Frame, look: Look) -> Detections:
        picture = small_bgr(frame.planes, look.region, look.width, look.height)
        return brought_home(look, *self._network.find(picture), *self._size)


def _decode(maps: list[npt.NDArray[np.float32]]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Boxes (n, 4) in network pixels, scores (n,) and kinds (n,) of every cell above its floor."""
    found = np.concatenate(
        [
            cells_above(cls[0], reg[0], FLOORS, stride)
            for stride, cls, reg in zip(STRIDES, maps[::2], maps[1::2], strict=True)
        ]
    )
    return found[:, :4], found[:, 4], np.array(KINDS, np.int64)[found[:, 5].astype(np.intp)]
