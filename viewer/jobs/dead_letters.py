"""Dead letters: jobs and mails that were given up, until somebody tries them again or drops them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from viewer.jobs.lease import Leased, State
from viewer.jobs.models import Job
from viewer.mail.models import Mail

WorkKind = Literal["job", "mail"]
DROPPED = "dropped"
"""In place of a lease's token: the worker tidies up behind this job and deletes its row."""
_OPEN = (State.WAITING, State.LEASED, State.FAILED)


@dataclass(frozen=True)
class Count:
    """How many rows of work of one kind (a job's, or `mail`) are in one state."""

    kind: str
    state: str
    rows: int


@dataclass(frozen=True)
class Overview:
    """All work that is not done. `oldest` is when the row that could have been taken up first became due."""

    counts: tuple[Count, ...]
    oldest: datetime | None

    def total(self, state: State) -> int:
        """How many rows are in this state."""
        return sum(count.rows for count in self.counts if count.state == state)


def jobs_overview(session: Session) -> Overview:
    """What waits, what is being worked on, and what was given up."""
    jobs = select(Job.kind, Job.state, func.count()).where(
        Job.state.in_(_OPEN), Job.lease_token.is_distinct_from(DROPPED)
    )
    mails = select(Mail.state, func.count()).where(Mail.state.in_(_OPEN)).group_by(Mail.state)
    counts = [Count(kind, state, rows) for kind, state, rows in session.execute(jobs.group_by(Job.kind, Job.state))]
    counts += [Count("mail", state, rows) for state, rows in session.execute(mails)]
    due = (session.scalar(select(func.min(t.due_at)).where(t.state == State.WAITING)) for t in (Job, Mail))
    oldest = min((at for at in due if at is not None), default=None)
    return Overview(tuple(sorted(counts, key=lambda count: (count.kind, count.state))), oldest)


def failed_work(
    session: Session, kind: WorkKind, before_id: int | None = None, limit: int = 50
) -> Sequence[Job | Mail]:
    """Dead letters, newest first; `before_id` is the last one of the page before."""
    table: Any = Job if kind == "job" else Mail
    rows = select(table).where(table.state == State.FAILED, table.lease_token.is_distinct_from(DROPPED))
    if before_id is not None:
        rows = rows.where(table.id < before_id)
    return session.scalars(rows.order_by(table.id.desc()).limit(limit)).all()


def work_row(session: Session, kind: WorkKind, row_id: int) -> Job | Mail | None:
    """One row of work; None when there is none (any more)."""
    return session.get(Job, row_id) if kind == "job" else session.get(Mail, row_id)


def title_of(row: Job | Mail) -> str:
    """What a row of work is called, on pages and in the audit log."""
    return row.kind if isinstance(row, Job) else f"Mail to {row.recipient}"


def retry(session: Session, row: Leased, now: datetime) -> bool:
    """Let a dead letter be tried again with all its attempts; False when it is none (any more)."""
    session.refresh(row, with_for_update=True)
    if row.state != State.FAILED or row.lease_token == DROPPED:
        return False
    row.state, row.due_at, row.attempts, row.lease_token = State.WAITING, now, 0, None
    return True


def drop(session: Session, row: Leased) -> bool:
    """Give a dead letter up for good; False when it is none (any more)."""
    session.refresh(row, with_for_update=True)
    if row.state != State.FAILED or row.lease_token == DROPPED:
        return False
    if isinstance(row, Job):
        # What it left on disk only a worker knows to remove.
        row.lease_token = DROPPED
    else:
        session.delete(row)
    return True
