"""Working off jobs and the outbox, one row at a time."""

import logging
import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import select

from viewer.accounts import credentials
from viewer.errors import BadPackage, LeaseLost, NotYours
from viewer.games import intake
from viewer.jobs.duties import Kind, Tools, Work
from viewer.jobs.lease import MOST_ATTEMPTS, Leased, State, backoff, claim, kept, next_due, put_back, settle
from viewer.jobs.models import Job
from viewer.mail.mailer import MailDelayed, Mailer, MailRefused
from viewer.mail.models import Mail
from viewer.media import sweeping
from viewer.privacy import duties as privacy

log = logging.getLogger("viewer.worker")
KINDS: tuple[Kind, ...] = (*intake.KINDS, *credentials.KINDS, *sweeping.KINDS, *privacy.KINDS)
_NO_USE = (BadPackage, NotYours, MailRefused)
"""Faults that no further try would cure."""


class Worker:
    """Works for one portal until `stopping` says so; `mailer` None leaves mails in the outbox."""

    def __init__(
        self, tools: Tools, mailer: Mailer | None, stopping: Callable[[], bool], kinds: Sequence[Kind] = KINDS
    ) -> None:
        self._tools = tools
        self._database, self._clock = tools.database, tools.clock
        self._kinds = {kind.name: kind for kind in kinds}
        self._mailer = mailer
        self._stopping = stopping

    def drain(self) -> float | None:
        """Work off everything that is due; seconds until something else will be, None when nothing waits."""
        kinds: list[type[Leased]] = [Job] if self._mailer is None else [Job, Mail]
        for kind in kinds:
            while not self._stopping() and self._one(kind):
                pass
        with self._database.reading() as session:
            soonest = min((t for t in (next_due(session, kind) for kind in kinds) if t is not None), default=None)
        return None if soonest is None else max((soonest - self._clock()).total_seconds(), 0.0)

    def tidy(self) -> int:
        """Tidy up after jobs that are over, where a crash came between; returns how many there are."""
        with self._database.reading() as session:
            over = session.scalars(select(Job).where(Job.state.in_([State.DONE, State.FAILED]))).all()
        for job in over:
            self._kinds[job.kind].closed(self._tools, job)
        return len(over)

    def _one(self, kind: type[Leased]) -> bool:
        token = secrets.token_hex(16)
        with self._database.writing() as session:
            row = claim(session, kind, self._clock(), token)
        if row is None:
            return False
        if row.attempts > MOST_ATTEMPTS:
            self._close(row, token, State.FAILED, "given up: its worker died at every try")
            return True
        try:
            self._work(row, token)
        except _NO_USE as fault:
            self._close(row, token, State.FAILED, str(fault))
        except LeaseLost as fault:
            if self._stopping():
                self._again(row, token, "", counted=False)
            log.warning("work left kind=%s key=%s reason=%r", kind.__name__.lower(), row.key, str(fault))
        except Exception as fault:
            if not isinstance(fault, MailDelayed):
                log.exception("work failed kind=%s key=%s", kind.__name__.lower(), row.key)
            if row.attempts >= MOST_ATTEMPTS:
                self._close(row, token, State.FAILED, f"given up: {fault}")
            else:
                self._again(row, token, str(fault), counted=True)
        else:
            log.info("work done kind=%s key=%s attempts=%d", kind.__name__.lower(), row.key, row.attempts)
        return True

    def _work(self, row: Leased, token: str) -> None:
        with kept(self._database, row, token, self._clock) as lost:

            def check() -> None:
                if lost.is_set():
                    raise LeaseLost("another worker has taken this over")
                if self._stopping():
                    raise LeaseLost("the worker is stopping")

            if isinstance(row, Job):
                self._kinds[row.kind].run(Work(row, token, self._tools, check))
            elif isinstance(row, Mail) and self._mailer is not None:
                self._mailer.send(row)
                with self._database.writing() as session:
                    if settle(session, row, token, State.DONE):
                        session.get_one(Mail, row.id).sent_at = self._clock()

    def _close(self, row: Leased, token: str, state: State, fault: str) -> None:
        with self._database.writing() as session:
            settle(session, row, token, state, fault=fault[:1000])
        if isinstance(row, Job):
            self._kinds[row.kind].closed(self._tools, row)
        log.error("work given up kind=%s key=%s fault=%r", type(row).__name__.lower(), row.key, fault)

    def _again(self, row: Leased, token: str, fault: str, *, counted: bool) -> None:
        due_at = self._clock() + backoff(row.attempts) if counted else self._clock()
        with self._database.writing() as session:
            put_back(session, row, token, due_at, fault=fault[:1000] or None, counted=counted)
