"""What was given up is seen, tried again, or dropped; on SQLite and PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.viewer.world import NOW
from viewer.jobs.dead_letters import DROPPED, drop, failed_work, jobs_overview, retry
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.mail.models import Mail


def job(n: int, state: State, kind: str = "intake") -> Job:
    made = NOW + timedelta(minutes=n)
    return Job(
        key=f"{kind}:{n}",
        kind=kind,
        subject="s",
        payload={},
        state=state,
        due_at=made,
        made_at=made,
        attempts=8,
        fault="given up",
    )


def mail(n: int, state: State) -> Mail:
    return Mail(
        key=f"mail:{n}",
        recipient="a@example.org",
        subject="s",
        text="t",
        message_id=f"<{n}@x>",
        state=state,
        due_at=NOW,
        made_at=NOW,
    )


@pytest.fixture
def filled(database):
    with database.writing() as session:
        session.add_all(job(n, state) for n, state in enumerate([State.DONE, State.FAILED, State.WAITING]))
        session.add_all(job(n, State.FAILED) for n in range(3, 6))
        session.add(job(6, State.WAITING, "cut"))
        session.add_all([mail(1, State.FAILED), mail(2, State.DONE)])
    return database


def test_the_overview_counts_what_is_not_done_and_names_the_oldest_that_waits(filled):
    with filled.reading() as session:
        overview = jobs_overview(session)
    assert [(c.kind, c.state, c.rows) for c in overview.counts] == [
        ("cut", "waiting", 1),
        ("intake", "failed", 4),
        ("intake", "waiting", 1),
        ("mail", "failed", 1),
    ]
    assert overview.oldest == NOW + timedelta(minutes=2)
    assert overview.total(State.FAILED) == 5


def test_dead_letters_come_page_by_page_newest_first(filled):
    with filled.reading() as session:
        first = failed_work(session, "job", limit=2)
        second = failed_work(session, "job", before_id=first[-1].id, limit=2)
        assert [row.key for row in [*first, *second]] == ["intake:5", "intake:4", "intake:3", "intake:1"]
        assert [row.key for row in failed_work(session, "mail")] == ["mail:1"]


@pytest.mark.parametrize("kind", ["job", "mail"])
def test_a_retried_dead_letter_waits_again_with_all_its_attempts(filled, kind):
    with filled.writing() as session:
        row = failed_work(session, kind)[0]
        assert retry(session, row, NOW + timedelta(days=1))
    with filled.reading() as session:
        again = session.get(type(row), row.id)
        assert (again.state, again.attempts, again.due_at) == (State.WAITING, 0, NOW + timedelta(days=1))


@pytest.mark.parametrize("kind", ["job", "mail"])
def test_a_dropped_dead_letter_is_seen_no_more_and_cannot_be_retried(filled, kind):
    with filled.writing() as session:
        row = failed_work(session, kind)[0]
        assert drop(session, row)
    with filled.writing() as session:
        assert row.key not in [r.key for r in failed_work(session, kind)]
        left = session.get(type(row), row.id)
        assert left is None or not (retry(session, left, NOW) or drop(session, left))
        assert left is None or left.lease_token == DROPPED


@pytest.mark.parametrize("act", [lambda session, row: retry(session, row, NOW), drop])
def test_what_is_done_is_neither_retried_nor_dropped(filled, act):
    with filled.writing() as session:
        done = session.scalars(select(Job).where(Job.state == State.DONE)).one()
        assert not act(session, done)
        assert done.state == State.DONE
