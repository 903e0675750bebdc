"""What jobs are made of: each field of the portal brings its kinds of job and its periodic duties."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.clock import Clock
from viewer.db import Database
from viewer.jobs.models import Job
from viewer.media.opening import open_store
from viewer.media.store import MediaStore
from viewer.sealing import Seal
from viewer.settings import Settings


@dataclass(frozen=True)
class Tools:
    """What a worker works with."""

    database: Database
    settings: Settings
    clock: Clock
    seal: Seal

    @cached_property
    def media(self) -> MediaStore:
        """The store of the matches' files."""
        return open_store(self.settings)


@dataclass(frozen=True)
class Work:
    """A job under way. `check` raises `LeaseLost` when another worker has taken over or this one is stopping."""

    job: Job
    token: str
    tools: Tools
    check: Callable[[], None]


@dataclass(frozen=True)
class Kind:
    """A kind of job. `run` settles the job in one transaction with its effects; one without any may leave that out.

    It raises `LeaseLost` when settling finds another worker in charge, `Incurable` when no further try would help.
    `closed` removes what the job worked on: after it is done, after an incurable fault, and when a dead letter is
    dropped, but not when all tries have failed. Both may be called again after a crash.
    """

    name: str
    run: Callable[[Work], None]
    closed: Callable[[Tools, Job], None] = lambda _tools, _job: None


@dataclass(frozen=True)
class Periodic:
    """Something that is done every so often, once for the whole portal; `run` only writes rows, such as jobs."""

    name: str
    every: timedelta
    run: Callable[[Session, Tools, datetime], None]


def queue_job(session: Session, kind: str, key: str, subject: str, payload: dict[str, object], now: datetime) -> None:
    """Write a job down; nothing happens when one with this key is there already."""
    if session.scalar(select(Job.id).where(Job.key == key)) is None:
        session.add(Job(key=key, kind=kind, subject=subject, payload=payload, due_at=now, made_at=now))
