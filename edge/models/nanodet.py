"""Makes `nanodet-g.onnx` of the published TensorFlow.js graph; needs only `onnx` and `numpy`."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, checker, helper

from edge.errors import WrongWeights
from edge.models.tfjs import Pieces, Weights, read_package

WEIGHTS_SHA256 = "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9"
KEPT_CLASSES = (0, 32)
"""Person and sports ball among the 80 classes of COCO: the other 78 rows of the heads are left out."""
CLASSES = 80
MEAN_BGR = (103.53, 116.28, 123.675)
DEVIATION_BGR = (57.375, 57.12, 58.395)
STRIDES = (8, 16, 32)


def convert(package: Path) -> bytes:
    """The ONNX model as bytes: `picture` (1, h, w, 3) BGR uint8, sides multiples of 32, to `cls8`…`reg32`.

    Every tensor of the new graph is channels-first, so the many transposes of the old one vanish; paddings move into
    the convolutions. `cls` (1, 2, h/s, w/s) are scores of person and sports ball, `reg` (1, 44, h/s, w/s) are four
    times eleven unnormalised bins of the distances left, top, right, bottom. Raises `WrongWeights`.
    """
    topology, weights = read_package(package, "nanodet", WEIGHTS_SHA256)
    build = _Builder(weights)
    for node in topology["node"]:
        build.add(node)
    raw: bytes = build.model().SerializeToString(deterministic=True)
    return raw


class _Builder(Pieces):
    """Walks the old graph in its order."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.weights = weights
        self.pads: dict[str, int] = {}
        self.heads: list[str] = []
        self._input()

    def _input(self) -> None:
        self.constant("mean", np.array(MEAN_BGR, np.float32).reshape(1, 3, 1, 1))
        self.constant("scale", (1 / np.array(DEVIATION_BGR, np.float64)).astype(np.float32).reshape(1, 3, 1, 1))
        self.constant("twice", np.array([1, 1, 2, 2], np.float32))
        self.constant("half", np.array([1, 1, 0.5, 0.5], np.float32))
        self.node("Cast", ["picture"], "as_float", to=TensorProto.FLOAT)
        self.node("Transpose", ["as_float"], "planes", perm=[0, 3, 1, 2])
        self.node("Sub", ["planes", "mean"], "centred")
        self.node("Mul", ["centred", "scale"], "normal")
        self.alias["input_1"] = "normal"

    def add(self, node: dict[str, Any]) -> None:
        """Adds what one old node means, if anything; its inputs have been added before."""
        op, name = node["op"], node["name"]
        inputs = [i for i in node.get("input", []) if i not in self.weights]
        constants = [self.weights[i] for i in node.get("input", []) if i in self.weights]
        if op in ("Transpose", "Pad", "PadV2"):
            if op != "Transpose":
                self.pads[name] = int(constants[0][-1, 0])
            elif inputs[0] in self.pads:
                self.pads[name] = self.pads[inputs[0]]
            if inputs[0] in self.alias:
                self.alias[name] = self.alias[inputs[0]]
        elif op == "Conv2D":
            # TensorFlow keeps kernels as height, width, in, out. The bias is the node that follows.
            kernel = np.ascontiguousarray(constants[0].transpose(3, 2, 0, 1))
            stride = int(node["attr"]["strides"]["list"]["i"][1])
            self._convolve(name, inputs[0], kernel, stride)
        elif op == "Add" and constants:
            self._bias(name, inputs[0], constants[0])
        elif op == "Add":
            self.node("Add", [self.alias[i] for i in inputs], name)
        elif op == "LeakyRelu":
            self.node("LeakyRelu", [self.alias[inputs[0]]], name, alpha=float(node["attr"]["alpha"]["f"]))
        elif op == "MaxPool":
            pad = [self.pads[inputs[0]]] * 4
            self.node("MaxPool", [self.alias[inputs[0]]], name, kernel_shape=[3, 3], strides=[2, 2], pads=pad)
        elif op == "ConcatV2":
            self.node("Concat", [self.alias[i] for i in inputs], name, axis=1)
        elif op == "ResizeBilinear":
            # The only sizes of this feature pyramid are one level up and one level down.
            down = name.endswith(("resize_2/ResizeBilinear", "resize_3/ResizeBilinear"))
            source = self.alias[inputs[0]]
            half_pixel = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
            self.node("Resize", [source, "", "half" if down else "twice"], name, **half_pixel)
        elif op == "SplitV":
            self.heads.append(self.alias[inputs[0]])
        elif op not in ("Const", "Placeholder", "SparseToDense", "AddV2", "Sigmoid", "Reshape", "Identity"):
            raise WrongWeights(f"the graph has an operator {op} that this script does not know")

    def model(self) -> ModelProto:
        """The finished and checked model."""
        outputs = []
        for stride, head in zip(STRIDES, self.heads, strict=True):
            parts = [f"logit{stride}", f"reg{stride}"]
            self.nodes.append(helper.make_node("Split", [head, "parts"], parts, name=f"split{stride}", axis=1))
            self.nodes.append(helper.make_node("Sigmoid", parts[:1], [f"cls{stride}"], name=f"cls{stride}"))
            for part, channels in (("cls", len(KEPT_CLASSES)), ("reg", 44)):
                shape: list[int | str | None] = [1, channels, f"h{stride}", f"w{stride}"]
                outputs.append(helper.make_tensor_value_info(f"{part}{stride}", TensorProto.FLOAT, shape))
        self.constant("parts", np.array([len(KEPT_CLASSES), 44], np.int64))
        picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, "height", "width", 3])
        graph = helper.make_graph(self.widened + self.nodes, "nanodet-g", [picture], outputs, self.tensors)
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="touchline")
        checker.check_model(model, full_check=True)
        return model

    def _convolve(self, name: str, source: str, kernel: npt.NDArray[np.float16], stride: int) -> None:
        if kernel.shape[0] == CLASSES + 44:
            kernel = kernel[_kept_rows()]
        inputs = [self.alias[source], self.half(f"{name}/kernel", kernel), f"{name}/bias"]
        pads = [self.pads.get(source, 0)] * 4
        self.node("Conv", inputs, name, kernel_shape=list(kernel.shape[2:]), strides=[stride, stride], pads=pads)

    def _bias(self, name: str, source: str, bias: npt.NDArray[np.float16]) -> None:
        if len(bias) == CLASSES + 44:
            bias = bias[_kept_rows()]
        self.half(f"{source}/bias", np.ascontiguousarray(bias))
        self.alias[name] = self.alias[source]


def _kept_rows() -> list[int]:
    return [*KEPT_CLASSES, *range(CLASSES, CLASSES + 44)]
