"""Where mails go: one interface, a mailbox for the demo and SMTP for the world."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import unquote, urlsplit

from viewer.errors import ViewerError
from viewer.mail.models import Mail
from viewer.settings import Settings


class MailRefused(ViewerError):
    """The mail server will never take this mail; trying again would not help."""


class MailDelayed(ViewerError):
    """The mail server cannot be reached or cannot take this mail now."""


class Mailer(Protocol):
    """Sends one mail, or raises `MailRefused` or `MailDelayed`."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over; a second call for the same mail must carry the same Message-ID."""
        ...


class MailboxMailer:
    """The demo's: a sent mail stays in the database, and the portal shows it on its mailbox page."""

    def send(self, mail: Mail) -> None:
        """Nothing leaves the machine."""


class SmtpMailer:
    """Hands mails to a mail server, over TLS from the start (`smtps`) or by STARTTLS where the server offers it."""

    def __init__(self, address: str, sender: str, timeout_s: float = 20.0) -> None:
        parts = urlsplit(address)
        self._tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname or "localhost", parts.port or (465 if self._tls else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._timeout_s = timeout_s

    def send(self, mail: Mail) -> None:
        """One connection per mail: the worker sends few."""
        try:
            with self._connect() as server:
                server.send_message(as_message(mail, self._sender))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as fault:
            raise _judged(fault) from fault
        except (OSError, smtplib.SMTPException) as fault:
            raise MailDelayed(f"the mail server {self._host} does not answer: {fault}") from fault

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_s, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        if self._user:
            server.login(self._user, self._password)
        return server


def as_message(mail: Mail, sender: str) -> EmailMessage:
    """The mail as RFC 5322 text."""
    message = EmailMessage()
    message["From"], message["To"] = f"Touchline <{sender}>", mail.recipient
    message["Subject"], message["Date"] = mail.subject, format_datetime(mail.made_at)
    message["Message-ID"], message["Auto-Submitted"] = mail.message_id, "auto-generated"
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
    kind = MailDelayed if 400 <= code < 500 else MailRefused
    return kind(f"the mail server said {code} {words}")
