"""What admins do with accounts of others: disabling, ending sign-ins, taking a lost second factor off."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from viewer.accounts.models import Passkey, Purpose, RecoveryCode, Role, Totp, User
from viewer.accounts.service import mail_address
from viewer.accounts.sign_ins import end_sign_ins
from viewer.accounts.tickets import void
from viewer.audit.log import note
from viewer.errors import BadEntry, UnknownTeam


def user_named(session: Session, mail: str) -> User:
    """The account of an address; raises `UnknownTeam` when there is none."""
    user = session.scalar(select(User).where(User.mail == mail_address(mail)))
    if user is None:
        raise UnknownTeam(f"there is no account {mail_address(mail)}")
    return user


def disable(session: Session, user: User, now: datetime, by: User | None = None) -> None:
    """Close the account: every sign-in ends, and none begins, until it is enabled again."""
    if user.disabled_at is None:
        user.disabled_at = now
    end_sign_ins(session, user.id)
    for purpose in Purpose:
        void(session, purpose, user.id)
    _note(session, "disable", user, now, by)


def enable(session: Session, user: User, now: datetime, by: User | None = None) -> None:
    """Open the account again; whoever it is of signs in anew."""
    user.disabled_at = None
    _note(session, "enable", user, now, by)


def end_all_sign_ins(session: Session, user: User, now: datetime, by: User | None = None) -> int:
    """Sign somebody out everywhere; in how many browsers."""
    ended = end_sign_ins(session, user.id)
    _note(session, "end-sign-ins", user, now, by, ended=ended)
    return ended


def reset_second_factor(session: Session, user: User, now: datetime, by: User | None = None) -> None:
    """Take every app, passkey and recovery code off, for somebody who has lost them; they are signed out everywhere."""
    for table in (Totp, Passkey, RecoveryCode):
        session.execute(delete(table).where(table.user_id == user.id))
    end_sign_ins(session, user.id)
    _note(session, "reset-second-factor", user, now, by)


def make_platform_admin(session: Session, user: User, now: datetime, by: User | None = None) -> None:
    """Let somebody run the platform."""
    user.role = Role.PLATFORM_ADMIN
    _note(session, "make-platform-admin", user, now, by)


def end_platform_admin(session: Session, user: User, now: datetime, by: User | None = None) -> None:
    """Let somebody run the platform no more; raises `BadEntry` for its last admin whose account is open."""
    # Locked, so that of two admins who end each other one stays.
    admins = select(User.id).where(User.role == Role.PLATFORM_ADMIN).order_by(User.id).with_for_update()
    session.scalars(admins).all()
    session.refresh(user)
    if user.role != Role.PLATFORM_ADMIN:
        raise BadEntry("", f"{user.mail} does not run the platform.")
    others = admins.where(User.disabled_at.is_(None), User.id != user.id)
    if user.disabled_at is None and not session.scalars(others).all():
        raise BadEntry("", "The platform needs an admin. Make somebody else one first.")
    user.role = Role.PARENT
    _note(session, "end-platform-admin", user, now, by)


def _note(session: Session, act: str, user: User, now: datetime, by: User | None, **detail: Any) -> None:
    number, mail = (by.id, by.mail) if by else (None, "")
    note(session, act, "account", user.id, now, actor_id=number, actor_mail=mail, **detail)
