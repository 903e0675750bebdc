"""Which panel an appliance has, from one setting: `disabled` or `gpio:LIGHT,BEEPER`."""

import os
import re
from pathlib import Path
from typing import Any

from firmware.errors import PanelFault
from firmware.log import Log
from firmware.panel.gpio import GpioPanel
from firmware.panel.panel import DisabledPanel, Panel

_GPIO = re.compile(r"gpio:(\d{1,2}),(\d{1,2})")
_HEADER = b"raspberrypi,rp1-gpio"
"""What the device tree calls the chip that drives a Pi 5's header."""


def open_panel(setting: str, log: Log, work: Path, *, root: Path = Path("/")) -> Panel:
    """The panel that `setting` names, its pins numbered as the processor does (BCM); raises `PanelFault`.

    `work` is a folder of this process alone, where lgpio puts its pipe; `root` is where `/sys` is found.
    """
    if setting == "disabled":
        return DisabledPanel()
    match = _GPIO.fullmatch(setting)
    if not match or match[1] == match[2]:
        raise PanelFault(f"{setting!r} is not a panel: write disabled, or gpio:LIGHT,BEEPER with two pins' numbers")
    return GpioPanel(int(match[1]), int(match[2]), _header(work, root), log)


def _header(work: Path, root: Path) -> Any:
    """gpiozero's pins on lgpio, named: left to choose, gpiozero tries others that cannot drive this board."""
    # lgpio makes its pipe as soon as it is imported, and dies where it may not.
    os.environ.setdefault("LG_WD", str(work))
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 - the board's own package

        return LGPIOFactory(chip=header_chip(root))
    except ImportError as fault:
        raise PanelFault(
            f"the panel needs this board's packages python3-gpiozero and python3-lgpio: {fault}"
        ) from fault
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
