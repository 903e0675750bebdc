"""What a recording does about a full disk."""

import errno
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from edge.errors import DiskFull

T = TypeVar("T")


def is_full(fault: BaseException | None) -> bool:
    """Whether a fault of a file or of the ledger says that the disk has no room left."""
    if isinstance(fault, sqlite3.Error):
        return getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT)


def full() -> DiskFull:
    """The fault of a disk on which no room can be made."""
    return DiskFull("the disk is full and holds nothing that the hub has confirmed: the recording has ended")


def with_room(step: Callable[[], T], make_room: Callable[[], bool]) -> T:
    """What `step` gives; where it finds the disk full it is done again as often as room can be made.

    Raises `DiskFull` when none can.
    """
    while True:
        try:
            return step()
        except (OSError, sqlite3.Error) as fault:
            if not is_full(fault):
                raise
            if not make_room():
                raise full() from fault
