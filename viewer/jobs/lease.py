"""Taking rows of work, one worker at a time, so that a killed worker's row is taken up again."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import String, and_, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from viewer.db.base import Id, UtcTime
from viewer.db.engine import Database

LEASE = timedelta(seconds=12)
"""How long a silent worker keeps its row; a living one renews every third of it."""
MOST_ATTEMPTS = 6
log = logging.getLogger("viewer.jobs")


class State(StrEnum):
    """Where a row of work stands."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"


class Leased:
    """Columns of a row of work; `key` makes queueing it twice harmless."""

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(400), unique=True)
    state: Mapped[str] = mapped_column(String(10), default=State.WAITING, index=True)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str | None] = mapped_column(String(1000))
    made_at: Mapped[datetime] = mapped_column(UtcTime)


Work = TypeVar("Work", bound=Leased)


def claim(session: Session, kind: type[Work], now: datetime, token: str) -> Work | None:
    """Lease the oldest row that is due, or whose worker fell silent; None when there is nothing to do."""
    silent = and_(kind.state == State.LEASED, kind.lease_until < now)
    due = and_(kind.state == State.WAITING, kind.due_at <= now)
    row = session.scalars(
        select(kind).where(or_(silent, due)).order_by(kind.id).limit(1).with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    row.state, row.lease_token, row.lease_until = State.LEASED, token, now + LEASE
    row.attempts += 1
    return row


def settle(session: Session, row: Leased, token: str, state: State, *, fault: str | None = None) -> bool:
    """Close the row; False, and nothing changed, when another worker has taken it over meanwhile."""
    kind = type(row)
    return _changed(session, kind, row.id, token, state=state, fault=fault, lease_until=None, lease_token=None)


def put_back(session: Session, row: Leased, token: str, due_at: datetime, *, fault: str | None, counted: bool) -> None:
    """Let the row be tried again from `due_at` on; `counted` False takes this attempt off its account."""
    attempts = row.attempts if counted else row.attempts - 1
    _changed(
        session,
        type(row),
        row.id,
        token,
        state=State.WAITING,
        due_at=due_at,
        fault=fault,
        attempts=attempts,
        lease_until=None,
        lease_token=None,
    )


def next_due(session: Session, kind: type[Leased]) -> datetime | None:
    """When the next row becomes due or its lease runs out."""
    waiting = session.scalar(select(func.min(kind.due_at)).where(kind.state == State.WAITING))
    leased = session.scalar(select(func.min(kind.lease_until)).where(kind.state == State.LEASED))
    return min((t for t in (waiting, leased) if t is not None), default=None)


def backoff(attempts: int) -> timedelta:
    """How long to wait after the given number of attempts: 5 s, 10 s, 20 s … at most 10 min."""
    return timedelta(seconds=min(5 * 2 ** max(attempts - 1, 0), 600))


@contextmanager
def kept(database: Database, row: Leased, token: str, clock: Callable[[], datetime]) -> Iterator[threading.Event]:
    """Renew the row's lease from a thread while the block runs; the event is set once the lease is lost."""
    done, lost = threading.Event(), threading.Event()

    def renew() -> None:
        while not done.wait(LEASE.total_seconds() / 3):
            try:
                with database.writing() as session:
                    if not _changed(session, type(row), row.id, token, lease_until=clock() + LEASE):
                        lost.set()
                        return
            except Exception:
                log.exception("lease not renewed job=%s", row.key)

    keeper = threading.Thread(target=renew, name="lease", daemon=True)
    keeper.start()
    try:
        yield lost
    finally:
        done.set()
        keeper.join()


def _changed(session: Session, kind: type[Leased], row_id: int, token: str, **values: object) -> bool:
    statement = update(kind).where(kind.id == row_id, kind.lease_token == token).values(**values)
    statement = statement.execution_options(synchronize_session=False)
    return len(session.scalars(statement.returning(kind.id)).all()) == 1
