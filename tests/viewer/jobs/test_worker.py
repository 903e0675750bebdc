"""Jobs come through whatever happens to their worker; on SQLite and PostgreSQL."""

import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from viewer.accounts.models import User
from viewer.accounts.people import make_user
from viewer.clubs.models import Duty
from viewer.clubs.rosters import make_coach, make_organization, make_parent, make_player, make_team
from viewer.db import Database
from viewer.devices.keys import make_device
from viewer.errors import LeaseLost
from viewer.games import intake
from viewer.games.intake import package_path, queue_intake
from viewer.games.models import GameEvent, Recording
from viewer.jobs.duties import Tools, Work
from viewer.jobs.lease import LEASE, State, claim
from viewer.jobs.models import Job
from viewer.jobs.worker import Worker
from viewer.mail.mailer import MailDelayed
from viewer.mail.models import Mail
from viewer.sealing import Seal
from viewer.settings import Settings

SESSION = "1795344000-0a1b2c3d4e"
SEAL = Seal(b"a secret")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


class Postman:
    """A mailer that keeps what it is given, and is out of order for the first `faults` mails."""

    @contextmanager
    def batch(self):
        yield self

    def __init__(self, faults: int = 0) -> None:
        self.faults = faults
        self.sent: list[str] = []

    def send(self, mail: Mail) -> None:
        if self.faults:
            self.faults -= 1
            raise MailDelayed("out of order")
        self.sent.append(mail.message_id)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queued(database: Database, settings: Settings, made_package, clock) -> Settings:
    """A portal with two members and one whole package that waits for the worker."""
    bring(database, settings, made_package, clock, "upload-1")
    return settings


def bring(database, settings, package, clock, upload) -> None:
    with database.writing() as session:
        club = make_organization(session, "Club", clock())
        team = make_team(session, club, "Our rig's team", clock())
        parent = make_user(session, "parent@example.org", "Parent", "x", clock())
        sister = make_team(session, club, "riverside rovers", clock())
        child = make_player(session, sister, "Robin", "Example", clock().date(), clock())
        make_parent(session, parent, child, "parent", clock())
        coach = make_user(session, "coach@example.org", "Coach", "x", clock())
        make_coach(session, coach, team, Duty.COACH, clock())
        device = make_device(session, "hub", team, clock())
        package.tar(package_path(settings, upload))
        queue_intake(session, upload, SESSION, device.id, clock())


def worker(database, settings, clock, mailer=None, stopping=lambda: False) -> Worker:
    return Worker(Tools(database, settings, clock, SEAL), mailer or Postman(), stopping)


def count(database: Database, kind) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(kind))


def jobs(database: Database) -> list[Job]:
    with database.reading() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def test_a_package_becomes_a_match_and_one_mail_for_each_member(database, queued, clock):
    postman = Postman()
    worker(database, queued, clock, postman).drain()
    assert [job.state for job in jobs(database)] == [State.DONE]
    assert count(database, GameEvent) == 6
    assert len(postman.sent) == len(set(postman.sent)) == 2
    assert not package_path(queued, "upload-1").exists()
    assert list(queued.work.iterdir()) == []


def test_bringing_the_same_package_again_doubles_nothing(database, queued, clock, made_package):
    postman = Postman()
    worker(database, queued, clock, postman).drain()
    bring(database, queued, made_package, clock, "upload-2")
    worker(database, queued, clock, postman).drain()
    assert [job.state for job in jobs(database)] == [State.DONE] * 2
    assert (count(database, Recording), count(database, GameEvent), count(database, Mail)) == (1, 6, 2)
    assert len(postman.sent) == 2


def test_a_refined_package_replaces_rows_and_files_of_the_first(database, queued, clock, made_package):
    worker(database, queued, clock).drain()
    refined = replace(made_package, events=made_package.events[:4], clips_of=(3,))
    bring(database, queued, refined, clock, "upload-2")
    worker(database, queued, clock).drain()
    assert count(database, GameEvent) == 4
    assert len(list((queued.media / SESSION).iterdir())) == 1


def test_another_clubs_session_cannot_be_overwritten(database, queued, clock, made_package):
    worker(database, queued, clock).drain()
    with database.writing() as session:
        theirs = make_team(session, make_organization(session, "Other", clock()), "Theirs", clock())
        thief = make_device(session, "thief", theirs, clock())
        made_package.tar(package_path(queued, "upload-2"))
        queue_intake(session, "upload-2", SESSION, thief.id, clock())
    worker(database, queued, clock).drain()
    assert jobs(database)[1].state == State.FAILED
    assert "another club" in jobs(database)[1].fault


@pytest.mark.parametrize("at", ["unpack", "_heat_maps", "_write", "settle"])
def test_a_job_whose_worker_dies_anywhere_is_taken_up_when_its_lease_ends(
    database, queued, clock, monkeypatch, at, made_package
):
    class Killed(BaseException):
        """Stands for the process's end: nothing of ours gets to run."""

    real = getattr(intake, at)

    def die(*args, **named):
        real(*args, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(intake, at, die)
        patched.setattr(intake.shutil, "rmtree", lambda *a, **n: None)
        with pytest.raises(Killed):
            worker(database, queued, clock).drain()
    assert jobs(database)[0].state == State.LEASED
    worker(database, queued, clock).drain()
    assert jobs(database)[0].state == State.LEASED, "the dead worker's lease still runs"
    clock.later(seconds=LEASE.total_seconds() + 1)
    postman = Postman()
    worker(database, queued, clock, postman).drain()
    assert (jobs(database)[0].state, jobs(database)[0].attempts) == (State.DONE, 2)
    assert (count(database, Recording), count(database, GameEvent), len(postman.sent)) == (1, 6, 2)


def test_a_job_that_kills_every_worker_is_given_up(database, queued, clock):
    for _ in range(Job.most_attempts):
        with database.writing() as session:
            assert claim(session, Job, clock(), "doomed") is not None
        clock.later(seconds=LEASE.total_seconds() + 1)
    worker(database, queued, clock).drain()
    assert jobs(database)[0].state == State.FAILED
    assert package_path(queued, "upload-1").exists(), "it can be tried again"


def test_stopping_puts_the_job_back_without_counting_the_try(database, queued, clock, monkeypatch):
    stop = threading.Event()
    real = intake.unpack

    def unpack(package, folder, check):
        stop.set()
        return real(package, folder, check)

    monkeypatch.setattr(intake, "unpack", unpack)
    worker(database, queued, clock, stopping=stop.is_set).drain()
    assert (jobs(database)[0].state, jobs(database)[0].attempts) == (State.WAITING, 0)
    worker(database, queued, clock).drain()
    assert jobs(database)[0].state == State.DONE


def test_a_worker_that_lost_its_lease_changes_nothing(database, queued, clock):
    with database.writing() as session:
        job = claim(session, Job, clock(), "slow")
    clock.later(seconds=LEASE.total_seconds() + 1)
    with database.writing() as session:
        claim(session, Job, clock(), "quick")
    with pytest.raises(LeaseLost):
        intake.take_in(Work(job, "slow", Tools(database, queued, clock, SEAL), lambda: None))
    assert count(database, Recording) == 0


def test_two_workers_never_hold_the_same_job(database, queued, clock):
    taken = []

    def take(token: str) -> None:
        with database.writing() as session:
            taken.append(claim(session, Job, clock(), token))

    threads = [threading.Thread(target=take, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([job for job in taken if job is not None]) == 1


def test_mail_that_cannot_be_sent_now_is_sent_later(database, queued, clock):
    postman = Postman(faults=1)
    wait = worker(database, queued, clock, postman).drain()
    assert len(postman.sent) == 1
    assert 0 < wait <= 6
    clock.later(seconds=wait + 0.1)
    worker(database, queued, clock, postman).drain()
    assert len(postman.sent) == 2


def test_without_a_mailer_mail_waits_in_the_outbox(database, queued, clock):
    Worker(Tools(database, queued, clock, SEAL), None, lambda: False).drain()
    with database.reading() as session:
        assert set(session.scalars(select(Mail.state))) == {State.WAITING}


def test_disabled_members_get_no_mail(database, queued, clock):
    with database.writing() as session:
        session.scalars(select(User).where(User.mail == "coach@example.org")).one().disabled_at = clock()
    postman = Postman()
    worker(database, queued, clock, postman).drain()
    assert len(postman.sent) == 1
