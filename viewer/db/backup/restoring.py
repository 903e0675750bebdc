"""A portal out of a backup: checked before anything is touched, and there whole or not at all."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import msgspec
from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session

from viewer.db.backup.archive import Archive, opened
from viewer.db.backup.copies import fill_postgresql, is_used
from viewer.db.backup.making import DATABASE, LISTING, MEDIA, Listing
from viewer.db.backup.media import Media
from viewer.db.engine import Database
from viewer.db.migrate import alone, revisions, upgrade, upgrade_on
from viewer.errors import BadBackup, NewerDatabase, NotEmpty
from viewer.sealing import FILE as SECRET
from viewer.sealing import fingerprint, secret_of
from wire.durable import sync_folder, write_durably

_RUNS = "the portal is running: stop its serve and worker before you restore"


class Erasures(Protocol):
    """What has been erased from the portal, and must not come back with a backup."""

    def known(self, session: Session | None, since: datetime) -> Sequence[Any]:
        """What the portal that is replaced knows; without a session what is known outside of its database."""

    def again(self, session: Session, entries: Sequence[Any], now: datetime) -> int:
        """Erase it from the restored database; how much of it was there."""


@dataclass(frozen=True)
class Target:
    """Where a backup goes. `work` is a folder on the media's disk."""

    data: Path
    database: Database
    media: Media
    work: Path


@dataclass(frozen=True)
class Restored:
    """What came of a restore. `missing` are media that the database tells of and nobody has."""

    made_at: datetime
    erased: int
    files: int
    missing: int


def restore(
    source: Path,
    target: Target,
    erasures: Erasures,
    now: datetime,
    *,
    replace: bool = False,
    other_secret: bool = False,
) -> Restored:
    """Restore the backup `source`; killed at any moment, the portal is the old or the new one.

    Raises `BadBackup`, `NewerDatabase` or `NotEmpty` before anything is touched.
    """
    with opened(source) as archive:
        _check(archive, target)
        _check_secret(archive, target.data, other_secret)
        entries = _look(target, erasures, archive.manifest.made_at, replace)
        listing = msgspec.json.decode(b"".join(archive.read(LISTING)), type=Listing)
        # First what does no harm without the rows that tell of it.
        files = _put_media(archive, listing, target)
        if SECRET in archive.names and secret_of(target.data) is None:
            write_durably(target.data / SECRET, b"".join(archive.read(SECRET)), mode=0o600)
        sqlite = target.database.engine.dialect.name == "sqlite"
        erased = (_swap_sqlite if sqlite else _swap_postgresql)(archive, target, erasures, entries, now)
        missing = sum(not _is_there(target.media, file.name) for file in listing.files)
        return Restored(archive.manifest.made_at, erased, files, missing)


def _check(archive: Archive, target: Target) -> None:
    kind, wanted = archive.manifest.kind, target.database.engine.dialect.name
    if kind != wanted:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise BadBackup(
            f"this backup is of a portal on {names.get(kind, kind)}, and this one is on {names[wanted]}: "
            "restore it into a database of its own kind"
        )
    if archive.manifest.revision not in revisions():
        raise NewerDatabase("this backup was made by a newer Touchline: update this portal before you restore it")


def _check_secret(archive: Archive, data: Path, other_secret: bool) -> None:
    mark, here = archive.manifest.secret, secret_of(data)
    if other_secret or not mark or (here is None and SECRET in archive.names):
        return
    if here is None or fingerprint(here) != mark:
        raise BadBackup(
            "the backup's portal had another secret: put that into this portal's folder as secret.key, or go on with "
            "--other-secret, after which second factors and connections to other services must be set up anew"
        )


def _look(target: Target, erasures: Erasures, since: datetime, replace: bool) -> list[Any]:
    try:
        with _there(target.database) as session:
            used = session is not None and is_used(session.connection())
            entries = list(erasures.known(session, since))
    except DatabaseError:
        # A damaged database is a reason to restore; what it knew is gone, what was written beside it is not.
        used, entries = True, list(erasures.known(None, since))
    if used and not replace:
        raise NotEmpty("this portal holds something already: add --replace to put the backup in its place")
    return entries


@contextmanager
def _there(database: Database) -> Iterator[Session | None]:
    path = database.engine.url.database
    if database.engine.dialect.name == "sqlite" and not (path and Path(path).exists()):
        yield None
    else:
        with database.reading() as session:
            yield session
    database.close()


def _put_media(archive: Archive, listing: Listing, target: Target) -> int:
    held = [file for file in listing.files if MEDIA + file.name in archive.names]
    for prefix, files in groupby(held, lambda file: file.folder):
        with tempfile.TemporaryDirectory(prefix="restore-", dir=target.work) as folder:
            for file in files:
                archive.extract(MEDIA + file.name, Path(folder, file.path))
            target.media.put(Path(folder), prefix)
    return len(held)


def _swap_postgresql(
    archive: Archive, target: Target, erasures: Erasures, entries: Sequence[Any], now: datetime
) -> int:
    with tempfile.TemporaryDirectory(prefix="restore-", dir=target.work) as folder:
        dump = Path(folder, "portal.dump")
        archive.extract(DATABASE, dump)
        with target.database.connecting() as connection:
            alone(connection)
            connection.execute(text("SET LOCAL lock_timeout = '2s'"))
            try:
                fill_postgresql(connection, dump)
            except OperationalError as fault:
                if isinstance(fault.orig, LockNotAvailable):
                    raise NotEmpty(_RUNS) from fault
                raise
            upgrade_on(connection)
            with Session(connection, expire_on_commit=False) as session:
                erased = erasures.again(session, entries, now)
                # Only hands over: the transaction is the connection's.
                session.commit()
        return erased


def _swap_sqlite(archive: Archive, target: Target, erasures: Erasures, entries: Sequence[Any], now: datetime) -> int:
    path = Path(str(target.database.engine.url.database))
    beside = path.with_name(f"{path.name}.restoring")
    _remove(beside, "", "-wal", "-shm")
    archive.extract(DATABASE, beside)
    fresh = Database(f"sqlite:///{beside}")
    try:
        with fresh.reading() as session:
            if (found := session.scalar(text("PRAGMA quick_check"))) != "ok":
                raise BadBackup(f"the backup's database is damaged: {found}")
        upgrade(fresh)
        with fresh.writing() as session:
            erased = erasures.again(session, entries, now)
        fresh.close()
        with beside.open("rb") as whole:
            os.fsync(whole.fileno())
        with _held(path):
            os.replace(beside, path)
            sync_folder(path.parent)
    finally:
        fresh.close()
        _remove(beside, "", "-wal", "-shm")
    return erased


@contextmanager
def _held(path: Path) -> Iterator[None]:
    # The old write-ahead log must be gone before the new file takes the name: SQLite would play it into that.
    if not path.exists():
        _remove(path, "-wal", "-shm")
        yield
        return
    with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as old:
        try:
            old.execute("PRAGMA journal_mode=DELETE").fetchall()
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as fault:
            raise NotEmpty(_RUNS) from fault
        except sqlite3.DatabaseError:
            _remove(path, "-wal", "-shm")
        yield


def _is_there(media: Media, path: str) -> bool:
    try:
        media.size(path)
    except FileNotFoundError:
        return False
    return True


def _remove(path: Path, *ends: str) -> None:
    for end in ends:
        path.with_name(path.name + end).unlink(missing_ok=True)
