"""What the portal writes to people about their accounts. They always arrive: nobody can unsubscribe."""

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.mail.outbox import queue_mail

_GREETING = "Touchline\n"


def send_invitation(session: Session, mail: str, becomes: str, secret: str, days: int, now: datetime, url: str) -> None:
    """Tell somebody what they are invited to be, with the link to accept."""
    text = (
        f"Hello,\n\nyou are invited to Touchline as {becomes}. Touchline shows a team its matches.\n\n"
        f"Open this link to accept:\n\n{url}/invitation/{secret}\n\n"
        f"It works once and for {days} days. Were you not expecting this? Then do nothing.\n\n{_GREETING}"
    )
    _queue(session, invitation_key(_hashed(secret)), mail, "You are invited to Touchline", text, now, url)


def invitation_key(secret_hash: str) -> str:
    """The key of the mail with an invitation, by what the invitation keeps of its secret."""
    return f"invitation:{secret_hash[:32]}"


def send_reset(session: Session, user: User, secret: str, minutes: int, now: datetime, url: str) -> None:
    """The link to a new password."""
    text = (
        f"Hello {user.name},\n\nsomebody, we hope you, asked for a new password for this address. Choose one here:\n\n"
        f"{url}/reset/{secret}\n\n"
        f"The link works once and for {minutes} minutes. Was it not you? Then do nothing, your password stays.\n\n"
        f"{_GREETING}"
    )
    _queue(session, f"reset:{_named(secret)}", user.mail, "A new password for Touchline", text, now, url, user.id)


def send_mail_change(
    session: Session, user: User, new: str, secret: str, minutes: int, now: datetime, url: str
) -> None:
    """The link by which the owner of the new address confirms it."""
    text = (
        f"Hello {user.name},\n\nconfirm that your Touchline account shall use this address from now on:\n\n"
        f"{url}/mail-change/{secret}\n\n"
        f"The link works once and for {minutes} minutes. Was it not you? Then do nothing.\n\n{_GREETING}"
    )
    _queue(session, f"mail-change:{_named(secret)}", new, "Confirm your new address", text, now, url, user.id)


def tell(session: Session, user: User, subject: str, words: str, now: datetime, url: str, to: str = "") -> None:
    """Tell the account's owner of a change that only they should have made; `to` is another address than today's."""
    text = (
        f"Hello {user.name},\n\n{words}\n\n"
        f"Was it not you? Then choose a new password at once, at {url}/sign-in/forgotten, and tell your club.\n\n"
        f"{_GREETING}"
    )
    key = f"account-change:{user.id}:{_named(words)}:{now.isoformat()}"
    _queue(session, key, to or user.mail, subject, text, now, url, user.id)


def tell_decision(
    session: Session, user: User, team: str, admitted: bool, number: int, now: datetime, url: str
) -> None:
    """Tell somebody what became of their wish to join a team; `number` names the request."""
    said = f"you now belong to {team}: {url}/" if admitted else f"{team} has not let you in. Ask its coach."
    text = f"Hello {user.name},\n\n{said}\n\n{_GREETING}"
    _queue(session, f"join-decision:{number}", user.mail, f"Your request to join {team}", text, now, url, user.id)


def _queue(
    session: Session, key: str, to: str, subject: str, text: str, now: datetime, url: str, user_id: int | None = None
) -> None:
    queue_mail(session, key, to, subject, text, now, url=url, user_id=user_id)


def _named(secret: str) -> str:
    # A key is shown to admins and logged, a secret never.
    return _hashed(secret)[:32]


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
