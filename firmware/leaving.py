"""How an appliance's process ends while one of its threads still hangs."""

import os
import sys
import threading


def leave_within(seconds: float, status: int) -> None:
    """Ends the process with `status` after so many seconds, unless it has ended by then: what the end of an event loop
    waits for may hang in a disk that does not answer.
    """
    last_resort = threading.Timer(seconds, os._exit, [status])
    last_resort.daemon = True
    last_resort.start()


def leave(status: int) -> int:
    """Returns `status` for `sys.exit`, or ends the process with it at once when other threads are still alive.

    The interpreter's own end waits for nobody, and aborts the process (SIGABRT) when a thread it left behind holds the
    lock of a stream.
    """
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status
