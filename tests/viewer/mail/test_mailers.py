"""One contract for every mailer, SMTP spoken with a small server of our own."""

import asyncio
import email
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.policy import default

import pytest

from viewer.mail.mailer import MailboxMailer, MailDelayed, MailRefused, SmtpMailer
from viewer.mail.models import Mail


class SmtpServer:
    """Takes mails over SMTP on a thread of its own; answers RCPT with `rcpt`."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.rcpt = "250 ok"
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "SmtpServer":
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._done = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._done.wait()
        server.close()
        await server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                lines = []
                while (text := await reader.readline()) != b".\r\n":
                    lines.append(text.removeprefix(b".") if text.startswith(b"..") else text)
                self.received.append(b"".join(lines))
            answer = {b"RCPT": self.rcpt, b"QUIT": "221 bye"}.get(word, "250 ok")
            writer.write(f"{answer}\r\n".encode())
            if word == b"QUIT":
                break
        await writer.drain()
        writer.close()


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def mail() -> Mail:
    return Mail(
        recipient="père@example.org".replace("è", "e"),
        subject="Füchse – Bären: the match is ready",
        text="Hello,\n.a line that begins with a dot\nGrüße\n",
        message_id="<1@touchline>",
        made_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


@pytest.fixture(params=["mailbox", "smtp"])
def mailer(request, server):
    return MailboxMailer() if request.param == "mailbox" else smtp(server)


def smtp(server: SmtpServer) -> SmtpMailer:
    return SmtpMailer(f"smtp://127.0.0.1:{server.port}", "no-reply@example.org")


def test_every_mailer_takes_a_mail_twice_without_complaint(mailer):
    same = mail()
    mailer.send(same)
    mailer.send(same)


def test_what_arrives_is_what_was_written(server):
    smtp(server).send(mail())
    smtp(server).send(mail())
    first, second = (email.message_from_bytes(raw, policy=default) for raw in server.received)
    assert first["Subject"] == mail().subject
    assert first["To"] == "pere@example.org"
    assert first["Message-ID"] == second["Message-ID"] == "<1@touchline>"
    assert first.get_content().replace("\r\n", "\n") == mail().text


@pytest.mark.parametrize(("answer", "fault"), [("451 later", MailDelayed), ("550 no such box", MailRefused)])
def test_a_refusal_is_judged_by_its_code(server, answer, fault):
    server.rcpt = answer
    with pytest.raises(fault, match=answer):
        smtp(server).send(mail())


def test_no_server_means_later():
    with pytest.raises(MailDelayed, match="does not answer"):
        SmtpMailer("smtp://127.0.0.1:1", "no-reply@example.org").send(mail())
