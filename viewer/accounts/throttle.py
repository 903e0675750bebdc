"""How often somebody may try to sign in: counted in the database, for the account and for the address."""

import math
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from viewer.accounts.models import SignInTry
from viewer.errors import Throttled

WINDOW = timedelta(minutes=15)
MOST_PER_ACCOUNT = 8
MOST_PER_ADDRESS = 40


def count_try(session: Session, mail: str, address: str, now: datetime) -> None:
    """Write the try down before the password is looked at, so that tries at the same moment all count.

    Raises `Throttled` when either has used up its tries of the last quarter of an hour.
    """
    session.execute(delete(SignInTry).where(SignInTry.at < now - WINDOW))
    for subject, most in ((f"account:{mail}", MOST_PER_ACCOUNT), (f"address:{address}", MOST_PER_ADDRESS)):
        tries, oldest = session.execute(
            select(func.count(), func.min(SignInTry.at)).where(SignInTry.subject == subject)
        ).one()
        if tries >= most:
            raise Throttled(math.ceil((oldest + WINDOW - now).total_seconds()))
        session.add(SignInTry(subject=subject, at=now))


def forget_tries(session: Session, mail: str, address: str) -> None:
    """After a good sign-in the account starts afresh; the address is let off this one try."""
    session.execute(delete(SignInTry).where(SignInTry.subject == f"account:{mail}"))
    last = select(func.max(SignInTry.id)).where(SignInTry.subject == f"address:{address}")
    session.execute(delete(SignInTry).where(SignInTry.id == last.scalar_subquery()))
