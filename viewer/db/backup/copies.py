"""A database as one file, consistent while others write, and the tables of such a file in a database again."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import pq
from sqlalchemy import Connection, create_engine, inspect, text

from viewer.db.engine import Database
from viewer.db.migrate import current_on
from viewer.db.migrations.ground.first import TABLES as FIRST_TABLES
from viewer.db.models import metadata
from viewer.errors import BadBackup, ToolMissing

_DEBIAN = Path("/usr/lib/postgresql")
_OF_ITSELF = {"alembic_version", "periodic_run", "consent_text"}
"""Tables that are filled without anybody having used the portal."""
_FILES = "SELECT r.folder, f.path, f.bytes, f.sha256 FROM {0} AS f JOIN {1} AS r ON r.id = f.{1}_id ORDER BY 1, 2"


@dataclass(frozen=True)
class MediaFile:
    """A file that the database lists, `path` below `folder` in the media store, and its sum when it came in."""

    folder: str
    path: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Its path in the media store."""
        return f"{self.folder}/{self.path}"


@dataclass(frozen=True)
class Copy:
    """A database in a file."""

    path: Path
    revision: str
    files: tuple[MediaFile, ...]


def copy_of(database: Database, folder: Path) -> Copy:
    """Copy the database into an empty folder, as it is at one moment; raises `ToolMissing` or `BadBackup`."""
    return _sqlite(database, folder) if database.engine.dialect.name == "sqlite" else _postgresql(database, folder)


def tables_of(connection: Connection) -> list[str]:
    """The portal's tables in the database, of whatever revision."""
    ours = {*metadata.tables, *FIRST_TABLES, "alembic_version"}
    return [name for name in inspect(connection).get_table_names() if name in ours]


def is_used(connection: Connection) -> bool:
    """Whether anybody has put anything into the database."""
    quote = connection.dialect.identifier_preparer.quote
    looked = [name for name in tables_of(connection) if name not in _OF_ITSELF]
    return any(connection.scalar(text(f"SELECT 1 FROM {quote(name)} LIMIT 1")) for name in looked)  # noqa: S608


def fill_postgresql(connection: Connection, dump: Path) -> None:
    """Replace the portal's tables by those of a dump, as a part of the transaction that `connection` is in."""
    quote = connection.dialect.identifier_preparer.quote
    if old := tables_of(connection):
        connection.exec_driver_sql(f"DROP TABLE {', '.join(map(quote, old))} CASCADE")
    driver: Any = connection.connection.driver_connection
    command = [_tool("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(dump)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as restore,
        driver.cursor() as cursor,
    ):
        _play(restore, cursor)
        said = restore.stderr.read() if restore.stderr else b""
    if restore.returncode:
        raise BadBackup(f"pg_restore cannot read the backup: {_first_line(said)}")
    # The dump empties the search path, among others.
    connection.exec_driver_sql("RESET ALL")


def _play(restore: "subprocess.Popen[bytes]", cursor: Any) -> None:
    # pg_restore connects by itself only outside of our transaction; so its script is played here, where everything
    # becomes visible at once. Rows stand between a COPY and a line with a backslash and a full stop.
    statements: list[bytes] = []

    def run() -> None:
        if script := b"".join(statements).strip():
            cursor.execute(script)
        statements.clear()

    lines = iter(restore.stdout or ())
    for line in lines:
        if line.startswith(b"COPY ") and line.rstrip().endswith(b"FROM stdin;"):
            run()
            with cursor.copy(line) as copy:
                for row in lines:
                    if row.rstrip(b"\r\n") == b"\\.":
                        break
                    copy.write(row)
        elif not line.startswith((b"--", b"\\")):
            statements.append(line)
    run()


def _sqlite(database: Database, folder: Path) -> Copy:
    target = folder / "portal.db"
    # Not SQLite's own copying: that takes along the pages of deleted rows, and with them what was erased.
    try:
        with closing(sqlite3.connect(str(database.engine.url.database), isolation_level=None)) as source:
            source.execute("PRAGMA busy_timeout=10000")
            source.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as fault:
        raise BadBackup(f"the database cannot be copied: {fault}") from fault
    engine = create_engine(f"sqlite:///{target}", hide_parameters=True)
    with engine.connect() as connection:
        copy = Copy(target, _revision(connection), _files(connection))
    engine.dispose()
    return copy


def _postgresql(database: Database, folder: Path) -> Copy:
    target = folder / "portal.dump"
    with database.reading() as session:
        connection = session.connection()
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        schema = connection.scalar(text("SELECT current_schema()"))
        copy = Copy(target, _revision(connection), _files(connection))
        wanted = [f'--table="{schema}"."{name}"' for name in tables_of(connection)]
        command = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}"]
        _call([_tool("pg_dump"), *command, *wanted], database)
    return copy


def _call(command: Sequence[str], database: Database) -> None:
    # Every user of the machine can read a command line, so that the password must not stand there.
    variables = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
    _, told = database.engine.dialect.create_connect_args(database.engine.url)
    given = {variable.decode(): str(told[name]) for name, variable in variables.items() if variable and name in told}
    done = subprocess.run(command, env={**os.environ, **given}, capture_output=True, check=False)
    if done.returncode:
        raise BadBackup(f"{Path(command[0]).name} failed: {_first_line(done.stderr)}")


def _tool(name: str) -> str:
    newest = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    found = shutil.which(name) or (str(newest[-1]) if newest else None)
    if found is None:
        raise ToolMissing(f"{name} is not here: install PostgreSQL's programs (apt-get install postgresql-client)")
    return found


def _revision(connection: Connection) -> str:
    revision = current_on(connection)
    if revision is None:
        raise BadBackup("there is no portal in this database yet: start it once before you back it up")
    return revision


def _files(connection: Connection) -> tuple[MediaFile, ...]:
    # A backup is taken before an update, too: of tables that may be older than this portal.
    names = ("recording_file", "recording") if "recording" in tables_of(connection) else ("match_file", "match")
    rows = connection.execute(text(_FILES.format(*names)))
    return tuple(MediaFile(folder, path, size, sha256) for folder, path, size, sha256 in rows)


def _first_line(said: bytes) -> str:
    return next(iter(said.decode(errors="replace").strip().splitlines()), "no reason given")
