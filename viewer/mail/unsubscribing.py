"""Ending the portal's news by one click, without signing in (RFC 8058)."""

from datetime import datetime

from sqlalchemy.orm import Session

from viewer.accounts.models import Frequency, User
from viewer.audit.log import note
from viewer.sealing import Seal

PURPOSE = "unsubscribe"
MATCHES = "matches"
"""The kind of mail that can be ended: news of matches. Mails about the account itself always go."""


def unsubscribe_url(seal: Seal, url: str, user: User) -> str:
    """The address that ends the news of matches for this user, and nothing else."""
    return f"{url}/unsubscribe/{user.id}/{MATCHES}/{seal.sign(PURPOSE, user.id, MATCHES)}"


def subscriber(session: Session, seal: Seal, user_id: int, kind: str, signature: str) -> User | None:
    """Whose address this is; None when it is not one of ours, or the account is gone."""
    if kind != MATCHES or not seal.signed(signature, PURPOSE, user_id, kind):
        return None
    return session.get(User, user_id)


def unsubscribe(session: Session, user: User, now: datetime, address: str) -> None:
    """Write no news to this user any more."""
    if user.notify == Frequency.NEVER:
        return
    user.notify = Frequency.NEVER
    note(session, "unsubscribe", "user", user.id, now, actor_id=user.id, actor_mail=user.mail, address=address)
