"""The schema's way up and down, on SQLite and PostgreSQL."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from viewer.db import Database
from viewer.db.migrate import current, downgrade, newest, upgrade
from viewer.db.models import metadata
from viewer.errors import NewerDatabase


def test_migrations_make_exactly_what_the_models_say(database: Database):
    with database.connecting() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


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
