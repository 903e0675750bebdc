"""What the database finds wrong is told without what stands in its rows; on SQLite and PostgreSQL."""

import logging
from datetime import date

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InvalidRequestError, StatementError

from tests.viewer.world import NOW
from viewer.clubs.models import Season, Team
from viewer.clubs.rosters import make_organization
from viewer.db import Database
from viewer.db.faults import told
from viewer.jobs.duties import Kind, Tools
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.jobs.worker import Worker
from viewer.logs import OneLine
from viewer.sealing import Seal
from viewer.settings import Settings

DAY = date(2026, 8, 1)


def twice(database: Database) -> None:
    """Two seasons of one name, which no club has."""
    with database.writing() as session:
        club = make_organization(session, "Club", NOW)
        for _ in range(2):
            session.add(Season(organization_id=club.id, name="Robin's", starts_on=DAY, ends_on=DAY))
            session.flush()


def misread(database: Database) -> None:
    """A word where a number belongs: PostgreSQL says it in its first line."""
    with database.writing() as session:
        session.execute(text("SELECT CAST(:word AS INTEGER) + no_such_column"), {"word": "Robin"})


def unfit(database: Database) -> None:
    """A value of no column's type, which SQLAlchemy itself refuses."""
    with database.writing() as session:
        session.add(Season(organization_id=1, name="Robin", starts_on="Robin", ends_on=DAY))


@pytest.mark.parametrize("act", [twice, misread, unfit])
def test_a_database_fault_is_told_without_any_value(database: Database, act):
    with pytest.raises(StatementError) as met:
        act(database)
    assert "parameters: " not in str(met.value)
    assert told(met.value)
    assert "Robin" not in told(met.value)


def test_the_kind_and_the_constraint_are_told(database: Database, database_kind: str):
    with pytest.raises(DBAPIError) as met:
        twice(database)
    said = told(met.value)
    if database_kind == "postgresql":
        assert "Robin" in str(met.value), "PostgreSQL itself tells the value"
        assert said.startswith("UniqueViolation 23505 ")
        assert "season" in said
    else:
        assert said == "UNIQUE constraint failed: season.organization_id, season.name"


def test_psycopgs_first_line_is_not_told(new_postgres_url: str):
    database = Database(new_postgres_url)
    with database.writing() as session, pytest.raises(DBAPIError) as met:
        session.execute(text("SELECT CAST('Robin' AS INTEGER)"))
    database.close()
    assert "Robin" in str(met.value.orig)
    assert told(met.value) == told(met.value.orig) == "InvalidTextRepresentation 22P02"


def after_a_fault(database: Database) -> None:
    """Going on after a fault, which SQLAlchemy then quotes."""
    with database.writing() as session:
        club = make_organization(session, "Club", NOW)
        session.add_all([Season(organization_id=club.id, name="Robin", starts_on=DAY, ends_on=DAY) for _ in range(2)])
        with pytest.raises(DBAPIError):
            session.flush()
        session.get(Team, 1)


def test_a_fault_that_quotes_an_earlier_one_is_told_without_it(database: Database):
    with pytest.raises(InvalidRequestError) as met:
        after_a_fault(database)
    assert "season" in str(met.value)
    assert told(met.value).startswith("Can't operate on closed transaction")
    assert "Robin" not in told(met.value)


def test_other_faults_say_what_they_say():
    assert told(ValueError("two\nlines")) == "two\nlines"
    assert told(psycopg.OperationalError("the server is away\nand more")) == "the server is away"


@pytest.mark.parametrize("attempts", [0, Job.most_attempts - 1])
def test_a_job_that_the_database_refuses_names_no_child_in_its_fault_or_in_the_log(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture, attempts: int
):
    with database.writing() as session:
        job = Job(key="k", kind="twice", subject="s", payload={}, due_at=NOW, made_at=NOW, attempts=attempts)
        session.add(job)
    kind = Kind("twice", lambda work: twice(work.tools.database))
    with caplog.at_level(logging.INFO):
        Worker(Tools(database, settings, lambda: NOW, Seal(b"a secret")), None, lambda: False, [kind]).drain()
    with database.reading() as session:
        kept = session.get_one(Job, job.id)
    assert kept.state == (State.FAILED if attempts else State.WAITING)
    assert "season" in kept.fault
    lines = [OneLine().format(record) for record in caplog.records]
    assert any("work failed" in line and "season" in line for line in lines)
    for said in (kept.fault, *lines):
        assert "Robin" not in said
