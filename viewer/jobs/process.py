"""The worker process: crews of threads around the worker, which end together."""

import logging
import signal
import threading
import time
from functools import partial
from types import FrameType

from viewer.clock import now
from viewer.db import Database
from viewer.db.migrate import upgrade
from viewer.errors import BadSettings
from viewer.jobs.crew import Crew
from viewer.jobs.duties import Tools
from viewer.jobs.models import Job
from viewer.jobs.register import KINDS, PERIODIC
from viewer.jobs.wake import Queue, Wake
from viewer.jobs.worker import Worker
from viewer.mail.mailer import mailer_of
from viewer.mail.models import Mail
from viewer.sealing import open_seal
from viewer.settings import Settings

log = logging.getLogger("viewer.worker")
_GRACE_S = 4
"""Within this many seconds of SIGTERM running jobs are put back or finished."""


def run_worker(settings: Settings, workers: int = 1) -> int:
    """Work until SIGTERM or SIGINT; what a killed worker left is taken up when its lease runs out.

    `workers` jobs are worked on at a time, mails by one more thread, so that no long job holds a mail up. The status is
    1 when a thread has died: whoever watches over the process starts it again.
    """
    if workers < 1:
        raise BadSettings("--workers: at least one is needed")
    settings.make_folders()
    database = Database(settings.database_url)
    upgrade(database)
    mailer = mailer_of(settings)
    stop, asked = threading.Event(), _signals()
    tools = Tools(database, settings, now, open_seal(settings.data))
    worker = Worker(tools, mailer, stop.is_set, KINDS, PERIODIC)
    left, wake = worker.tidy(), Wake(settings)
    crews = [Crew("jobs", Queue(settings, "jobs"), wake, partial(worker.drain, Job), workers, stop)]
    if mailer is not None:
        crews.append(Crew("mail", Queue(settings, "mail"), wake, partial(worker.drain, Mail), 1, stop))
    log.info(
        "worker started data=%s workers=%d mail=%s tidied=%d",
        settings.data,
        workers,
        type(mailer).__name__ if mailer else "kept",
        left,
    )
    for crew in crews:
        crew.start()
    threads = [thread for crew in crews for thread in crew.threads]
    dead: list[str] = []
    while not asked and not dead:
        time.sleep(0.1)
        dead = [thread.name for thread in threads if not thread.is_alive()]
    stop.set()
    busy = _joined(threads)
    if dead:
        log.critical("a thread has died, the worker ends threads=%s", ",".join(dead))
    if busy:
        log.warning("work left to whoever takes it up threads=%s", ",".join(busy))
    else:
        database.close()
    log.info("worker stopped")
    return 1 if dead else 0


def _signals() -> list[int]:
    """The signals to stop that have come; a list, since an event's own lock could be held when one comes in."""
    asked: list[int] = []

    def ask(signum: int, _frame: FrameType | None) -> None:
        asked.append(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, ask)
    return asked


def _joined(threads: list[threading.Thread]) -> list[str]:
    """Wait for the threads; the names of those that would not end."""
    end = time.monotonic() + _GRACE_S
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))
    return [thread.name for thread in threads if thread.is_alive()]
