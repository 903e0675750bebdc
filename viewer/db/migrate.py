"""Bringing a database to this portal's schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from viewer.db.engine import Database
from viewer.errors import NewerDatabase

_LOCK = 0x70C4_11BE
"""Key of PostgreSQL's advisory lock under which one process at a time migrates."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database to `revision`, whole or not at all; raises `NewerDatabase`."""
    with database.connecting() as connection:
        upgrade_on(connection, revision)


def upgrade_on(connection: Connection, revision: str = "head") -> None:
    """`upgrade` as a part of the transaction that `connection` is in."""
    alone(connection)
    try:
        command.upgrade(config_of(connection), revision)
    except CommandError as fault:
        raise NewerDatabase(
            "this database was written by a newer Touchline: update this portal before you start it"
        ) from fault


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to `revision` (`base` for none)."""
    with database.connecting() as connection:
        alone(connection)
        command.downgrade(config_of(connection), revision)


def current(database: Database) -> str | None:
    """The revision the database is at."""
    with database.connecting() as connection:
        return current_on(connection)


def current_on(connection: Connection) -> str | None:
    """The revision that `connection` finds."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision this portal wants."""
    return ScriptDirectory.from_config(config_of(None)).get_current_head()


def revisions() -> frozenset[str]:
    """Every revision that this portal knows."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(config_of(None)).walk_revisions())


def alone(connection: Connection) -> None:
    """Wait until nobody else changes the schema, and keep others from it until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def config_of(connection: Connection | None) -> Config:
    """Where Alembic finds our migrations, and the connection that it is to use."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
