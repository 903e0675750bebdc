"""Opening the chip: first for a trial, in a process of its own.

HailoRT holds the interpreter's lock while it opens a chip. One that hangs there would take the whole node with it, and
no thread could tell; a process can be killed. This file is that process's program, so it needs nothing of the node's.
"""

import contextlib
import importlib
import subprocess
import sys
from typing import Any

OPEN_S = 10.0
"""How long opening may take; with the loading of HailoRT it takes a second or two."""
_KILLED_S = 1.0
_GROUP = "SHARED"
"""Whoever gives the service this name gets the same chip; Hailo's own programs do, too."""
_SERVED = "served"


def open_device(api: Any, served: bool) -> tuple[Any, str]:
    """The chip, ready to take networks, and its architecture; `api` is Hailo's package, whose faults it raises.

    It is for this process alone, unless it is `served` by HailoRT's service, which lets all its clients have it.
    """
    with api.Device() as device:
        architecture = device.control.identify().device_architecture.name
    parameters = api.VDevice.create_params()
    parameters.scheduling_algorithm = api.HailoSchedulingAlgorithm.ROUND_ROBIN
    if served:
        parameters.multi_process_service = True
        parameters.group_id = _GROUP
    return api.VDevice(parameters), architecture


class Trial:
    """Opens the chip, `served` or not, and gives it back, in another process, within `open_s`."""

    def __init__(self, open_s: float = OPEN_S, served: bool = False) -> None:
        self._open_s = open_s
        self._arguments = [_SERVED] if served else []
        self._process: subprocess.Popen[bytes] | None = None

    def comes_back(self) -> bool:
        """Whether opening comes to an end, a good or a bad one: what is wrong with the chip is told by opening it.

        A process that not even a kill ends, since the driver has it, is not joined by another one.
        """
        if self._process and self._process.poll() is None:
            return False
        # Without the folder of this file among its paths: whatever lies there is not what Hailo's package means.
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._process.wait(self._open_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILLED_S)
            return False
        return True


if __name__ == "__main__":
    open_device(importlib.import_module("hailo_platform"), sys.argv[1:] == [_SERVED])[0].release()
