"""What a worker does with kinds of job, their faults and what they leave behind; on SQLite and PostgreSQL."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select, text

from tests.viewer.world import NOW, SettableClock
from viewer.errors import Incurable
from viewer.jobs.dead_letters import drop, failed_work, retry
from viewer.jobs.duties import Kind, Tools, queue_job
from viewer.jobs.lease import LEASE, State, backoff, claim, next_due
from viewer.jobs.models import Job
from viewer.jobs.worker import Worker
from viewer.mail.models import Mail
from viewer.sealing import Seal


class Recorder:
    """A kind that writes down what is asked of it, and fails with `faults` in turn."""

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.ran, self.closed = list(faults), [], []
        self.kind = Kind("recorded", self.run, lambda _tools, job: self.closed.append(job.key))

    def run(self, work) -> None:
        self.ran.append(work.job.key)
        if self.faults:
            raise self.faults.pop(0)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def tools(database, settings, clock) -> Tools:
    return Tools(database, settings, clock, Seal(b"a secret"))


def put(tools, *keys: str, kind: str = "recorded") -> None:
    with tools.database.writing() as session:
        for key in keys:
            queue_job(session, kind, key, "s", {}, tools.clock())


def worker(tools, *recorders: Recorder) -> Worker:
    return Worker(tools, None, lambda: False, [r.kind for r in recorders], chance=lambda: 0.5)


def job(tools, key: str) -> Job | None:
    with tools.database.reading() as session:
        return session.scalar(select(Job).where(Job.key == key))


def test_a_kind_that_writes_nothing_is_closed_by_the_worker(tools):
    recorder = Recorder()
    put(tools, "a")
    worker(tools, recorder).drain()
    assert job(tools, "a").state == State.DONE
    assert (recorder.ran, recorder.closed) == (["a"], ["a"])


def test_a_kind_that_nobody_here_knows_waits_for_a_newer_worker_and_is_told(tools, caplog):
    put(tools, "strange", kind="from the future")
    put(tools, "a")
    assert worker(tools, Recorder()).drain() is None
    assert job(tools, "strange").state == State.WAITING
    assert job(tools, "strange").attempts == 0
    assert job(tools, "a").state == State.DONE
    assert "left to a newer worker kind=from the future jobs=1" in caplog.text


def test_a_fault_that_no_try_cures_is_given_up_at_once(tools):
    recorder = Recorder(Incurable("the file is damaged"))
    put(tools, "a")
    worker(tools, recorder).drain()
    assert (job(tools, "a").state, job(tools, "a").attempts, job(tools, "a").fault) == (
        State.FAILED,
        1,
        "the file is damaged",
    )
    assert recorder.closed == ["a"]


def test_a_job_that_keeps_failing_waits_longer_each_time_and_becomes_a_dead_letter(tools, clock):
    recorder = Recorder(*(OSError("disk full") for _ in range(Job.most_attempts)))
    put(tools, "a")
    waits = []
    while job(tools, "a").state == State.WAITING:
        wait = worker(tools, recorder).drain()
        if wait is not None:
            waits.append(round(wait))
            clock.now += timedelta(seconds=wait)
    assert waits == [5, 20, 80, 320, 1280, 3600, 3600]
    assert job(tools, "a").fault == "given up: disk full"
    assert recorder.closed == [], "what it works on is kept for a retry"


def test_a_retried_dead_letter_runs_again(tools):
    recorder = Recorder(Incurable("no"))
    put(tools, "a")
    worker(tools, recorder).drain()
    with tools.database.writing() as session:
        assert retry(session, failed_work(session, "job")[0], tools.clock())
    worker(tools, recorder).drain()
    assert job(tools, "a").state == State.DONE


def test_a_dropped_dead_letter_is_tidied_up_and_gone_within_a_minute(tools, clock):
    recorder = Recorder(*(OSError() for _ in range(Job.most_attempts)))
    put(tools, "a")
    ours = worker(tools, recorder)
    while job(tools, "a").state != State.FAILED:
        clock.now += timedelta(hours=2)
        ours.drain()
    with tools.database.writing() as session:
        assert drop(session, failed_work(session, "job")[0])
    clock.now += timedelta(minutes=1)
    ours.drain()
    assert job(tools, "a") is None
    assert recorder.closed == ["a"]
    put(tools, "a")
    ours.drain()
    assert job(tools, "a").state == State.DONE


def test_a_crash_between_the_end_of_a_job_and_its_tidying_up_is_made_good_at_the_next_start_and_only_once(tools):
    class Killed(BaseException):
        pass

    recorder = Recorder()

    def die(*_: object) -> None:
        raise Killed

    put(tools, "a")
    with pytest.raises(Killed):
        Worker(tools, None, lambda: False, [Kind("recorded", recorder.run, die)]).drain()
    assert job(tools, "a").state == State.DONE
    assert worker(tools, recorder).tidy() == 1
    assert recorder.closed == ["a"]
    assert worker(tools, recorder).tidy() == 0


def test_what_a_worker_ends_that_lost_its_lease_is_not_tidied_up_behind_the_other_ones_back(tools, clock):
    recorder = Recorder()

    def slow(work) -> None:
        clock.now += LEASE + timedelta(seconds=1)
        with tools.database.writing() as session:
            assert claim(session, Job, clock(), "another") is not None

    put(tools, "a")
    Worker(tools, None, lambda: False, [Kind("recorded", slow, recorder.kind.closed)]).drain()
    assert (job(tools, "a").state, job(tools, "a").lease_token) == (State.LEASED, "another")
    assert recorder.closed == []


def test_hands_are_called_for_only_when_there_is_more_to_do(tools):
    calls = []
    put(tools, "a")
    worker(tools, Recorder()).drain(Job, lambda: calls.append(1))
    assert calls == []
    put(tools, "b", "c", "d")
    worker(tools, Recorder()).drain(Job, lambda: calls.append(1))
    assert calls == [1]


def test_several_workers_share_the_work_and_do_nothing_twice(tools):
    recorder = Recorder()
    put(tools, *(str(n) for n in range(40)))
    threads = [threading.Thread(target=worker(tools, recorder).drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(recorder.ran, key=int) == [str(n) for n in range(40)]


def test_waits_grow_to_an_hour_and_differ_by_chance():
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 9)] == [5, 20, 80, 3600]
    assert (backoff(1, 0.0).total_seconds(), backoff(1, 1.0).total_seconds()) == (4, 6)


@pytest.mark.slow
@pytest.mark.parametrize("table", [Job, Mail])
def test_claiming_looks_at_an_index_beside_two_hundred_thousand_done_rows(tools, table):
    common = {"kind": "recorded", "subject": "s", "payload": {}}
    if table is Mail:
        common = {"recipient": "a@example.org", "subject": "s", "text": "t", "message_id": "<1>", "unsubscribe": ""}
    rest = {"state": State.DONE, "due_at": NOW, "made_at": NOW, "attempts": 1}
    with tools.database.writing() as session:
        for begin in range(0, 200_000, 20_000):
            rows = [{"key": f"done:{n}", **common, **rest} for n in range(begin, begin + 20_000)]
            session.execute(insert(table), rows)
        waiting = [{"key": f"waiting:{n}", **common, **rest, "state": State.WAITING} for n in range(50)]
        session.execute(insert(table), waiting)
    with tools.database.writing() as session:
        session.execute(text("ANALYZE"))
    asked = []
    listen = (tools.database.engine, "before_cursor_execute", lambda _c, _u, sql, given, *_: asked.append((sql, given)))
    event.listen(*listen)
    with tools.database.writing() as session:
        only = (table.kind.in_(["recorded"]),) if table is Job else ()
        row = claim(session, table, NOW, "token", *only)
        next_due(session, table, *only)
    event.remove(*listen)
    assert row.key == "waiting:0"
    selects = [(sql, given) for sql, given in asked if sql.startswith("SELECT")]
    assert len(selects) == 4
    explain = "EXPLAIN" if tools.database.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    for sql, given in selects:
        with tools.database.reading() as session:
            plan = session.connection().exec_driver_sql(f"{explain} {sql}", given).all()
        words = " ".join(str(column) for line in plan for column in line)
        assert f"ix_{table.__tablename__}_state_due_at_id" in words, words
        assert "Seq Scan" not in words
        assert "SCAN" not in words
