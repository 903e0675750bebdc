"""Connections and transactions."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.orm import Session

from viewer.errors import BadSettings

_WRITES = "touchline_writes"
_KEPT, _MORE = 8, 27
"""Connections: the portal's handlers are few, a worker has as many threads as it was told, and none of them is to wait
for another's. Two processes stay below PostgreSQL's usual 100."""
_POOL_WAIT_S = 10
_RESTED_S = 5.0
"""A connection that has rested so long is tried before it is used. At each use that would cost a page a tenth of its
time; the first that fails within these seconds takes all others of its age out of the pool."""
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_EACH_ALONE = {"isolation_level": "AUTOCOMMIT"}
_TIMEOUTS = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}
"""PostgreSQL's guard against a statement, a wait or a forgotten transaction that would hold up everybody."""


class Database:
    """One database and its transactions; sync, so that web handlers (in threads), worker and commands share it."""

    def __init__(self, url: str) -> None:
        try:
            self.engine = create_engine(
                url, pool_size=_KEPT, max_overflow=_MORE, pool_timeout=_POOL_WAIT_S, hide_parameters=True
            )
        except (ArgumentError, ImportError) as fault:
            raise BadSettings("--database is written sqlite:///FILE or postgresql+psycopg://user@host/name") from fault
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            event.listen(self.engine, "connect", _prepare_postgresql)
            event.listen(self.engine, "checkin", _note_rest)
            event.listen(self.engine, "checkout", _try_rested)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the database and changes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            if self.engine.dialect.name == "postgresql":
                session.connection(execution_options=_SNAPSHOT)
            yield session

    @contextmanager
    def glancing(self) -> Iterator[Session]:
        """Single questions that need not see one state together, without the two ways that a transaction costs."""
        with Session(self.engine, expire_on_commit=False) as session:
            if self.engine.dialect.name == "postgresql":
                session.connection(execution_options=_EACH_ALONE)
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at the end of the block, or undone when the block raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options={_WRITES: True})
            yield session

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """A bare connection in a write transaction that may take its time, for migrations and copies."""
        with self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                for name in _TIMEOUTS:
                    connection.exec_driver_sql(f"SET LOCAL {name} = 0")
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transactions would commit around DDL: BEGIN is ours (see _begin_sqlite).
    connection.isolation_level = None
    # FULL syncs every commit: hubs delete what the portal has confirmed, so no confirmed row may go with the power.
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=10000", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in _TIMEOUTS.items())
    connection.execute(f"SELECT {settings}")
    connection.commit()


def _note_rest(_connection: Any, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


def _try_rested(connection: Any, record: Any, _proxy: Any) -> None:
    if time.monotonic() - record.info.get("rests_since", float("inf")) < _RESTED_S:
        return
    try:
        connection.execute("")
        connection.rollback()
    except Exception as fault:
        # The pool opens another one.
        raise DisconnectionError("the database has closed this connection") from fault


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader fails at once, without waiting, when another wrote in between.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
