"""A process that ends with the one that started it, however that one ends.

This file is the program of that process, until it becomes the command that it is told: `tied.py PARENT COMMAND ...`.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends when the thread that started the process has ended; exec keeps it."""


def tied(command: Sequence[str]) -> list[str]:
    """The command that becomes `command` and gets SIGTERM when this process dies; only Linux sends it."""
    # Isolated and without site-packages: it is up at once.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _become(parent: int, command: Sequence[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            return
    os.execvp(command[0], command)  # noqa: S606 - of our own caller's choice


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
