"""Makes `movenet-lightning.onnx` of the published TensorFlow.js graph; needs only `onnx` and `numpy`."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, checker, helper

from edge.errors import WrongWeights
from edge.models.tfjs import Pieces, Weights, read_package

WEIGHTS_SHA256 = "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34"
SIDE, CELLS, POINTS = 192, 48, 17
HEADS = {
    "kpt_heatmap_0/conv2d_5/BiasAdd": ("heat", POINTS),
    "center_0/conv2d_4/BiasAdd": ("centre", 1),
    "kpt_regress_0/conv2d_6/BiasAdd": ("reach", 2 * POINTS),
    "kpt_offset_0/conv2d_7/BiasAdd": ("offset", 2 * POINTS),
}
"""The four heads and their channels by the last convolutions of the old graph."""


def convert(package: Path) -> bytes:
    """The ONNX model as bytes: `crops` (n, 192, 192, 3) RGB uint8 to the four heads, (n, channels, 48, 48) float32.

    `heat` are scores 0..1 of 17 points, `centre` the same of a person's middle, weighted towards the crop's; `reach`
    and `offset` are y, x by point in cells. What the old graph makes of them, for one picture at a time, is left out:
    see `edge.pose.onnx`. Raises `WrongWeights`.
    """
    topology, weights = read_package(package, "movenet-lightning", WEIGHTS_SHA256)
    build = _Builder(weights)
    for node in topology["node"]:
        build.add(node)
    raw: bytes = build.model().SerializeToString(deterministic=True)
    return raw


class _Builder(Pieces):
    """Walks the old graph in its order, channels first, up to the heads."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.weights = weights
        self.constant("twice", np.array([1, 1, 2, 2], np.float32))
        self.constant("one", np.array(1, np.float32))
        self.constant("none", np.array(0, np.float32))
        self.constant("six", np.array(6, np.float32))
        self.node("Cast", ["crops"], "as_float", to=TensorProto.FLOAT)
        self.node("Transpose", ["as_float"], "planes", perm=[0, 3, 1, 2])

    def add(self, node: dict[str, Any]) -> None:
        """Adds what one old node means, if it leads to a head; its inputs have been added before."""
        op, name = node["op"], node["name"].removeprefix("StatefulPartitionedCall/")
        inputs = [i.removeprefix("StatefulPartitionedCall/") for i in node.get("input", []) if i not in self.weights]
        constants = [self.weights[i] for i in node.get("input", []) if i in self.weights]
        if name == "truediv_1":
            self.node("Mul", ["planes", self.half("scale", constants[0].reshape(1, 3, 1, 1))], "scaled")
            self.node("Sub", ["scaled", "one"], "normal")
            self.alias["sub_1"] = "normal"
        elif name == "truediv_2":
            self.half("middle", np.ascontiguousarray(constants[0].reshape(1, 1, CELLS, CELLS)))
        elif not inputs or inputs[0] not in self.alias or inputs[0] in HEADS:
            pass
        elif op in ("_FusedConv2D", "FusedDepthwiseConv2dNative", "DepthwiseConv2dNative"):
            self._convolve(node, name, inputs[0], constants)
        elif op == "AddV2":
            self.node("Add", [self.alias[i] for i in inputs], name)
        elif op == "ResizeBilinear":
            half_pixel = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
            self.node("Resize", [self.alias[inputs[0]], "", "twice"], name, **half_pixel)
        else:
            raise WrongWeights(f"the graph has an operator {op} that this script does not know")

    def model(self) -> ModelProto:
        """The finished and checked model."""
        outputs = []
        for end, (head, channels) in HEADS.items():
            if head == "heat":
                self.node("Sigmoid", [end], head)
            elif head == "centre":
                self.node("Sigmoid", [end], "person")
                self.node("Mul", ["person", "middle"], head)
            else:
                self.node("Identity", [end], head)
            outputs.append(helper.make_tensor_value_info(head, TensorProto.FLOAT, ["n", channels, CELLS, CELLS]))
        crops = helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", SIDE, SIDE, 3])
        graph = helper.make_graph(self.widened + self.nodes, "movenet-lightning", [crops], outputs, self.tensors)
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="touchline")
        checker.check_model(model, full_check=True)
        return model

    def _convolve(self, node: dict[str, Any], name: str, source: str, constants: list[npt.NDArray[Any]]) -> None:
        attributes = node["attr"]
        stride = int(attributes["strides"]["list"]["i"][1])
        depthwise = "Depthwise" in node["op"]
        # TensorFlow keeps kernels as height, width, in, out; of a depthwise one, out is 1 for each of in.
        kernel = np.ascontiguousarray(constants[0].transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)))
        inputs = [self.alias[source], self.half(f"{name}/kernel", kernel)]
        if len(constants) > 1:
            inputs.append(self.half(f"{name}/bias", np.ascontiguousarray(constants[1])))
        fused = attributes["fused_ops"]["list"].get("s", []) if "fused_ops" in attributes else []
        into = f"{name}/linear" if len(fused) > 1 else name
        self.node(
            "Conv",
            inputs,
            into,
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            group=kernel.shape[0] if depthwise else 1,
            # Where the picture's side is even, TensorFlow pads a stride of two on the far side only.
            auto_pad="SAME_UPPER",
        )
        if len(fused) > 1:
            self._activate(base64.b64decode(fused[1]), into, name)

    def _activate(self, kind: bytes, source: str, name: str) -> None:
        if kind == b"Relu6":
            self.node("Clip", [source, "none", "six"], name)
        elif kind == b"Relu":
            self.node("Relu", [source], name)
        else:
            raise WrongWeights(f"the graph has an activation {kind!r} that this script does not know")
