"""Reading the audit log: a page at a time, or all of it as a table."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Select, literal, select, tuple_
from sqlalchemy.orm import Session

from viewer.audit.models import AuditEntry
from viewer.db import Database
from viewer.db.base import UtcTime

PAGE = 100
_CHUNK = 1000
COLUMNS = ("id", "at", "actor", "act", "kind", "subject", "address", "detail")


@dataclass(frozen=True)
class Wanted:
    """Which entries of a club are asked for; empty fields ask for all."""

    organization_id: int
    act: str = ""
    actor: str = ""
    kind: str = ""
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def between(self, first: date | None, last: date | None) -> "Wanted":
        """The same from one day up to and with another (UTC); None: without that end."""
        since = None if first is None else datetime.combine(first, time(), UTC)
        until = None if last is None else datetime.combine(last, time(), UTC) + timedelta(days=1)
        return replace(self, since=since, until=until)


def entries(
    session: Session, wanted: Wanted, before: AuditEntry | None = None, limit: int = PAGE
) -> Sequence[AuditEntry]:
    """The newest entries that are asked for, of those older than `before`."""
    return session.scalars(_statement(wanted, before).limit(limit)).all()


def as_csv(database: Database, wanted: Wanted) -> Iterator[str]:
    """All entries that are asked for, newest first, in parts of whole lines; each part is read by itself."""
    yield _lines([COLUMNS])
    before: AuditEntry | None = None
    while True:
        with database.reading() as session:
            found = entries(session, wanted, before, _CHUNK)
        if not found:
            return
        before = found[-1]
        yield _lines([_row(entry) for entry in found])


def _statement(wanted: Wanted, before: AuditEntry | None) -> Select[AuditEntry]:
    entry = AuditEntry
    # In the order of the club's own index: by number alone, everybody else's entries would be read along.
    statement = select(entry).where(entry.organization_id == wanted.organization_id)
    statement = statement.order_by(entry.at.desc(), entry.id.desc())
    if before is not None:
        statement = statement.where(tuple_(entry.at, entry.id) < tuple_(literal(before.at, UtcTime()), before.id))
    if wanted.subject_id is not None:
        statement = statement.where(entry.subject_id == wanted.subject_id)
    if wanted.since is not None:
        statement = statement.where(entry.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(entry.at < wanted.until)
    texts = ((entry.act, wanted.act), (entry.actor_mail, wanted.actor), (entry.kind, wanted.kind))
    return statement.where(*(column == text for column, text in texts if text))


def _row(entry: AuditEntry) -> tuple[str, ...]:
    return (
        str(entry.id),
        entry.at.isoformat(),
        entry.actor_mail,
        entry.act,
        entry.kind,
        str(entry.subject_id or ""),
        entry.address,
        json.dumps(entry.detail, ensure_ascii=False, default=str),
    )


def _lines(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n").writerow
    for row in rows:
        # A cell that begins like a formula would be one in a spreadsheet.
        write([f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in row])
    return out.getvalue()
