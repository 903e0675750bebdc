"""Working off jobs and the outbox, one row at a time."""

import logging
import random
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select

from viewer.db.faults import told
from viewer.errors import Incurable, LeaseLost
from viewer.jobs.dead_letters import DROPPED
from viewer.jobs.duties import Kind, Periodic, Tools, Work
from viewer.jobs.lease import Leased, State, backoff, claim, kept, next_due, put_back, settle, tidied
from viewer.jobs.models import Job
from viewer.jobs.periodic import run_due
from viewer.jobs.register import KINDS
from viewer.mail.mailer import Batch, Mailer, NoMailServer
from viewer.mail.models import Mail
from viewer.mail.sending import send_mail

log = logging.getLogger("viewer.worker")
_LOOK = timedelta(minutes=1)
"""How often there is a look at what no nudge tells of."""


class Worker:
    """Works for one portal until `stopping` says so; `mailer` None leaves mails in the outbox.

    Several threads may share it. Jobs of kinds that it does not know are left to a newer worker.
    """

    def __init__(
        self,
        tools: Tools,
        mailer: Mailer | None,
        stopping: Callable[[], bool],
        kinds: Sequence[Kind] = KINDS,
        periodic: Sequence[Periodic] = (),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._tools, self._periodic, self._chance = tools, periodic, chance
        self._database, self._clock = tools.database, tools.clock
        self._kinds = {kind.name: kind for kind in kinds}
        self._mailer = mailer
        self._stopping = stopping
        self._looked_at: datetime | None = None

    def drain(
        self, only: type[Job] | type[Mail] | None = None, call: Callable[[], None] = lambda: None
    ) -> float | None:
        """Work off everything that is due; seconds until something else will be, None when nothing waits.

        `only` names one of the two tables. `call` is called once when there is more than one pair of hands can take.
        """
        tables: list[type[Job] | type[Mail]] = [Job, Mail] if only is None else [only]
        if self._mailer is None and Mail in tables:
            tables.remove(Mail)
        for table in tables:
            if table is Job:
                self._look()
                self._work_off(Job, call, None)
            elif self._mailer is not None:
                # One connection for all of them.
                with self._mailer.batch() as batch:
                    self._work_off(Mail, call, batch)
        with self._database.reading() as session:
            dues = (next_due(session, table, *self._takes(table)) for table in tables)
            soonest = min((t for t in dues if t is not None), default=None)
        return None if soonest is None else max((soonest - self._clock()).total_seconds(), 0.0)

    def tidy(self) -> int:
        """Tidy up after jobs that are over, where a crash came between; returns how many there were."""
        return self._tidy(State.DONE) + self._tidy(State.FAILED)

    def _look(self) -> None:
        """Each minute: periodic duties, dead letters that were dropped, and jobs that nobody here knows."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at < _LOOK:
            return
        self._looked_at = now
        run_due(self._tools, self._periodic)
        self._tidy(State.FAILED)
        with self._database.reading() as session:
            strange = session.execute(
                select(Job.kind, func.count())
                .where(Job.state == State.WAITING, Job.kind.not_in(self._kinds))
                .group_by(Job.kind)
            ).all()
        for kind, jobs in strange:
            log.warning("jobs left to a newer worker kind=%s jobs=%d", kind, jobs)

    def _takes(self, table: type[Leased]) -> tuple[ColumnElement[bool], ...]:
        return (Job.kind.in_(self._kinds),) if table is Job else ()

    def _work_off(self, table: type[Job] | type[Mail], call: Callable[[], None], batch: Batch | None) -> None:
        called = False
        while not self._stopping():
            token = secrets.token_hex(16)
            with self._database.writing() as session:
                row: Job | Mail | None = claim(session, table, self._clock(), token, *self._takes(table))
                if row is None:
                    return
                session.flush()
                more = None if called else next_due(session, table, *self._takes(table))
            if more is not None and more <= self._clock():
                called = True
                call()
            if not self._one(row, token, batch):
                return
            if table is Job:
                self._look()

    def _one(self, row: Job | Mail, token: str, batch: Batch | None) -> bool:
        """Work on one row; False when there is no use in going on with the next."""
        name = row.__tablename__
        if row.attempts > row.most_attempts:
            self._give_up(row, token, "given up: its worker died at every try")
            return True
        try:
            self._work(row, token, batch)
        except Incurable as fault:
            self._give_up(row, token, str(fault), tidy=True)
        except LeaseLost as fault:
            if self._stopping():
                self._again(row, token, "", counted=False)
            log.warning("work left kind=%s key=%s reason=%r", name, row.key, str(fault))
        except Exception as fault:
            if isinstance(row, Job):
                log.exception("work failed kind=%s key=%s attempts=%d", name, row.key, row.attempts)
            else:
                log.warning("mail delayed key=%s attempts=%d fault=%r", row.key, row.attempts, told(fault))
            if row.attempts >= row.most_attempts:
                self._give_up(row, token, f"given up: {told(fault)}")
            else:
                self._again(row, token, told(fault), counted=True)
            return not isinstance(fault, NoMailServer)
        else:
            log.info("work done kind=%s key=%s attempts=%d", name, row.key, row.attempts)
        return True

    def _work(self, row: Job | Mail, token: str, batch: Batch | None) -> None:
        with kept(self._database, row, token, self._clock) as lost:

            def check() -> None:
                if lost.is_set():
                    raise LeaseLost("another worker has taken this over")
                if self._stopping():
                    raise LeaseLost("the worker is stopping")

            if isinstance(row, Mail):
                assert batch is not None
                send_mail(self._database, batch, row, token, self._clock)
                return
            kind = self._kinds[row.kind]
            kind.run(Work(row, token, self._tools, check))
            with self._database.writing() as session:
                # Nothing to do, but for a kind that has no rows of its own to write.
                settle(session, row, token, State.DONE)
                ours = select(Job.id).where(Job.id == row.id, Job.lease_token == token, Job.state == State.DONE)
                over = session.scalar(ours) is not None
        if over:
            self._tidy_up(row, token)

    def _give_up(self, row: Job | Mail, token: str, fault: str, *, tidy: bool = False) -> None:
        with self._database.writing() as session:
            closed = settle(session, row, token, State.FAILED, fault=fault[:1000], tidy=tidy)
        if closed and tidy and isinstance(row, Job):
            self._tidy_up(row, token)
        log.error("work given up kind=%s key=%s fault=%r", row.__tablename__, row.key, fault)

    def _again(self, row: Job | Mail, token: str, fault: str, *, counted: bool) -> None:
        due_at = self._clock() + backoff(row.attempts, self._chance()) if counted else self._clock()
        with self._database.writing() as session:
            put_back(session, row, token, due_at, fault=fault[:1000] or None, counted=counted)

    def _tidy(self, state: State) -> int:
        left = select(Job).where(Job.state == state, Job.lease_token.is_not(None), Job.kind.in_(self._kinds))
        with self._database.reading() as session:
            jobs = session.scalars(left).all()
        for job in jobs:
            self._tidy_up(job, job.lease_token or "")
        return len(jobs)

    def _tidy_up(self, job: Job, token: str) -> None:
        self._kinds[job.kind].closed(self._tools, job)
        with self._database.writing() as session:
            if token == DROPPED:
                session.execute(delete(Job).where(Job.id == job.id, Job.lease_token == DROPPED))
            else:
                tidied(session, job, token)
