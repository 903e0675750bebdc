"""Which panel an appliance has, from one setting: `disabled` or `gpio:LIGHT,BEEPER`."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.errors import PanelFault
from firmware.log import Log
from firmware.panel.gpio import GpioPanel
from firmware.panel.panel import DisabledPanel, Panel

_GPIO = re.compile(r"gpio:(\d{1,2}),(\d{1,2})")
_HEADER = b"raspberrypi,rp1-gpio"
"""What the device tree calls the chip that drives a Pi 5's header."""


@dataclass(frozen=True)
class PanelSource:
    """The pins of light and beeper, numbered as the processor does (BCM); None where there is no panel."""

    pins: tuple[int, int] | None

    @classmethod
    def parse(cls, text: str) -> "PanelSource":
        """The panel that `text` names; raises `PanelFault` unless it is `disabled` or `gpio:LIGHT,BEEPER`."""
        if text == "disabled":
            return cls(None)
        match = _GPIO.fullmatch(text)
        if not match or match[1] == match[2]:
            raise PanelFault(f"{text!r} is not a panel: write disabled, or gpio:LIGHT,BEEPER with two pins' numbers")
        return cls((int(match[1]), int(match[2])))

    def open(self, log: Log, work: Path, *, root: Path = Path("/")) -> Panel:
        """The opened panel; raises `PanelFault` where its pins cannot be had.

        `work` is a folder of this process alone, where lgpio puts its pipe; `root` is where `/sys` is found.
        """
        if self.pins is None:
            return DisabledPanel()
        return GpioPanel(*self.pins, _header(work, root), log)


def _header(work: Path, root: Path) -> Any:
    """gpiozero's pins on lgpio, named: left to choose, gpiozero tries others that cannot drive this board."""
    # lgpio makes its pipe as soon as it is imported, and dies where it may not.
    os.environ.setdefault("LG_WD", str(work))
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 - the board's own package

        return LGPIOFactory(chip=header_chip(root))
    except ImportError as fault:
        packages = "python3-gpiozero and python3-lgpio"
        raise PanelFault(f"the panel needs this board's packages {packages}: {fault}") from fault
    except Exception as fault:
        raise PanelFault(f"this board's pins cannot be opened: {fault}") from fault


def header_chip(root: Path) -> int | None:
    """The number of the header's GPIO chip, found by what it is, since kernels number chips differently; None to leave
    the choice to gpiozero."""
    for chip in sorted(root.glob("sys/bus/gpio/devices/gpiochip*")):
        try:
            if _HEADER in (chip / "of_node" / "compatible").read_bytes().split(b"\0"):
                return int(chip.name.removeprefix("gpiochip"))
        except (OSError, ValueError):
            continue
    return None
