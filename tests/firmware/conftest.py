import io
import stat
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.log import Log


@pytest.fixture
def log_text() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(log_text) -> Log:
    return Log(log_text, SystemClock())


@pytest.fixture
def command(tmp_path):
    """Makes a small shell script and returns its path: a fake of a board's command."""

    def make(name: str, body: str) -> str:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


@pytest.fixture
def board(tmp_path):
    """Writes a fake `/sys` and `/proc`, file by file, and returns its root."""
    root = tmp_path / "board"
    root.mkdir()

    def lay(files: dict[str, str | bytes]) -> Path:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return root

    return lay
