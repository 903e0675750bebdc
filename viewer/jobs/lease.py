"""Taking rows of work, one worker at a time, so that a killed worker's row is taken up again."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from sqlalchemy import ColumnElement, Index, String, and_, func, select, update
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from viewer.db.base import Id, UtcTime
from viewer.db.engine import Database

LEASE = timedelta(seconds=12)
"""How long a silent worker keeps its row; a living one renews every third of it."""
_FIRST_WAIT_S, _LONGEST_WAIT_S, _GROWTH = 5, 3600, 4
log = logging.getLogger("viewer.jobs")


class State(StrEnum):
    """Where a row of work stands."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"


class Leased:
    """Columns of a row of work; `key` makes queueing it twice harmless.

    `lease_token` is the worker's that holds the row. It stays on a row that was closed until somebody has tidied up
    behind it. `most_attempts` is after how many the row is given up.
    """

    most_attempts: ClassVar[int]
    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(400), unique=True)
    state: Mapped[str] = mapped_column(String(10), default=State.WAITING)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str | None] = mapped_column(String(1000))
    made_at: Mapped[datetime] = mapped_column(UtcTime)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """Claiming looks at none of the many rows that are done."""
        return (Index(None, "state", "due_at", "id"),)


Work = TypeVar("Work", bound=Leased)


def claim(session: Session, table: type[Work], now: datetime, token: str, *only: ColumnElement[bool]) -> Work | None:
    """Lease a row whose worker fell silent, or else the one that is due longest; None when there is nothing to do.

    `only` narrows down which rows this worker takes.
    """
    silent = and_(table.state == State.LEASED, table.lease_until < now)
    due = and_(table.state == State.WAITING, table.due_at <= now)
    # One question each: together they would have no order that the index knows.
    for takeable in (silent, due):
        wanted = select(table).where(takeable, *only).order_by(table.due_at, table.id).limit(1)
        row = session.scalars(wanted.with_for_update(skip_locked=True)).first()
        if row is not None:
            row.state, row.lease_token, row.lease_until = State.LEASED, token, now + LEASE
            row.attempts += 1
            return row
    return None


def settle(
    session: Session, row: Leased, token: str, state: State, *, fault: str | None = None, tidy: bool = True
) -> bool:
    """Close the row; False, and nothing changed, when another worker has taken it over meanwhile.

    `tidy` False leaves what the job works on where it is, so that it can be tried again.
    """
    left = token if tidy else None
    return _changed(session, type(row), row.id, token, state=state, fault=fault, lease_until=None, lease_token=left)


def tidied(session: Session, row: Leased, token: str) -> None:
    """Write down that nothing is left of a closed row."""
    table = type(row)
    closed = update(table).where(table.id == row.id, table.lease_token == token, table.state != State.LEASED)
    session.execute(closed.values(lease_token=None).execution_options(synchronize_session=False))


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


def next_due(session: Session, table: type[Leased], *only: ColumnElement[bool]) -> datetime | None:
    """When the next row becomes due or its lease runs out."""
    waiting = session.scalar(select(func.min(table.due_at)).where(table.state == State.WAITING, *only))
    leased = session.scalar(select(func.min(table.lease_until)).where(table.state == State.LEASED, *only))
    return min((t for t in (waiting, leased) if t is not None), default=None)


def backoff(attempts: int, chance: float = 0.5) -> timedelta:
    """How long to wait after the given number of attempts: 5 s, 20 s, 80 s … at most 1 h, give or take a fifth.

    `chance`, from 0 to 1, says which way, so that what failed together is not tried again together.
    """
    wait_s = min(_FIRST_WAIT_S * _GROWTH ** max(attempts - 1, 0), _LONGEST_WAIT_S)
    return timedelta(seconds=wait_s * (0.8 + 0.4 * chance))


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


def _changed(session: Session, table: type[Leased], row_id: int, token: str, **values: object) -> bool:
    held = and_(table.id == row_id, table.lease_token == token, table.state == State.LEASED)
    statement = update(table).where(held).values(**values)
    statement = statement.execution_options(synchronize_session=False)
    return len(session.scalars(statement.returning(table.id)).all()) == 1
