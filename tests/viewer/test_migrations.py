"""The schema's way up and down, on SQLite and PostgreSQL."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, Table, inspect, text

import viewer.db.migrate
from viewer.db import Database, UtcTime
from viewer.db.migrate import current, downgrade, newest, upgrade
from viewer.db.models import metadata
from viewer.db.revising import write_revision
from viewer.errors import NewerDatabase


def test_migrations_make_exactly_what_the_models_say(database: Database):
    with database.connecting() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_make_the_checks_and_the_cascades_of_the_models(empty_database: Database, database_url: str):
    # What alembic does not compare: both ways of making the tables, side by side.
    upgrade(empty_database)
    migrated = shape(empty_database)
    downgrade(empty_database, "base")
    metadata.create_all(empty_database.engine)
    assert shape(empty_database) == migrated


def shape(database: Database) -> dict[str, object]:
    """What the database itself says of its tables."""
    found = inspect(database.engine)
    names = sorted(set(found.get_table_names()) - {"alembic_version"})
    counted = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
    with database.reading() as session:
        never_reused = session.scalars(text(counted)).all() if database.engine.dialect.name == "sqlite" else []
    return {
        name: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(name)},
            "indexes": sorted(map(repr, found.get_indexes(name))),
            "unique": sorted(map(repr, found.get_unique_constraints(name))),
            "foreign": sorted(map(repr, found.get_foreign_keys(name))),
            "checks": sorted(map(repr, found.get_check_constraints(name))),
            "key": found.get_pk_constraint(name),
            "never reused": name in never_reused,
        }
        for name in names
    }


def test_every_revision_is_reached_from_below_and_from_above(empty_database: Database):
    every = ["base", *(script.revision for script in reversed(list(revisions())))]
    looked = {}
    for revision in every:
        # One step up; whatever lies further apart is made of such steps, once they are known to undo each other.
        move(empty_database, every, revision)
        looked[revision] = shape(empty_database)
    for revision in reversed(every):
        move(empty_database, every, revision)
        assert shape(empty_database) == looked[revision], f"down to {revision}"
    for revision in every:
        move(empty_database, every, revision)
        assert shape(empty_database) == looked[revision], f"up to {revision} again"
    for far in ("base", every[-1]):
        move(empty_database, every, far)
        assert shape(empty_database) == looked[far], f"all the way to {far}"


def move(database: Database, every: list[str], to: str) -> None:
    here = every.index(current(database) or "base")
    if every.index(to) > here:
        upgrade(database, to)
    elif every.index(to) < here:
        downgrade(database, to)
    assert (current(database) or "base") == to


def revisions():
    return ScriptDirectory(str(Path(viewer.db.migrate.__file__).parent / "migrations")).walk_revisions()


def test_revisions_stand_in_one_line():
    assert [len(script.nextrev) for script in revisions()][1:] == [1] * (len(list(revisions())) - 1)


def test_migrating_down_leaves_no_table_and_up_again_works(database: Database):
    downgrade(database, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    upgrade(database)
    assert current(database) == newest()


def test_migrating_twice_changes_nothing(database: Database):
    upgrade(database)
    assert current(database) == newest()


def test_a_failing_migration_leaves_nothing_behind(empty_database: Database):
    with empty_database.connecting() as connection:
        # The last of the first migration's tables is already there.
        connection.execute(text("CREATE TABLE sign_in (x INTEGER)"))
    with pytest.raises(Exception, match="sign_in"):
        upgrade(empty_database)
    assert inspect(empty_database.engine).get_table_names() == ["sign_in"]


def test_a_database_of_a_newer_portal_is_refused_in_words(database: Database):
    with database.connecting() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match="update this portal"):
        upgrade(database)


def test_the_next_migration_is_written_from_what_the_models_have_beyond_the_last(tmp_path):
    extra = Table(
        "pitch_side", metadata, Column("id", Integer, primary_key=True), Column("at", UtcTime, nullable=False)
    )
    try:
        made = write_revision("Sides of a pitch are kept", tmp_path)
    finally:
        metadata.remove(extra)
    told = made.read_text()
    assert made.parent == tmp_path
    assert told.startswith(f'"""Sides of a pitch are kept.\n\nRevision {int(newest()) + 1:04}, after {newest()}.')
    assert [line.strip() for line in told.splitlines() if "_table(" in line] == [
        'op.create_table("pitch_side",'.replace('"', "'"),
        'op.drop_table("pitch_side")'.replace('"', "'"),
    ]
    assert "sa.DateTime(timezone=True)" in told
    compile(told, str(made), "exec")
