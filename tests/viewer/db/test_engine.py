"""What connections promise: nothing confirmed is lost, readers see one state, nobody waits for ever."""

import threading
from contextlib import ExitStack

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from tests.viewer.world import NOW
from viewer.accounts.models import User
from viewer.db import Database


def add(database: Database, mail: str) -> None:
    with database.writing() as session:
        session.add(User(mail=mail, name="Somebody", made_at=NOW))


def test_sqlite_syncs_every_commit_and_holds_to_foreign_keys(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with database.reading() as session:
        told = {
            name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.close()
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_reader_sees_one_state_while_others_write(database: Database):
    count = select(func.count()).select_from(User)
    with database.reading() as session:
        assert session.scalar(count) == 0
        add(database, "a@example.org")
        assert session.scalar(count) == 0
    with database.reading() as session:
        assert session.scalar(count) == 1


def test_every_thread_of_the_web_process_gets_a_connection_at_once(database: Database):
    with ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(database.reading()).scalar(select(func.count()).select_from(User))
        add(database, "a@example.org")


def test_a_second_writer_waits_for_the_first(database: Database):
    both = threading.Barrier(2)

    def write(mail: str) -> None:
        both.wait()
        add(database, mail)

    writers = [threading.Thread(target=write, args=(f"{n}@example.org",)) for n in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 2


def test_postgresql_ends_what_runs_too_long_but_never_a_migration(new_postgres_url: str):
    database = Database(new_postgres_url)
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with database.reading() as session:
        assert [session.scalar(text(f"SHOW {name}")) for name in names] == ["30s", "10s", "1min"]
    with database.connecting() as connection:
        assert [connection.scalar(text(f"SHOW {name}")) for name in names] == ["0", "0", "0"]
    with database.reading() as session:
        assert session.scalar(text("SHOW statement_timeout")) == "30s"
        session.execute(text("SET LOCAL statement_timeout = '10ms'"))
        with pytest.raises(OperationalError, match="statement timeout"):
            session.execute(text("SELECT pg_sleep(20)"))
    database.close()


def test_postgresql_lets_no_reader_write(new_postgres_url: str):
    database = Database(new_postgres_url)
    with database.reading() as session, pytest.raises(DBAPIError, match="read-only transaction"):
        session.execute(text("CREATE TABLE x (y INTEGER)"))
    with database.writing() as session:
        session.execute(text("CREATE TABLE x (y INTEGER)"))
    database.close()
