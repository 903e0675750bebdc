"""Signing in and out."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from viewer.accounts.models import SignIn, User
from viewer.accounts.passwords import matches
from viewer.accounts.throttle import count_try, forget_tries
from viewer.audit.log import note
from viewer.db import Database
from viewer.errors import WrongSignIn

IDLE = timedelta(days=14)
"""A browser that does not come back for so long is signed out."""
LONGEST_STAY = timedelta(days=60)
STAFF_IDLE = timedelta(days=2)
"""The same for admins and coaches, whose sign-in opens more (OWASP ASVS 5.0 7.3): over a match weekend, not longer."""
STAFF_LONGEST_STAY = timedelta(days=14)
_SEEN_EVERY = timedelta(minutes=10)
_SIGN_IN = select(SignIn).where(SignIn.key_hash == bindparam("key_hash"))
"""Every request's first question, written once."""


def mail_address(text: str) -> str:
    """An address as accounts keep it."""
    return one_line(text, 320).lower()


def one_line(text: str, most: int) -> str:
    """What somebody typed, without control characters (PostgreSQL takes no NUL) and spare blanks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:most].strip()


def sign_in(
    database: Database, mail: str, password: str, address: str, now: datetime, *, replaces: str = "", browser: str = ""
) -> str:
    """The value of a fresh cookie for the account; what the browser held before (`replaces`) ends.

    Raises `WrongSignIn` or `Throttled`. The value is always ours: one that a browser brings along is never taken over
    (session fixation, OWASP ASVS 5.0 7.2.4).
    """
    mail = mail_address(mail)
    with database.writing() as session:
        count_try(session, mail, address, now)
    with database.reading() as session:
        user = session.scalar(select(User).where(User.mail == mail, User.disabled_at.is_(None)))
    good = matches(password, user.password_hash if user else None)
    if user is None or not good:
        with database.writing() as session:
            # Of unknown people too: who is refused faster does not exist.
            number = user.id if user else None
            note(session, "sign-in-refused", "account", number, now, address=address, by="password", mail=mail)
        raise WrongSignIn("This address and password do not belong together.")
    with database.writing() as session:
        forget_tries(session, mail, address)
        note_own(session, "sign-in", user, now, address, by="password")
        return new_sign_in(session, user.id, now, replaces=replaces, address=address, browser=browser)


def new_sign_in(
    session: Session,
    user_id: int,
    now: datetime,
    *,
    replaces: str = "",
    strong_at: datetime | None = None,
    address: str = "",
    browser: str = "",
) -> str:
    """The value of a fresh cookie for a user who has just proven who they are; sign-ins that are too old go."""
    key = secrets.token_urlsafe(32)
    session.execute(delete(SignIn).where(SignIn.key_hash == key_hash(replaces)))
    session.execute(delete(SignIn).where((SignIn.seen_at < now - IDLE) | (SignIn.made_at < now - LONGEST_STAY)))
    session.add(
        SignIn(
            key_hash=key_hash(key),
            user_id=user_id,
            made_at=now,
            seen_at=now,
            proven_at=now,
            strong_at=strong_at,
            address=address[:64],
            browser=browser[:200],
        )
    )
    return key


def renewed(session: Session, old: str, now: datetime, *, proven: bool = False, strong: bool = False) -> str:
    """The value of a fresh cookie for a sign-in (`old` is its hash) that has proven more; the old value ends.

    The longest stay goes on from the first sign-in. Raises `WrongSignIn` when the sign-in ended meanwhile.
    """
    key = secrets.token_urlsafe(32)
    changes: dict[str, object] = {"key_hash": key_hash(key), "seen_at": now}
    if proven:
        changes["proven_at"] = now
    if strong:
        changes["strong_at"] = now
    moved = update(SignIn).where(SignIn.key_hash == old).values(**changes).returning(SignIn.user_id)
    if session.scalar(moved) is None:
        raise WrongSignIn("You are signed out. Sign in again.")
    return key


def sign_out(database: Database, key: str) -> None:
    """End the browser's sign-in; a later use of its cookie finds nothing."""
    with database.writing() as session:
        session.execute(delete(SignIn).where(SignIn.key_hash == key_hash(key)))


def signed_in(session: Session, key: str, now: datetime) -> SignIn | None:
    """The sign-in whose cookie this is; None when it is nobody's, too old, or its account was disabled."""
    found = session.scalar(_SIGN_IN, {"key_hash": key_hash(key)}) if key else None
    if found is None or found.seen_at < now - IDLE or found.made_at < now - LONGEST_STAY:
        return None
    return None if found.user.disabled_at else found


def outstayed(sign_in: SignIn, now: datetime) -> bool:
    """Whether the sign-in is too old for an admin or coach."""
    return sign_in.seen_at < now - STAFF_IDLE or sign_in.made_at < now - STAFF_LONGEST_STAY


def mark_seen(database: Database, sign_in: SignIn, now: datetime) -> None:
    """Put the idle time-out off, at most every ten minutes to spare the disk."""
    if now - sign_in.seen_at >= _SEEN_EVERY:
        with database.writing() as session:
            session.execute(update(SignIn).where(SignIn.key_hash == sign_in.key_hash).values(seen_at=now))


def note_own(session: Session, act: str, user: User, now: datetime, address: str = "", **detail: Any) -> None:
    """Write down what somebody did with their own account."""
    note(session, act, "account", user.id, now, actor_id=user.id, actor_mail=user.mail, address=address, **detail)


def key_hash(key: str) -> str:
    """What is kept of a secret that is long and random."""
    return hashlib.sha256(key.encode()).hexdigest()
