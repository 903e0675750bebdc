"""Periodic duties run once, however many workers there are; on SQLite and PostgreSQL."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.viewer.world import NOW, SettableClock
from viewer.accounts.models import SignIn, SignInTry, Ticket
from viewer.accounts.people import make_user
from viewer.accounts.service import IDLE, new_sign_in
from viewer.jobs.duties import Periodic, Tools, queue_job
from viewer.jobs.housekeeping import KEPT, forget_done, sweep_expired
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.jobs.periodic import run_due, slot_of
from viewer.jobs.register import KINDS, PERIODIC
from viewer.mail.models import Mail
from viewer.sealing import Seal

EVERY = timedelta(minutes=10)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def tools(database, settings, clock) -> Tools:
    return Tools(database, settings, clock, Seal(b"a secret"))


def count_up(session, _tools, now) -> None:
    """A duty that leaves a job for each of its runs."""
    number = session.scalar(select(func.count()).select_from(Job))
    queue_job(session, "counted", f"run:{number}", "s", {}, now)


DUTY = Periodic("count", EVERY, count_up)


def runs(database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Job))


def test_of_many_workers_one_runs_each_slot(tools, clock):
    ran = []

    def work() -> None:
        ran.append(run_due(tools, [DUTY]))

    for slot in range(4):
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert runs(tools.database) == sum(ran) == slot + 1
        clock.now += EVERY


def test_a_slot_is_not_run_twice_and_not_before_its_time(tools, clock):
    clock.now = slot_of(NOW, EVERY)
    assert run_due(tools, [DUTY]) == 1
    clock.now += EVERY - timedelta(seconds=1)
    assert run_due(tools, [DUTY]) == 0
    clock.now += timedelta(seconds=1)
    assert run_due(tools, [DUTY]) == 1


def test_slots_missed_while_nothing_ran_are_made_up_for_once(tools, clock):
    run_due(tools, [DUTY])
    clock.now += timedelta(days=3)
    assert [run_due(tools, [DUTY]) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [0, 1])
def test_a_worker_that_dies_in_a_duty_has_done_nothing_and_taken_nothing(tools, clock, fault, before):
    for _ in range(before):
        run_due(tools, [DUTY])
        clock.now += EVERY

    def die(session, some_tools, now) -> None:
        count_up(session, some_tools, now)
        session.flush()
        raise fault

    try:
        assert run_due(tools, [Periodic("count", EVERY, die)]) == 0
    except KeyboardInterrupt:
        assert fault is KeyboardInterrupt
    assert runs(tools.database) == before
    assert run_due(tools, [DUTY]) == 1


def test_a_duty_that_fails_keeps_no_other_from_running(tools):
    def fail(*_: object) -> None:
        raise RuntimeError

    assert run_due(tools, [Periodic("bad", EVERY, fail), DUTY]) == 1


def test_an_hours_slot_begins_with_the_hour_and_a_weeks_on_monday():
    at = datetime(2026, 11, 25, 14, 35, 7, tzinfo=UTC)
    assert slot_of(at, timedelta(hours=1)) == datetime(2026, 11, 25, 14, tzinfo=UTC)
    assert slot_of(at, timedelta(weeks=1)) == datetime(2026, 11, 23, tzinfo=UTC)


def test_names_of_kinds_and_duties_are_unique():
    for named in (KINDS, PERIODIC):
        names = [one.name for one in named]
        assert len(names) == len(set(names))
        assert all(len(name) <= 40 for name in names)


def test_what_has_expired_is_swept_and_the_rest_stays(tools, clock):
    with tools.database.writing() as session:
        user = make_user(session, "a@example.org", "A", None, NOW)
        for name, at in (("old", NOW - timedelta(seconds=1)), ("new", NOW + timedelta(seconds=1))):
            session.add(Ticket(secret_hash=name, purpose="reset", user_id=user.id, expires_at=at))
        session.add(SignInTry(subject="account:a", at=NOW - timedelta(days=1)))
        session.add(SignInTry(subject="account:a", at=NOW))
        new_sign_in(session, user.id, NOW)
        new_sign_in(session, user.id, NOW)
        session.scalars(select(SignIn)).first().seen_at = NOW - IDLE - timedelta(seconds=1)
    with tools.database.writing() as session:
        sweep_expired(session, tools, NOW)
    with tools.database.reading() as session:
        assert session.scalars(select(Ticket.secret_hash)).all() == ["new"]
        assert session.scalars(select(SignInTry.at)).all() == [NOW]
        assert session.scalar(select(func.count()).select_from(SignIn)) == 1


def test_done_jobs_and_sent_mails_are_forgotten_and_dead_letters_stay(tools):
    old, young = NOW - KEPT - timedelta(seconds=1), NOW - KEPT + timedelta(seconds=1)
    rows = [(at, state) for at in (old, young) for state in (State.DONE, State.FAILED, State.WAITING)]
    with tools.database.writing() as session:
        for n, (at, state) in enumerate(rows):
            common = {"key": str(n), "state": state, "due_at": at, "made_at": at}
            session.add(Job(kind="k", subject="s", payload={}, **common))
            session.add(Mail(recipient="a", subject="s", text="t", message_id=f"<{n}>", **common))
    with tools.database.writing() as session:
        forget_done(session, tools, NOW)
    with tools.database.reading() as session:
        for table in (Job, Mail):
            assert sorted(session.scalars(select(table.key))) == ["1", "2", "3", "4", "5"]
