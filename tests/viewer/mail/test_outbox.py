"""Mails on their way out, over a real mail server; on SQLite and PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.viewer.mail.server import MailServer
from tests.viewer.world import NOW, SettableClock
from viewer.accounts.models import User
from viewer.accounts.people import make_user
from viewer.jobs.duties import Tools
from viewer.jobs.lease import LEASE, State
from viewer.jobs.worker import Worker
from viewer.mail.mailer import SmtpMailer
from viewer.mail.models import Mail
from viewer.mail.outbox import queue_mail
from viewer.sealing import Seal


@pytest.fixture
def server():
    with MailServer() as server:
        yield server


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def tools(database, settings, clock) -> Tools:
    return Tools(database, settings, clock, Seal(b"a secret"))


def put(tools, *keys: str, to: str = "a@example.org") -> None:
    with tools.database.writing() as session:
        for key in keys:
            queue_mail(session, key, to, f"About {key}", "Hello", tools.clock(), url="https://portal.example.org")


def drain(tools, server) -> float | None:
    mailer = SmtpMailer(f"smtp://127.0.0.1:{server.port}", "no-reply@example.org")
    return Worker(tools, mailer, lambda: False, (), chance=lambda: 0.5).drain(Mail)


def mails(tools) -> dict[str, Mail]:
    with tools.database.reading() as session:
        return {mail.key: mail for mail in session.scalars(select(Mail))}


def test_a_mail_is_queued_once_and_sent_once(tools, server):
    put(tools, "a", "b")
    put(tools, "a")
    drain(tools, server)
    drain(tools, server)
    assert [message["Subject"] for message in server.messages] == ["About a", "About b"]
    assert server.connections == 1
    assert {(mail.state, mail.sent_at) for mail in mails(tools).values()} == {(State.DONE, NOW)}


def test_a_server_that_says_later_gets_the_mail_later_with_the_same_id(tools, server, clock):
    server.rcpt.append("451 4.7.1 greylisted")
    put(tools, "a", "b")
    wait = drain(tools, server)
    assert [message["Subject"] for message in server.messages] == ["About b"], "the others go on"
    assert mails(tools)["a"].fault.endswith("451 4.7.1 greylisted")
    assert wait == 5
    clock.now += timedelta(seconds=wait)
    assert drain(tools, server) is None
    assert server.messages[1]["Message-ID"] == mails(tools)["a"].message_id


def test_a_server_that_is_away_costs_one_try_and_not_one_for_every_mail(tools, clock):
    with MailServer() as server:
        pass
    put(tools, "a", "b", "c")
    assert drain(tools, server) == 0
    assert sorted(mail.attempts for mail in mails(tools).values()) == [0, 0, 1]


def test_a_mail_has_about_a_day_until_it_is_given_up(tools, server, clock):
    server.rcpt = ["451 later"] * 100
    put(tools, "a")
    while (wait := drain(tools, server)) is not None:
        clock.now += timedelta(seconds=wait)
    assert mails(tools)["a"].state == State.FAILED
    assert timedelta(hours=20) < clock.now - NOW < timedelta(hours=30)


def test_an_address_that_does_not_exist_is_marked_until_a_mail_arrives_there_after_all(tools, server):
    with tools.database.writing() as session:
        make_user(session, "a@example.org", "A", None, NOW)
        make_user(session, "b@example.org", "B", None, NOW)

    def marked() -> dict[str, str | None]:
        with tools.database.reading() as session:
            return dict(session.execute(select(User.mail, User.refused_mail)).all())

    server.rcpt.append("550 5.1.1 no such box")
    put(tools, "a")
    drain(tools, server)
    assert mails(tools)["a"].state == State.FAILED
    assert mails(tools)["a"].attempts == 1
    assert marked() == {"a@example.org": "a@example.org", "b@example.org": None}
    put(tools, "reset")
    drain(tools, server)
    assert marked() == {"a@example.org": None, "b@example.org": None}


def test_a_text_that_is_refused_marks_nobody(tools, server):
    with tools.database.writing() as session:
        make_user(session, "a@example.org", "A", None, NOW)
    server.data.append("554 5.6.0 not this text")
    put(tools, "a")
    drain(tools, server)
    with tools.database.reading() as session:
        assert session.scalars(select(User.refused_mail)).all() == [None]
    assert mails(tools)["a"].state == State.FAILED


def test_a_mail_whose_worker_dies_while_sending_goes_out_again_with_the_same_id(tools, server, clock, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    put(tools, "a")
    with monkeypatch.context() as patched:
        patched.setattr("viewer.mail.sending.settle", die)
        with pytest.raises(Killed):
            drain(tools, server)
    drain(tools, server)
    assert len(server.received) == 1, "the dead worker's lease still runs"
    clock.now += LEASE + timedelta(seconds=1)
    drain(tools, server)
    assert len({message["Message-ID"] for message in server.messages}) == 1
    assert len(server.messages) == 2


def test_a_subject_is_one_line_however_it_was_given(tools):
    with tools.database.writing() as session:
        queue_mail(session, "a", "a@example.org", "One\r\nBcc: two", "t", NOW, url="https://x.example")
    assert mails(tools)["a"].subject == "One Bcc: two"
