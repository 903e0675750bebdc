"""What may be set in the field: options of the command line that are kept in the node's data folder once changed."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from edge.errors import BadConfig
from firmware.log import Log
from wire.durable import write_durably
from wire.errors import WireError
from wire.message import Message, decode, encode

NAME = "config.json"
"""In the folder of a node's data."""
DetectorName = Literal["onnx", "motion", "hailo"]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class NodeConfig(Message, frozen=True, kw_only=True):
    """The settings of one run of the node, each as the option of `touchline-edge serve` that has its name.

    The profile is none of them: a session that is gone on with after a cut must find the camera as it was.
    """

    KIND = "node-config"
    VERSION = 1

    detector: DetectorName
    passes_per_second: Positive
    poses_per_second: Annotated[float, msgspec.Meta(ge=0)]
    sound: Annotated[str, msgspec.Meta(pattern="^alsa:.+$")] | None
    delete_confirmed: bool
    offload_mbit: Positive | None


class ConfigReport(Message, frozen=True, kw_only=True):
    """The settings that the node runs with, and those that it will take up when it is started next."""

    KIND = "config-report"
    VERSION = 1

    running: NodeConfig
    next: NodeConfig


class Config:
    """The settings kept in `file`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def taken_up(self, given: NodeConfig, log: Log) -> NodeConfig:
        """The kept settings, or those `given` on the command line where none are kept, or, which is logged, none that
        can be read: a node has to start."""
        try:
            kept = self._read()
        except BadConfig as fault:
            log.event("config-fault", fault=fault)
            return given
        if kept is None:
            return given
        log.event("config-taken-up", file=self._file)
        return kept

    def report(self, running: NodeConfig) -> ConfigReport:
        """What runs, and what is kept for the next start; raises `BadConfig` where that cannot be read."""
        return ConfigReport(running=running, next=self._read() or running)

    def keep(self, config: NodeConfig) -> None:
        """Keep these settings for the next start; raises `BadConfig` where they cannot be written."""
        try:
            write_durably(self._file, encode(config, indent=1) + b"\n")
        except OSError as fault:
            raise BadConfig(f"{self._file} cannot be written: {fault.strerror}") from None

    def _read(self) -> NodeConfig | None:
        try:
            return decode(self._file.read_bytes(), NodeConfig)
        except FileNotFoundError:
            return None
        except (OSError, WireError) as fault:
            raise BadConfig(f"the settings in {self._file} cannot be read: {fault}") from None
