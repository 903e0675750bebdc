"""Secrets that work once and not for long: links in mails, and challenges that a passkey signs."""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from viewer.accounts.models import Purpose, Ticket
from viewer.accounts.service import key_hash
from viewer.errors import LinkSpent

VALID = {
    Purpose.RESET: timedelta(minutes=30),
    Purpose.CHANGE_MAIL: timedelta(minutes=30),
    Purpose.PASSKEY: timedelta(minutes=5),
}
_SPENT = "This link was used already, or is too old. Ask for a new one."


class Spent(NamedTuple):
    """What a ticket carried."""

    user_id: int | None
    detail: str


def issue(session: Session, purpose: Purpose, user_id: int | None, now: datetime, detail: str = "") -> str:
    """The secret of a fresh ticket; tickets that have run out go."""
    secret = secrets.token_urlsafe(32)
    session.execute(delete(Ticket).where(Ticket.expires_at <= now))
    expires = now + VALID[purpose]
    session.add(
        Ticket(secret_hash=key_hash(secret), purpose=purpose, user_id=user_id, detail=detail, expires_at=expires)
    )
    return secret


def look_at(session: Session, secret: str, purpose: Purpose, now: datetime) -> Ticket:
    """The ticket, still good afterwards; raises `LinkSpent`."""
    ticket = session.scalar(
        select(Ticket).where(Ticket.secret_hash == key_hash(secret), Ticket.purpose == purpose, Ticket.expires_at > now)
    )
    if ticket is None:
        raise LinkSpent(_SPENT)
    return ticket


def redeem(session: Session, secret: str, purpose: Purpose, now: datetime) -> Spent:
    """What the ticket carried; it is gone afterwards, whoever else tries at the same moment. Raises `LinkSpent`."""
    used = delete(Ticket).where(Ticket.secret_hash == key_hash(secret), Ticket.purpose == purpose)
    row = session.execute(used.where(Ticket.expires_at > now).returning(Ticket.user_id, Ticket.detail)).one_or_none()
    if row is None:
        raise LinkSpent(_SPENT)
    return Spent(*row)


def void(session: Session, purpose: Purpose, user_id: int) -> None:
    """End every ticket of a user for one purpose."""
    session.execute(delete(Ticket).where(Ticket.user_id == user_id, Ticket.purpose == purpose))
