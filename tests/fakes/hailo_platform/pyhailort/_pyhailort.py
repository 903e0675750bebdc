"""The part that is C++ in the real package: the chip at work in a thread of its own, and faults as numbers."""

import ctypes
import json
import os
import queue
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hailo_platform.board import MAGIC, board
from hailo_platform.pyhailort import networks

__version__ = os.environ.get("FAKE_HAILORT_VERSION", "4.23.0")
LIBRARY = "4.23.0"

STATUS = {
    2: "HAILO_INVALID_ARGUMENT",
    4: "HAILO_TIMEOUT",
    6: "HAILO_INVALID_OPERATION",
    13: "HAILO_OPEN_FILE_FAILURE",
    26: "HAILO_INVALID_HEF",
    36: "HAILO_DRIVER_OPERATION_FAILED",
    61: "HAILO_NOT_FOUND",
    63: "HAILO_STREAM_ABORT",
    64: "HAILO_DRIVER_NOT_INSTALLED",
    69: "HAILO_NETWORK_GROUP_NOT_ACTIVATED",
    73: "HAILO_DEVICE_IN_USE",
    74: "HAILO_OUT_OF_PHYSICAL_DEVICES",
    76: "HAILO_INVALID_DRIVER_VERSION",
    77: "HAILO_RPC_FAILED",
    78: "HAILO_INVALID_SERVICE_VERSION",
    81: "HAILO_OUT_OF_HOST_CMA_MEMORY",
    82: "HAILO_QUEUE_IS_FULL",
    87: "HAILO_DRIVER_TIMEOUT",
    91: "HAILO_HEF_FILE_CORRUPTED",
    92: "HAILO_HEF_NOT_SUPPORTED",
    93: "HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE",
}
NUMBER = {name: number for number, name in STATUS.items()}

# The library opens its log as soon as it is loaded.
_log = os.environ.get("HAILORT_LOGGER_PATH", ".")
if _log != "NONE":
    (Path(_log) / "hailort.log").touch()


class HailoRTStatusException(Exception):
    """A status that was not HAILO_SUCCESS; its text is the number."""


def failed(name: str) -> HailoRTStatusException:
    return HailoRTStatusException(str(NUMBER[name]))


def scan() -> list[str]:
    if not board.driver_runs:
        raise failed("HAILO_DRIVER_NOT_INSTALLED")
    return ["0001:01:00.0"] if board.chip else []


def check_driver() -> None:
    if board.driver != LIBRARY:
        raise failed("HAILO_INVALID_DRIVER_VERSION")


def check_service() -> None:
    if board.service is None:
        raise failed("HAILO_RPC_FAILED")


class NativeVDevice:
    """The chip as one process has it, until this object and every model made of it are gone: by itself, or as one of
    several of the same `group` by the service."""

    def __init__(self, served: bool, group: str, scheduled: bool) -> None:
        self.served = served
        if served:
            if not scheduled:
                raise failed("HAILO_INVALID_ARGUMENT")
            check_service()
            if board.service != LIBRARY:
                raise failed("HAILO_INVALID_SERVICE_VERSION")
        # Without a device id the library walks over those it finds and passes by the ones in use.
        if not scan():
            raise failed("HAILO_OUT_OF_PHYSICAL_DEVICES")
        check_driver()
        if board.opening_hangs:
            # The binding does not let go of the interpreter's lock while it opens a device.
            ctypes.PyDLL(None).pause()
        joins = served and group and group in board.groups
        if board.taken_by_another or (board.in_use and not joins):
            raise failed("HAILO_OUT_OF_PHYSICAL_DEVICES")
        board.in_use = True
        if served:
            board.groups.append(group)
        self.work: queue.SimpleQueue[NativeJob | None] = queue.SimpleQueue()
        threading.Thread(target=_chip, args=(self.work,), name="fake-hailo", daemon=True).start()
        weakref.finalize(self, _give_back, self.work, group if served else None)


def _give_back(work: "queue.SimpleQueue[NativeJob | None]", group: str | None) -> None:
    if group is not None:
        board.groups.remove(group)
    board.in_use = bool(board.groups)
    work.put(None)


def _chip(work: "queue.SimpleQueue[NativeJob | None]") -> None:
    while job := work.get():
        job.do()


class NativeHef:
    """A model file: its magic, its network and the chip it was compiled for."""

    def __init__(self, path: str) -> None:
        if not isinstance(path, str):
            raise TypeError("create_infer_model_from_file(): incompatible function arguments")
        if not os.path.isfile(path):
            raise failed("HAILO_OPEN_FILE_FAILURE")
        raw = Path(path).read_bytes()
        if not raw.startswith(MAGIC):
            raise failed("HAILO_HEF_NOT_SUPPORTED")
        try:
            told = json.loads(raw[len(MAGIC) :])
        except ValueError:
            raise failed("HAILO_HEF_FILE_CORRUPTED") from None
        if told["network"] not in networks.NETWORKS:
            raise failed("HAILO_INVALID_HEF")
        self.network = networks.NETWORKS[told["network"]]
        self.chip = told["chip"]

    def check(self) -> None:
        if self.chip != board.chip and (self.chip, board.chip) != ("HAILO8L", "HAILO8"):
            raise failed("HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE")


class _Pipeline:
    """What a configured network shares with its pictures under way, which do not keep it alive."""

    def __init__(self, network: Any, thresholds: tuple[float, float]) -> None:
        self.network = network
        self.thresholds = thresholds
        self.closed = False
        self.under_way = 0
        self.hung = 0
        self.room = threading.Condition()

    def landed(self) -> None:
        with self.room:
            self.under_way -= 1
            self.room.notify_all()

    def hangs(self) -> None:
        with self.room:
            self.hung += 1
            self.room.notify_all()


class NativeConfigured:
    """A network on the chip with its queue. What is under way reads and writes the callers' own memory."""

    def __init__(self, device: NativeVDevice, network: Any, thresholds: tuple[float, float], scheduled: bool) -> None:
        self.active = scheduled
        self.queue = board.queue
        self._network = network
        self._device = device
        self._pipeline = _Pipeline(network, thresholds)

    def wait_for_async_ready(self, timeout_ms: int, frames: int) -> None:
        line = self._pipeline
        with line.room:
            if not line.room.wait_for(lambda: line.under_way + frames <= self.queue, timeout_ms / 1000):
                raise failed("HAILO_TIMEOUT")

    def run_async(self, picture: Any, outputs: dict[str, Any], callback: Callable[[int], None]) -> "NativeJob":
        line = self._pipeline
        if line.closed:
            raise failed("HAILO_STREAM_ABORT")
        try:
            if self._device.served:
                check_service()
            if not self.active:
                raise failed("HAILO_NETWORK_GROUP_NOT_ACTIVATED")
            sizes = {name: 4 * int(np.prod(shape)) for name, shape in self._network.outputs.items()}
            right = picture is not None and picture.nbytes == int(np.prod(self._network.shape))
            if not right or any(outputs[name] is None or outputs[name].nbytes != sizes[name] for name in sizes):
                raise failed("HAILO_INVALID_OPERATION")
            with line.room:
                if line.under_way == self.queue:
                    raise failed("HAILO_QUEUE_IS_FULL")
                line.under_way += 1
                board.most_under_way = max(board.most_under_way, line.under_way)
        except HailoRTStatusException:
            # A refused start shuts the whole pipeline down.
            line.closed = True
            raise
        job = NativeJob(line, picture, outputs, callback)
        self._device.work.put(job)
        return job

    def __del__(self) -> None:
        # Unlike `shutdown`, the destructor releases the interpreter's lock while it waits for what is under way.
        line = self._pipeline
        line.closed = True
        with line.room:
            line.room.wait_for(lambda: line.under_way == line.hung, 10)
        if line.hung and board.lets_go:
            board.lets_go.wait(10)

    def shutdown(self) -> None:
        if self._pipeline.under_way and board.hangs_from is not None:
            board.complaints.append("shutdown() of a network that hangs holds the interpreter's lock for ten seconds")
        self._pipeline.closed = True


class NativeJob:
    """One picture under way."""

    def __init__(self, line: _Pipeline, picture: Any, outputs: dict[str, Any], callback: Callable[[int], None]) -> None:
        self._number = board.jobs
        board.jobs += 1
        self._line = line
        self._picture = picture
        self._outputs = outputs
        self._callback = callback
        self._done = threading.Event()

    def do(self) -> None:
        line, callback = self._line, self._callback
        del self._callback
        if board.hangs_from is not None and self._number >= board.hangs_from:
            line.hangs()
            return
        status = board.fails.get(self._number, 63 if line.closed else 0)
        if status == 0:
            # The buffer is memory and nothing else: whatever has the right number of bytes is taken for a picture.
            picture = self._picture.reshape(-1).view(np.uint8).reshape(line.network.shape)
            found = line.network.run(picture, *line.thresholds)
            for name, values in found.items():
                self._outputs[name].reshape(-1)[: values.size] = values.reshape(-1)
        callback(status)
        line.landed()
        self._done.set()

    def wait(self, timeout_ms: int) -> None:
        if not self._done.wait(timeout_ms / 1000):
            raise failed("HAILO_TIMEOUT")
