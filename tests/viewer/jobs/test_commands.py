"""`touchline-viewer jobs`, on SQLite and PostgreSQL."""

import json

import pytest
from sqlalchemy import select

from tests.viewer.world import NOW
from viewer.audit.models import AuditEntry
from viewer.cli import main
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.jobs.wake import Queue
from viewer.mail.models import Mail


@pytest.fixture
def jobs(database, settings):
    """Calls the command; the database has two dead jobs, one that waits, and a dead mail."""
    common = {"due_at": NOW, "made_at": NOW, "attempts": 8}
    with database.writing() as session:
        for n, state in enumerate((State.FAILED, State.FAILED, State.WAITING), 1):
            session.add(
                Job(id=n, key=f"k{n}", kind="intake", subject="s", payload={"n": n}, state=state, fault="no", **common)
            )
        session.add(
            Mail(
                id=1, key="m", recipient="a@example.org", subject="s", text="a secret link", message_id="<1>",
                state=State.FAILED, fault="550", **common,
            )
        )  # fmt: skip

    def call(*words: str) -> int:
        return main(["jobs", "--data", str(settings.data), "--database", settings.database, *words])

    return call


def state(database, row_id: int, table=Job) -> str | None:
    with database.reading() as session:
        row = session.get(table, row_id)
        return row and row.state


def test_list_counts_what_is_not_done_and_names_dead_letters(jobs, capsys):
    assert jobs("list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "intake failed 2",
        "intake waiting 1",
        "mail failed 1",
        f"oldest due {NOW.isoformat()}",
        "job 2 intake k2 attempts=8 fault='no'",
        "job 1 intake k1 attempts=8 fault='no'",
    ]
    jobs("--mail", "list")
    assert "mail 1 a@example.org m attempts=8 fault='550'" in capsys.readouterr().out


def test_show_prints_a_row_but_not_what_a_mail_says(jobs, capsys):
    assert jobs("show", "2") == 0
    assert json.loads(capsys.readouterr().out)["payload"] == {"n": 2}
    assert jobs("--mail", "show", "1") == 0
    assert "secret" not in capsys.readouterr().out
    assert jobs("show", "99") == 1


def test_retry_lets_a_dead_letter_wait_again_and_wakes_a_worker(jobs, database, settings, capsys):
    assert jobs("retry", "1") == 0
    assert capsys.readouterr().out == "1 to be tried again\n"
    assert (state(database, 1), state(database, 2)) == (State.WAITING, State.FAILED)
    queue = Queue(settings, "jobs")
    assert queue.heard(lambda _s: None)
    queue.close()
    assert jobs("retry", "1") == 1, "it is none any more"


def test_all_means_every_dead_letter_of_one_table(jobs, database, capsys):
    assert jobs("retry", "--all") == 0
    assert capsys.readouterr().out == "2 to be tried again\n"
    assert [state(database, n) for n in (1, 2)] == [State.WAITING] * 2
    assert state(database, 1, Mail) == State.FAILED


def test_drop_gives_up_for_good(jobs, database, capsys):
    assert jobs("--mail", "drop", "1") == 0
    assert jobs("drop", "3") == 1, "what waits is no dead letter"
    assert state(database, 1, Mail) is None
    assert state(database, 3) == State.WAITING


@pytest.mark.parametrize("words", [("retry",), ("drop",), ("show",), ("show", "--all")])
def test_nothing_is_touched_unless_it_is_said_what(jobs, database, words):
    assert jobs(*words) == 2
    assert state(database, 1) == State.FAILED


def test_what_is_retried_or_dropped_by_command_is_in_the_audit_log_and_nothing_else_is(jobs, database):
    jobs("retry", "1", "3", "77")
    jobs("drop", "--all")
    jobs("--mail", "drop", "1", "1")
    jobs("--mail", "drop", "1")
    with database.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(e.act, e.kind, e.subject_id, e.actor_id, e.detail) for e in entries] == [
        ("retry", "job", 1, None, {}),
        ("drop", "job", 2, None, {"what": "intake"}),
        ("drop", "mail", 1, None, {"what": "Mail to a@example.org"}),
    ]


def test_the_outbox_is_listed_by_state_without_what_mails_say(jobs, database, capsys):
    with database.writing() as session:
        for n in range(2, 62):
            sent = {"key": f"m{n}", "recipient": f"b{n}@example.org", "subject": "A match", "message_id": f"<{n}>"}
            moment = {"due_at": NOW, "made_at": NOW, "state": State.DONE}
            session.add(Mail(id=n, text="a secret link", attempts=1, **sent, **moment))
    assert jobs("--mail", "--state", "done", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 60, "more than a page of them"
    assert lines[0] == "61\t2026-11-24T10:00Z\tb61@example.org\tA match\tattempts=1"
    jobs("--mail", "--state", "failed", "list")
    assert capsys.readouterr().out == "1\t2026-11-24T10:00Z\ta@example.org\ts\tattempts=8 fault='550'\n"
    jobs("--mail", "--state", "waiting", "list")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("words", [("--state", "done", "list"), ("--mail", "--state", "failed", "drop", "1")])
def test_a_state_is_only_for_mails_that_are_listed(jobs, database, words):
    assert jobs(*words) == 1
    assert state(database, 1, Mail) == State.FAILED
