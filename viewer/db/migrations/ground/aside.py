"""Making room for tables of the same names while rows are carried over, within one transaction.

Renaming needs no right to make schemas, and SQLite has none.
"""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

OLD = "old_"
"""What the tables that are set aside are called before their own name."""


def set_aside(connection: sa.Connection, names: Sequence[str]) -> None:
    """Rename the tables to `old_…`, and free the names of their indexes and sequences."""
    for name in names:
        connection.execute(sa.text(f'ALTER TABLE "{name}" RENAME TO "{OLD}{name}"'))
    aside = [f"{OLD}{name}" for name in names]
    if connection.dialect.name == "sqlite":
        # Those of constraints have no text and were renamed with their tables.
        found = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN :aside"
        for index in _names(connection, found, aside):
            connection.execute(sa.text(f'DROP INDEX "{index}"'))
        return
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename IN :aside"
    for number, index in enumerate(_names(connection, indexes, aside)):
        connection.execute(sa.text(f'ALTER INDEX "{index}" RENAME TO "{OLD}index_{number}"'))
    sequences = (
        "SELECT s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a' "
        "JOIN pg_class t ON t.oid = d.refobjid "
        "WHERE s.relkind = 'S' AND t.relnamespace = current_schema()::regnamespace AND t.relname IN :aside"
    )
    for number, sequence in enumerate(_names(connection, sequences, aside)):
        connection.execute(sa.text(f'ALTER SEQUENCE "{sequence}" RENAME TO "{OLD}sequence_{number}"'))


def drop_aside(connection: sa.Connection, names: Sequence[str]) -> None:
    """Drop the tables that were set aside; `names` has each after those it refers to."""
    for name in reversed(names):
        connection.execute(sa.text(f'DROP TABLE "{OLD}{name}"'))


def count_on(connection: sa.Connection, tables: Iterable[str], sources: Mapping[str, str]) -> None:
    """Let PostgreSQL number on behind the rows that were copied, and behind those that the old table had deleted.

    `sources` names the old table of a new one. SQLite remembers by itself what it has seen.
    """
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        sequence = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table})
        last = connection.scalar(sa.text(f'SELECT COALESCE(MAX(id), 0) FROM "{table}"'))  # noqa: S608 - our own name
        if table in sources:
            given = "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence(:name, 'id')::regclass), 0)"
            last = max(last, connection.scalar(sa.text(given), {"name": OLD + sources[table]}))
        if last:
            connection.execute(sa.text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def _names(connection: sa.Connection, statement: str, aside: Sequence[str]) -> list[str]:
    clause = sa.text(statement).bindparams(sa.bindparam("aside", expanding=True))
    return sorted(connection.scalars(clause, {"aside": aside}))
