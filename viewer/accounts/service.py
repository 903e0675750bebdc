"""Signing in and out."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from viewer.accounts.models import Account, SignIn
from viewer.accounts.passwords import LONGEST, matches
from viewer.accounts.throttle import count_try, forget_tries
from viewer.db import Database
from viewer.errors import WrongSignIn

IDLE = timedelta(days=14)
"""A browser that does not come back for so long is signed out."""
LONGEST_STAY = timedelta(days=60)
_SEEN_EVERY = timedelta(minutes=10)


def mail_address(text: str) -> str:
    """An address as accounts keep it."""
    return text.strip().lower()


def sign_in(database: Database, mail: str, password: str, address: str, now: datetime, *, replaces: str = "") -> str:
    """The value of a fresh cookie for the account; what the browser held before (`replaces`) ends.

    Raises `WrongSignIn` or `Throttled`. The value is always ours: one that a browser brings along is never taken over
    (session fixation, OWASP ASVS 5.0 7.2.4).
    """
    mail = mail_address(mail)[:320]
    with database.writing() as session:
        count_try(session, mail, address, now)
    with database.reading() as session:
        account = session.scalar(select(Account).where(Account.mail == mail, Account.disabled_at.is_(None)))
    good = matches(password, account.password_hash if account else None) and len(password) <= LONGEST
    if account is None or not good:
        raise WrongSignIn("This address and password do not belong together.")
    key = secrets.token_urlsafe(32)
    with database.writing() as session:
        forget_tries(session, mail, address)
        session.execute(delete(SignIn).where(SignIn.key_hash == _hash(replaces)))
        session.execute(delete(SignIn).where((SignIn.seen_at < now - IDLE) | (SignIn.made_at < now - LONGEST_STAY)))
        session.add(SignIn(key_hash=_hash(key), account_id=account.id, made_at=now, seen_at=now))
    return key


def sign_out(database: Database, key: str) -> None:
    """End the browser's sign-in; a later use of its cookie finds nothing."""
    with database.writing() as session:
        session.execute(delete(SignIn).where(SignIn.key_hash == _hash(key)))


def signed_in(session: Session, key: str, now: datetime) -> Account | None:
    """Whose cookie this is; None when it is nobody's, too old, or its account was disabled."""
    found = session.get(SignIn, _hash(key)) if key else None
    if found is None or found.seen_at < now - IDLE or found.made_at < now - LONGEST_STAY:
        return None
    return None if found.account.disabled_at else found.account


def mark_seen(database: Database, key: str, now: datetime) -> None:
    """Put the idle time-out off, at most every ten minutes to spare the disk."""
    with database.reading() as session:
        found = session.get(SignIn, _hash(key))
        fresh = found is None or now - found.seen_at < _SEEN_EVERY
    if not fresh:
        with database.writing() as session:
            kept = session.get(SignIn, _hash(key))
            if kept is not None:
                kept.seen_at = now


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
