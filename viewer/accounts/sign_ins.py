"""Where somebody is signed in, and ending that."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from viewer.accounts.models import SignIn
from viewer.accounts.service import IDLE, LONGEST_STAY

_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS", "Mac"), ("CrOS", "Chromebook"), ("Linux", "Linux")),
)


def sign_ins_of(session: Session, user_id: int, now: datetime) -> Sequence[SignIn]:
    """The browsers in which a user is signed in, the one seen last first."""
    mine = select(SignIn).where(SignIn.user_id == user_id)
    living = mine.where(SignIn.seen_at >= now - IDLE, SignIn.made_at >= now - LONGEST_STAY)
    return session.scalars(living.order_by(SignIn.seen_at.desc())).all()


def end_sign_in(session: Session, user_id: int, hashed: str) -> bool:
    """End one of a user's sign-ins, named by its cookie's hash; False when there is no such one of theirs."""
    gone = delete(SignIn).where(SignIn.user_id == user_id, SignIn.key_hash == hashed).returning(SignIn.key_hash)
    return session.scalar(gone) is not None


def end_sign_ins(session: Session, user_id: int, *, but: str = "") -> int:
    """End a user's sign-ins, all or all others than the one whose cookie has the hash `but`; how many there were."""
    gone = delete(SignIn).where(SignIn.user_id == user_id, SignIn.key_hash != but).returning(SignIn.key_hash)
    return len(session.scalars(gone).all())


def weaken(session: Session, user_id: int) -> None:
    """Take back that a second factor was shown, after the last of them is gone."""
    session.execute(update(SignIn).where(SignIn.user_id == user_id).values(strong_at=None))


def browser_name(agent: str) -> str:
    """A User-Agent in words that its owner recognises."""
    browser = next((name for part, name in _BROWSERS if part in agent), "A browser")
    system = next((name for part, name in _SYSTEMS if part in agent), "")
    return f"{browser} on {system}" if system else browser
