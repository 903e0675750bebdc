"""Waking the worker: Huey carries a nudge between processes and nothing else, so a lost one costs only time."""

from pathlib import Path

from huey import SqliteHuey, crontab  # type: ignore[import-untyped]
from huey.api import TaskWrapper  # type: ignore[import-untyped]

from viewer.jobs.worker import Worker

_SWEEP_S = 60
"""What becomes due later than this the minute's sweep finds."""


def open_queue(path: Path) -> SqliteHuey:
    """The queue of nudges."""
    return SqliteHuey("touchline", filename=str(path), results=False, utc=True, timeout=10)


class Wake:
    """What the web process holds: one call nudges the worker."""

    def __init__(self, path: Path) -> None:
        self._nudge = _task(open_queue(path), None)

    def __call__(self) -> None:
        """Nudge; the rows to work on must be committed already."""
        self._nudge()


def attach(huey: SqliteHuey, worker: Worker) -> TaskWrapper:
    """Make `worker` drain at every nudge, and each minute for rows whose worker fell silent."""
    nudge = _task(huey, worker)
    huey.periodic_task(crontab(minute="*"), name="sweep")(worker.drain)
    return nudge


def _task(huey: SqliteHuey, worker: Worker | None) -> TaskWrapper:
    def drain() -> None:
        if worker is None:
            raise RuntimeError("only the worker process drains")
        again = worker.drain()
        if again is not None and again < _SWEEP_S:
            nudge.schedule(delay=max(again, 1.0))

    nudge: TaskWrapper = huey.task(name="drain")(drain)
    return nudge
