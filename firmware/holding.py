"""A folder kept to one process."""

import fcntl
from pathlib import Path
from typing import IO


def hold(file: Path) -> IO[str]:
    """The lock file, made where it is missing, held until it is closed or the process ends, however it ends.

    Raises `BlockingIOError` when another process holds it, any other `OSError` when it cannot be written.
    """
    lock = file.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock
