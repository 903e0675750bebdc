"""What was erased is remembered, without a name, until no backup can hold it: a restored portal erases it again."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from viewer.privacy.models import Erasure
from viewer.settings import Settings
from wire.durable import sync_folder, write_durably

FILE = "erasures.jsonl"


@dataclass(frozen=True)
class Entry:
    """One erasure: of the player, user or recording `subject_id`. `name` is a recording's session, else empty."""

    kind: str
    subject_id: int
    at: datetime
    name: str = ""


@dataclass(frozen=True)
class Horizon:
    """Where erasures are written down outside of the database, and for how long."""

    data: Path
    kept: timedelta


def horizon_of(settings: Settings) -> Horizon:
    """The horizon of a portal."""
    return Horizon(settings.data, timedelta(days=settings.backup_days))


def remember(session: Session, entry: Entry, horizon: Horizon, counts: dict[str, Any] | None = None) -> None:
    """Write the erasure down, in the file first: an erasure that is undone by a crash was asked for all the same."""
    until = entry.at + horizon.kept
    _append(horizon.data / FILE, entry, until)
    session.add(
        Erasure(
            kind=entry.kind,
            subject_id=entry.subject_id,
            name=entry.name,
            at=entry.at,
            horizon_at=until,
            counts=counts or {},
        )
    )


def entries_in(data: Path) -> list[Entry]:
    """The erasures that the file in a data folder tells of, oldest first; a line that a crash cut off is left out."""
    return [entry for entry, _ in _lines(data / FILE)]


def was_deleted(session: Session, name: str) -> bool:
    """Whether the recording of this session was deleted here."""
    wanted = select(Erasure.id).where(Erasure.kind == "recording", Erasure.name == name).limit(1)
    return session.scalar(wanted) is not None


def forget(session: Session, horizon: Horizon, now: datetime) -> None:
    """Drop what no backup can bring back any more; that a recording was deleted is kept, for its hub may send it."""
    session.execute(delete(Erasure).where(Erasure.horizon_at < now, Erasure.kind != "recording"))
    path = horizon.data / FILE
    with _alone(path):
        lines = _lines(path)
        kept = [(entry, until) for entry, until in lines if until >= now]
        if len(kept) < len(lines):
            write_durably(path, "".join(_line(entry, until) for entry, until in kept).encode())


def forget_all(session: Session, horizon: Horizon, erasures: Iterable[Erasure]) -> None:
    """Drop what is remembered of these erasures: what was erased was made up, and is gone with all that knew of it."""
    gone = set()
    for erasure in erasures:
        gone.add((erasure.kind, erasure.subject_id, erasure.at))
        session.delete(erasure)
    path = horizon.data / FILE
    if gone and path.exists():
        with _alone(path):
            kept = [(e, until) for e, until in _lines(path) if (e.kind, e.subject_id, e.at) not in gone]
            write_durably(path, "".join(_line(entry, until) for entry, until in kept).encode())


def _append(path: Path, entry: Entry, until: datetime) -> None:
    with _alone(path), path.open("ab") as out:
        # A line that a crash cut off must not swallow this one.
        out.write(b"\n" + _line(entry, until).encode())
        out.flush()
        os.fsync(out.fileno())
    sync_folder(path.parent)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _line(entry: Entry, until: datetime) -> str:
    told = {"kind": entry.kind, "id": entry.subject_id, "name": entry.name}
    return json.dumps({**told, "at": entry.at.isoformat(), "until": until.isoformat()}) + "\n"


def _lines(path: Path) -> list[tuple[Entry, datetime]]:
    return list(_read(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def _read(lines: Iterable[str]) -> Iterable[tuple[Entry, datetime]]:
    for line in lines:
        try:
            told = json.loads(line)
            entry = Entry(told["kind"], told["id"], datetime.fromisoformat(told["at"]), told["name"])
            yield entry, datetime.fromisoformat(told["until"])
        except (ValueError, KeyError, TypeError):
            continue
