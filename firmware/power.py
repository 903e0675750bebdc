"""Switching the board off by order."""

import subprocess
from collections.abc import Sequence
from typing import Protocol

from firmware.errors import NotSetUp, PowerFault

_PATIENCE_S = 10.0


class Power(Protocol):
    """Whoever can switch the board off."""

    def power_off(self) -> None:
        """Have the board go down in good order, which ends this process too; raises `NotSetUp` or `PowerFault`."""


class DisabledPower:
    """A board that is left on, such as somebody's laptop."""

    def power_off(self) -> None:
        """Refuses; raises `NotSetUp`."""
        raise NotSetUp("switching off is not set up on this machine: it needs --power system")


class SystemPower:
    """The board's own system; `command` has it go down and returns at once."""

    def __init__(self, command: Sequence[str] = ("systemctl", "poweroff")) -> None:
        self._command = command

    def power_off(self) -> None:
        """Have the system go down; raises `PowerFault` when it does not agree."""
        said = f"{' '.join(self._command)} does not switch the board off"
        try:
            run = subprocess.run(self._command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
        except OSError as fault:
            raise PowerFault(f"{said}: {fault.strerror}") from None
        except subprocess.TimeoutExpired:
            raise PowerFault(f"{said}: no answer for {_PATIENCE_S:g} s") from None
        if run.returncode:
            raise PowerFault(f"{said}: {(run.stderr or run.stdout).strip() or f'exit status {run.returncode}'}")
