import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

TOUCHLINE = str(Path(sys.executable).with_name("touchline"))


@pytest.fixture(scope="session")
def demo():
    """Runs `touchline demo` to its end and returns the finished process."""

    def run(*wishes: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TOUCHLINE, "demo", *wishes], capture_output=True, text=True, timeout=timeout, check=False
        )

    return run


@pytest.fixture(scope="session")
def processes_of():
    """The running processes that name a folder in their command line."""

    def find(folder: Path) -> list[str]:
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if process.pid != os.getpid() and any(str(folder) in word for word in words):
                found.append(" ".join(words))
        return found

    return find
