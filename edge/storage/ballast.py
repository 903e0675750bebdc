"""Room that a node keeps for itself: a disk that is full to the last byte would not even let it open its ledger, and
without that nothing can be handed over or deleted any more."""

import contextlib
import os
from pathlib import Path

NAME = "ballast"
"""In the folder of a node's data."""
BYTES = 8 << 20
"""SQLite takes 4 MiB for its log before it tidies up, and 32 KiB to share it; the rest is for rows and small files."""
PLENTY_BYTES = 8 * BYTES
"""Laid in again only from here on, so that it never is what fills the disk."""


def trim_ballast(folder: Path) -> bool:
    """Give the ballast up where less than its own size is free, lay it in where there is plenty; whether it was given
    up. A disk that lets neither be done leaves things as they are."""
    with contextlib.suppress(OSError):
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
        if free < BYTES:
            return _drop(folder / NAME)
        if free >= PLENTY_BYTES:
            _lay(folder / NAME)
    return False


def _drop(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _lay(path: Path) -> None:
    if path.exists() and path.stat().st_size == BYTES:
        return
    with path.open("wb") as file:
        # A file that was only made long would hold no room.
        os.posix_fallocate(file.fileno(), 0, BYTES)
