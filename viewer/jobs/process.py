"""The worker process: Huey's consumer around the worker."""

import logging

from huey.consumer import Consumer  # type: ignore[import-untyped]

from viewer.clock import now
from viewer.db import Database
from viewer.db.migrate import upgrade
from viewer.jobs.duties import Tools
from viewer.jobs.wake import attach, open_queue
from viewer.jobs.worker import Worker
from viewer.mail.mailer import mailer_of
from viewer.sealing import open_seal
from viewer.settings import Settings

log = logging.getLogger("viewer.worker")
_GRACE_S = 4
"""Within this many seconds of SIGTERM the running job is put back or finished."""


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; what a killed worker left is taken up at once or when its lease runs out."""
    settings.make_folders()
    database = Database(settings.database_url)
    upgrade(database)
    mailer = mailer_of(settings)
    huey = open_queue(settings.queue)
    consumer = Consumer(
        huey,
        workers=1,
        worker_type="thread",
        initial_delay=0.2,
        max_delay=0.5,
        graceful_signal="TERM",
        shutdown_timeout=_GRACE_S,
    )
    worker = Worker(Tools(database, settings, now, open_seal(settings.data)), mailer, consumer.stop_flag.is_set)
    nudge = attach(huey, worker)
    left = worker.tidy()
    log.info(
        "worker started data=%s mail=%s tidied=%d", settings.data, type(mailer).__name__ if mailer else "kept", left
    )
    # A nudge may have died with the worker that took it.
    nudge()
    consumer.run()
    database.close()
    log.info("worker stopped")
