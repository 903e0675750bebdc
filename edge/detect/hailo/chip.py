"""The one owner of the Hailo chip in this process."""

import importlib
import os
import threading
from pathlib import Path
from typing import Any

from edge.detect.hailo.loaded import LoadedNetwork
from edge.detect.hailo.opening import OPEN_S, Trial, open_device
from edge.detect.hailo.words import NO_CHIP, NO_PACKAGE, OPENING_HANGS, STILL_HANGS, TWO_VERSIONS, in_words
from edge.detect.network import DOUBLE, FLOORS
from edge.errors import ChipMismatch, ChipMissing, ChipStalled, WrongWeights

MODELS = Path("/usr/share/hailo-models")
"""Where Raspberry Pi OS's package hailo-models keeps its files."""
FILES = {
    "yolov8s": {"HAILO8L": ["yolov8s_h8l.hef"], "HAILO8": ["yolov8s_h8.hef", "yolov8s_h8l.hef"]},
    "yolov8s_pose": {
        "HAILO8L": ["yolov8s_pose_h8l_pi.hef"],
        "HAILO8": ["yolov8s_pose_h8.hef", "yolov8s_pose_h8l_pi.hef"],
    },
}
"""By network and chip, the best file first: a Hailo-8 runs what is made for the 8L, only slower."""
SIDE = 640
"""What they all see: a square of so many pixels."""
DEADLINE_S = 1.0
"""How long one answer may take; a pass of yolov8s takes 13 ms on an 8L, and other networks have their turns."""


class Chip:
    """Opens the chip when a network is first asked for, in the process and on the day that need it, and keeps it.

    `models` is the folder of the HEF files; an answer may take `deadline_s`, opening `open_s`. The chip is this
    process's alone, unless it is `served` by HailoRT's service to several. Safe to share between threads; the networks
    take turns on the chip.
    """

    def __init__(
        self, models: Path = MODELS, deadline_s: float = DEADLINE_S, open_s: float = OPEN_S, *, served: bool = False
    ) -> None:
        self._models = models
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._api: Any = None
        self._device: Any = None
        self._architecture = ""
        self._networks: dict[str, LoadedNetwork] = {}
        self._parting = threading.Thread()
        self._served = served
        self._trial = Trial(open_s, served)

    def network(self, name: str) -> LoadedNetwork:
        """The network of this name (`FILES`), loaded once; after one broke, the chip is opened anew first.

        Raises `ChipMissing`, `ChipBusy`, `ChipMismatch`, `ChipStalled`, `ChipFault` or `WrongWeights`.
        """
        with self._lock:
            if any(network.broken for network in self._networks.values()):
                self._let_go()
            if self._device is None:
                self._open()
            if name not in self._networks:
                try:
                    self._networks[name] = self._load(name)
                except Exception:
                    # Others may use the chip as long as nothing of ours is on it.
                    if not self._networks:
                        self._close()
                    raise
            return self._networks[name]

    def close(self) -> None:
        """Give the chip back; asking for a network opens it again."""
        with self._lock:
            if any(network.broken for network in self._networks.values()):
                self._let_go()
            else:
                self._close()

    def _open(self) -> None:
        if self._parting.is_alive():
            self._parting.join(self._deadline_s)
            if self._parting.is_alive():
                raise ChipStalled(STILL_HANGS)
        self._api = _hailo_platform()
        with in_words("opening it"):
            if not self._api.Device.scan():
                raise ChipMissing(NO_CHIP)
            if not self._trial.comes_back():
                raise ChipStalled(OPENING_HANGS)
            self._device, self._architecture = open_device(self._api, self._served)

    def _load(self, name: str) -> LoadedNetwork:
        path = self._file(name)
        with in_words(path.name):
            model = self._device.create_infer_model(str(path))
            model.input().set_format_type(self._api.FormatType.UINT8)
            for output in model.outputs:
                output.set_format_type(self._api.FormatType.FLOAT32)
                if output.is_nms:
                    output.set_nms_score_threshold(min(FLOORS))
                    output.set_nms_iou_threshold(DOUBLE)
            shape = tuple(model.input().shape)
            if shape != (SIDE, SIDE, 3):
                raise WrongWeights(f"{path.name} sees pictures of {shape}, not of {SIDE} x {SIDE} pixels")
            return LoadedNetwork(name, model, model.configure(), self._deadline_s)

    def _file(self, name: str) -> Path:
        names = FILES[name].get(self._architecture)
        if names is None:
            raise ChipMismatch(f"this is a {self._architecture} chip; the hailo detector knows HAILO8L and HAILO8")
        for file in names:
            if (self._models / file).is_file():
                return self._models / file
        raise WrongWeights(
            f"there is no {names[0]} in {self._models}: install the package hailo-models, or say where it is"
        )

    def _close(self) -> None:
        device, self._device = self._device, None
        try:
            for network in self._networks.values():
                network.shut_down()
        finally:
            # A model keeps its device alive: the networks have to go first.
            self._networks.clear()
            if device is not None:
                device.release()

    def _let_go(self) -> None:
        """Part with a chip that hangs, in a thread of its own: HailoRT waits up to ten seconds for its pictures."""
        networks, device = self._networks, self._device
        self._networks, self._device = {}, None

        def part() -> None:
            for network in networks.values():
                network.let_go()
            device.release()

        self._parting = threading.Thread(target=part, name="hailo-parting", daemon=True)
        self._parting.start()


def _hailo_platform() -> Any:
    # Read when the library is loaded; without it every start leaves a hailort.log in the working directory.
    os.environ.setdefault("HAILORT_LOGGER_PATH", "NONE")
    try:
        return importlib.import_module("hailo_platform")
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] == "hailo_platform":
            raise ChipMissing(NO_PACKAGE) from fault
        raise ChipMismatch(TWO_VERSIONS.format(fault=fault)) from fault
    except ImportError as fault:
        raise ChipMismatch(TWO_VERSIONS.format(fault=fault)) from fault
