"""Connections and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from viewer.errors import BadSettings

_WRITES = "touchline_writes"


class Database:
    """One database and its transactions; sync, so that web handlers (in threads), worker and commands share it."""

    def __init__(self, url: str) -> None:
        try:
            self.engine = create_engine(url, pool_pre_ping=True)
        except (ArgumentError, ImportError) as fault:
            raise BadSettings("--database is written sqlite:///FILE or postgresql+psycopg://user@host/name") from fault
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the database and changes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at the end of the block, or undone when the block raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options={_WRITES: True})
            yield session

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """A bare connection in a write transaction, for migrations."""
        with self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transactions would commit around DDL: BEGIN is ours (see _begin_sqlite).
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=10000", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader fails at once, without waiting, when another wrote in between.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
