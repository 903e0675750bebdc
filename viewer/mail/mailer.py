"""Where mails go: one interface, a mailbox for the demo and SMTP for the world."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from viewer.errors import Incurable, ViewerError
from viewer.mail.models import Mail
from viewer.settings import LOOPBACK, Settings

_POLICY = "5.7."
"""RFC 3463: refused by a rule of the server's, which says nothing about the address."""


class _WholeAddresses(EmailPolicy):
    """Leaves the address of List-Unsubscribe in one piece; the library would cut and encode it, and no mail program
    could press the button (RFC 2369 wants it plain).
    """

    def fold(self, name: str, value: Any) -> str:
        """The header as a line, or several."""
        return f"{name}: {value}{self.linesep}" if name == "List-Unsubscribe" else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The same as bytes."""
        return self.fold(name, value).encode() if name == "List-Unsubscribe" else super().fold_binary(name, value)


class MailRefused(Incurable):
    """The mail server will never take this mail; trying again would not help."""


class AddressRefused(MailRefused):
    """The mail server says that there is no such address."""


class MailDelayed(ViewerError):
    """The mail server cannot take this mail now."""


class NoMailServer(MailDelayed):
    """The mail server cannot be reached, or takes no mail of ours: there is no use in trying the next one."""


class Batch(Protocol):
    """Sends mails one after the other."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over, or raise `MailRefused` or `MailDelayed`.

        A second call for the same mail carries the same Message-ID.
        """
        ...


class Mailer(Protocol):
    """A way for mails to go."""

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """What mails are sent with; whatever it opened is closed at the end of the block."""
        ...


class MailboxMailer:
    """The demo's: a sent mail stays in the database, and the portal shows it on its mailbox page."""

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Nothing to open."""
        yield self

    def send(self, mail: Mail) -> None:
        """Nothing leaves the machine."""


class SmtpMailer:
    """Hands mails to a mail server, over TLS from the start (`smtps`) or by STARTTLS where the server offers it."""

    def __init__(
        self, address: str, sender: str, timeout_s: float = 20.0, context: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(address)
        self._tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname or "localhost", parts.port or (465 if self._tls else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._timeout_s = timeout_s
        self._context = context or ssl.create_default_context()

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """One connection for all mails of the block, made with the first."""
        batch = _SmtpBatch(self)
        try:
            yield batch
        finally:
            batch.close()

    def connect(self) -> smtplib.SMTP:
        """A connection that takes mails; raises `NoMailServer`."""
        server: smtplib.SMTP | None = None
        try:
            if self._tls:
                server = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_s, context=self._context)
            else:
                server = smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=self._context)
                elif self._user and self._host not in LOOPBACK:
                    raise smtplib.SMTPException("it offers no encryption, and the password is not sent without")
            if self._user:
                server.login(self._user, self._password)
        except (OSError, smtplib.SMTPException) as fault:
            if server is not None:
                server.close()
            raise NoMailServer(f"the mail server {self._host} cannot be used: {fault}") from fault
        return server

    @property
    def sender(self) -> str:
        """The address that mails come from."""
        return self._sender


class _SmtpBatch:
    """A connection to a mail server, made anew after it broke."""

    def __init__(self, mailer: SmtpMailer) -> None:
        self._mailer = mailer
        self._server: smtplib.SMTP | None = None

    def send(self, mail: Mail) -> None:
        message = as_message(mail, self._mailer.sender)
        if self._server is None:
            self._server = self._mailer.connect()
        try:
            self._server.send_message(message, self._mailer.sender, [mail.recipient])
        except smtplib.SMTPNotSupportedError as fault:
            raise MailRefused(f"the mail server cannot write to this address: {fault}") from fault
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as fault:
            # A server that is about to hang up says 421; smtplib has closed the connection then.
            if self._server.sock is None:
                self.close()
            raise _judged(fault) from fault
        except (OSError, smtplib.SMTPException) as fault:
            self.close()
            raise NoMailServer(f"the mail server has hung up: {fault}") from fault

    def close(self) -> None:
        """Say goodbye, if anybody is there."""
        server, self._server = self._server, None
        if server is None:
            return
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def as_message(mail: Mail, sender: str) -> EmailMessage:
    """The mail as RFC 5322 text; raises `AddressRefused` when it is for nobody who could exist."""
    message = EmailMessage(_WholeAddresses())
    try:
        # As one address, whatever it says: a comma in it makes no second one.
        recipient = Address(addr_spec=mail.recipient)
    except (ValueError, IndexError, MessageError) as fault:
        raise AddressRefused(f"{mail.recipient!r} is no mail address") from fault
    message["From"], message["To"] = Address("Touchline", addr_spec=sender), recipient
    message["Subject"], message["Date"] = " ".join(mail.subject.split()), format_datetime(mail.made_at)
    message["Message-ID"], message["Auto-Submitted"] = mail.message_id, "auto-generated"
    if mail.unsubscribe:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    return message


def mailer_of(settings: Settings) -> Mailer | None:
    """The mailer the settings ask for; None leaves mails in the outbox."""
    if settings.demo_mailbox:
        return MailboxMailer()
    if settings.smtp:
        host = urlsplit(settings.url).hostname or "localhost"
        return SmtpMailer(settings.smtp, f"no-reply@{host}")
    return None


def _judged(fault: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> ViewerError:
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(fault.recipients.values()))
        words = said.decode(errors="replace")
    else:
        code, text = fault.smtp_code, fault.smtp_error
        words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return _kind(fault, code, words)(f"the mail server said {code} {words}")


def _kind(fault: smtplib.SMTPException, code: int, words: str) -> type[ViewerError]:
    if isinstance(fault, smtplib.SMTPSenderRefused):
        # It is us whom it does not want: our settings may be put right.
        return NoMailServer
    if code < 500:
        return MailDelayed
    if isinstance(fault, smtplib.SMTPRecipientsRefused) and not words.startswith(_POLICY):
        return AddressRefused
    return MailRefused
