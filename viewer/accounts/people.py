"""Making users from the command line; doing it again changes nothing but name and password."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import Role, User
from viewer.accounts.passwords import hash_password
from viewer.accounts.service import mail_address


def make_user(
    session: Session, mail: str, name: str, password: str | None, now: datetime, role: Role = Role.PARENT
) -> User:
    """The user of this address, with this name and, where one is given, this password."""
    user = session.scalar(select(User).where(User.mail == mail_address(mail)))
    if user is None:
        user = User(mail=mail_address(mail), role=role, made_at=now)
        session.add(user)
    user.name = name
    if password is not None:
        user.password_hash = hash_password(password)
    session.flush()
    return user
