"""Waking workers: Huey's queues carry an empty nudge between processes, so a lost one costs a minute and no job."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huey import PostgresHuey, RedisHuey, SqliteHuey  # type: ignore[import-untyped]
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import make_url

from viewer.settings import Settings

log = logging.getLogger("viewer.jobs")
_NUDGE = b"work"
_LISTEN_S = 1
"""How long one look at a queue of PostgreSQL or Redis waits; the file is looked at every `_POLL_S`."""
_POLL_S = 0.25
_FAULT_S = 2.0
"""Pause after a fault of the queue."""
_LONGEST_GOODBYE_S = 3.0


class Queue:
    """One queue of nudges. Nothing but `_NUDGE` goes in: Huey's own tasks are pickled, and whoever could write to the
    queue could run code in a worker.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._url, self._file = settings.queue, settings.data / "wake.db"
        self._name = f"touchline.{name}"
        self._storage: Any = None
        self._broken = False

    def nudge(self) -> None:
        """Leave a nudge, unless one lies there: whoever takes that one will see what was committed before this call."""
        for last in (False, True):
            try:
                if self._open().queue_size() == 0:
                    self._open().enqueue(_NUDGE)
            except Exception as fault:
                # A connection that fell asleep fails once.
                if last:
                    self._tell(fault)
            else:
                self._tell(None)
                return

    def heard(self, pause: Callable[[float], object]) -> bool:
        """Whether there was a nudge; False after about a second, or when the queue is out of order."""
        try:
            storage = self._open()
            nudged = storage.dequeue() is not None
        except Exception as fault:
            self._tell(fault)
            pause(_FAULT_S)
            return False
        self._tell(None)
        if not nudged and not storage.blocking:
            pause(_POLL_S)
        return nudged

    def close(self) -> None:
        """Close the connections of this thread."""
        if self._storage is not None:
            self._storage.close()

    def _open(self) -> Any:
        # Late: PostgreSQL's makes its tables at once, and a queue that is down must not keep a process from starting.
        if self._storage is None:
            self._storage = _storage(self._url, self._file, self._name)
        return self._storage

    def _tell(self, fault: Exception | None) -> None:
        if fault is not None and not self._broken:
            log.error("queue out of order, jobs wait for the minute's sweep queue=%s fault=%r", self._name, fault)
        elif fault is None and self._broken:
            log.info("queue back queue=%s", self._name)
        self._broken = fault is not None


class Wake:
    """What writers of jobs and mails hold: a call nudges the workers, from a thread of its own, and never waits."""

    def __init__(self, settings: Settings) -> None:
        self._queues = [Queue(settings, name) for name in ("jobs", "mail")]
        self._wanted, self._idle = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Nudge; the rows to work on must be committed already."""
        with self._lock:
            self._idle.clear()
            self._wanted.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wake", daemon=True)
                self._thread.start()

    def finish(self) -> None:
        """Before the process ends: let the last nudge out, if the queue takes it soon."""
        if self._thread is not None:
            self._idle.wait(_LONGEST_GOODBYE_S)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            for queue in self._queues:
                queue.nudge()
            with self._lock:
                if not self._wanted.is_set():
                    self._idle.set()


def _storage(url: str, file: Path, name: str) -> Any:
    scheme = urlsplit(url).scheme
    if not scheme:
        return SqliteHuey(name, filename=str(file), results=False, timeout=10).storage
    if scheme.startswith("postgresql"):
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        return PostgresHuey(name, dsn=dsn, results=False, read_timeout=_LISTEN_S, connect_timeout=5).storage
    pool: Any = ConnectionPool.from_url(
        url, socket_connect_timeout=3, socket_timeout=_LISTEN_S + 4, retry=Retry(NoBackoff(), 0)
    )
    return RedisHuey(name, connection_pool=pool, results=False, read_timeout=_LISTEN_S).storage
