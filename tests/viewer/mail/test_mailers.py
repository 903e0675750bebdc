"""One contract for every mailer, and what an SMTP server may answer; over a real mail server."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.viewer.mail.server import MailServer, certificate
from viewer.mail.mailer import (
    AddressRefused,
    MailboxMailer,
    MailDelayed,
    MailRefused,
    NoMailServer,
    SmtpMailer,
    as_message,
)
from viewer.mail.models import Mail


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def mail(**changes: object) -> Mail:
    fields = {
        "recipient": "pere@example.org",
        "subject": "Füchse – Bären: the match is ready",
        "text": "Hello,\n.a line that begins with a dot\nGrüße\n",
        "message_id": "<1@touchline>",
        "unsubscribe": "",
        "made_at": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return Mail(**fields | changes)


@pytest.fixture(params=["mailbox", "smtp"])
def mailer(request, server):
    return MailboxMailer() if request.param == "mailbox" else smtp(server)


def smtp(server: MailServer, scheme: str = "smtp", **options: object) -> SmtpMailer:
    return SmtpMailer(f"{scheme}://127.0.0.1:{server.port}", "no-reply@example.org", **options)


def send(mailer, *mails: Mail) -> None:
    with mailer.batch() as batch:
        for one in mails:
            batch.send(one)


def test_every_mailer_takes_a_mail_twice_without_complaint(mailer):
    same = mail()
    send(mailer, same, same)


def test_what_arrives_is_what_was_written(server):
    send(smtp(server), mail())
    send(smtp(server), mail())
    first, second = server.messages
    assert first["Subject"] == mail().subject
    assert first["To"] == "pere@example.org"
    assert first["Message-ID"] == second["Message-ID"] == "<1@touchline>"
    assert first.get_content().replace("\r\n", "\n") == mail().text
    assert "List-Unsubscribe" not in first
    assert server.envelopes[0][:2] == ("no-reply@example.org", ["pere@example.org"])


def test_all_mails_of_a_batch_go_over_one_connection(server):
    send(smtp(server), *(mail(message_id=f"<{n}@x>") for n in range(5)))
    assert (len(server.received), server.connections) == (5, 1)


def test_nothing_to_send_opens_no_connection(server):
    send(smtp(server))
    assert server.connections == 0


def test_news_can_be_ended_by_one_click_and_the_address_stays_in_one_piece(server):
    stop = f"https://touchline.a-rather-long-name.example.org/unsubscribe/123456/matches/{'a' * 43}"
    send(smtp(server), mail(unsubscribe=stop))
    assert f"\r\nList-Unsubscribe: <{stop}>\r\n".encode() in server.received[0]
    assert server.messages[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_subject_cannot_bring_headers_along(server):
    send(smtp(server), mail(subject="New\r\nBcc: everybody@example.org\r\n\r\nBuy!"))
    [message] = server.messages
    assert message["Subject"] == "New Bcc: everybody@example.org Buy!"
    assert message["Bcc"] is None
    assert server.envelopes[0][1] == ["pere@example.org"]


@pytest.mark.parametrize(
    "recipient",
    [
        "a@example.org, b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "nobody",
        "@example.org",
        "a@",
        "",
        "a b@c",
    ],
)
def test_what_is_no_single_address_gets_nothing(server, recipient):
    with pytest.raises(AddressRefused, match="is no mail address"):
        send(smtp(server), mail(recipient=recipient))
    assert server.received == []


@pytest.mark.parametrize(
    ("asked", "answer", "fault"),
    [
        ("rcpt", "451 4.7.1 greylisted", MailDelayed),
        ("rcpt", "550 5.1.1 no such box", AddressRefused),
        ("rcpt", "550 5.7.1 not from you", MailRefused),
        ("data", "452 4.3.1 no room", MailDelayed),
        ("data", "554 5.6.0 not this text", MailRefused),
        ("sender", "553 5.7.1 who are you", NoMailServer),
        ("sender", "421 4.3.2 going down", NoMailServer),
    ],
)
def test_a_refusal_is_judged_by_its_code(server, asked, answer, fault):
    getattr(server, asked).append(answer)
    with pytest.raises((MailDelayed, MailRefused), match=answer) as raised:
        send(smtp(server), mail())
    assert raised.type is fault


def test_a_batch_goes_on_after_a_refusal(server):
    server.rcpt.append("550 5.1.1 no such box")
    with smtp(server).batch() as batch:
        with pytest.raises(AddressRefused):
            batch.send(mail())
        batch.send(mail())
    assert (len(server.received), server.connections) == (1, 1)


def test_a_batch_connects_anew_after_the_server_hung_up(server):
    server.rcpt.append("421 4.3.2 going down")
    with smtp(server).batch() as batch:
        with pytest.raises(MailDelayed):
            batch.send(mail())
        batch.send(mail())
    assert (len(server.received), server.connections) == (1, 2)


def test_no_server_means_later():
    with pytest.raises(NoMailServer, match="cannot be used"):
        send(SmtpMailer("smtp://127.0.0.1:1", "no-reply@example.org"), mail())


def test_a_server_that_offers_encryption_gets_nothing_in_the_clear(tmp_path):
    theirs, ours = certificate(tmp_path)
    with MailServer(tls_context=theirs, require_starttls=True) as server:
        send(smtp(server, context=ours), mail())
    assert [encrypted for _, _, encrypted in server.envelopes] == [True]


def test_smtps_is_encrypted_from_the_first_byte(tmp_path):
    theirs, ours = certificate(tmp_path)
    with MailServer(ssl_context=theirs) as server:
        # The controller's own look whether it is up is not encrypted.
        send(smtp(server, "smtps", context=ours), mail())
    assert len(server.received) == 1


def test_a_server_with_somebody_elses_certificate_gets_no_mail(tmp_path):
    theirs, _ = certificate(tmp_path)
    with MailServer(tls_context=theirs, require_starttls=True) as server:
        with pytest.raises(NoMailServer, match="certificate"):
            send(smtp(server), mail())
        assert server.received == []


def test_a_password_is_not_said_in_the_clear(monkeypatch, server):
    monkeypatch.setattr("viewer.mail.mailer.LOOPBACK", ())
    with pytest.raises(NoMailServer, match="no encryption"):
        send(SmtpMailer(f"smtp://user:secret@127.0.0.1:{server.port}", "no-reply@example.org"), mail())


def test_the_text_keeps_its_letters_whatever_they_are():
    words = "日本 Ærø ñandú 😀\n" * 30
    assert as_message(mail(text=words), "no-reply@example.org").get_content() == words
