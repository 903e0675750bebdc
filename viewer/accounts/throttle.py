"""How often somebody may try to prove something: counted in the database, for the account and for the address.

Passwords, codes of apps, recovery codes, codes of teams and wishes for a new password are counted each for itself for
the account, and all together for the address (OWASP ASVS 5.0 6.1.1 and 6.3.1).
"""

import math
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from viewer.accounts.models import SignInTry
from viewer.errors import Throttled

WINDOW = timedelta(minutes=15)
MOST_PER_ADDRESS = 40


class Trial(StrEnum):
    """What is tried, as the rows of tries name it."""

    ACCOUNT = "account"
    CODE = "code"
    RESET = "reset"
    JOIN = "join"
    PASSKEY = "passkey"


MOST_PER_ACCOUNT = 8
_MOST = {
    Trial.ACCOUNT: MOST_PER_ACCOUNT,
    # Six digits, of which three are right at a time.
    Trial.CODE: 5,
    Trial.RESET: 3,
    Trial.JOIN: 8,
    Trial.PASSKEY: MOST_PER_ADDRESS,
}


def count_try(session: Session, who: str | int, address: str, now: datetime, trial: Trial = Trial.ACCOUNT) -> None:
    """Write the try down before anything is looked at, so that tries at the same moment all count.

    `who` is the address that was typed, or the number of the account. Raises `Throttled` when either has used up its
    tries of the last quarter of an hour.
    """
    session.execute(delete(SignInTry).where(SignInTry.at < now - WINDOW))
    for subject, most in ((f"{trial}:{who}", _MOST[trial]), (f"address:{address}", MOST_PER_ADDRESS)):
        if session.get_bind().dialect.name == "postgresql":
            # SQLite has one writer at a time; here tries at the same moment would not see each other.
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(subject, 0))))
        tries, oldest = session.execute(
            select(func.count(), func.min(SignInTry.at)).where(SignInTry.subject == subject)
        ).one()
        if tries >= most:
            raise Throttled(math.ceil((oldest + WINDOW - now).total_seconds()))
        session.add(SignInTry(subject=subject, at=now))


def forget_tries(session: Session, who: str | int, address: str, trial: Trial = Trial.ACCOUNT) -> None:
    """After a good try the account starts afresh; the address is let off this one try."""
    session.execute(delete(SignInTry).where(SignInTry.subject == f"{trial}:{who}"))
    last = select(func.max(SignInTry.id)).where(SignInTry.subject == f"address:{address}")
    session.execute(delete(SignInTry).where(SignInTry.id == last.scalar_subquery()))
