"""What the portal writes to people."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import Account
from viewer.mail.models import Mail
from viewer.matches.models import Match
from viewer.matches.words import score


def match_ready(session: Session, match: Match, account: Account, url: str, now: datetime) -> None:
    """Put the notice that a match can be watched into the outbox, once per match and account."""
    key = f"match-ready:{match.session}:{account.id}"
    if session.scalar(select(Mail.id).where(Mail.key == key)) is not None:
        return
    home, away = score(match.events)
    link = f"{url}/matches/{match.session}"
    text = (
        f"Hello {account.name},\n\n"
        f"{match.home} against {match.away} ended {home}:{away} and is ready to watch:\n\n"
        f"{link}\n\n"
        "Sign in to see the match, its goals and how far everybody ran. The video is only for members of the team:\n"
        "please do not pass it on.\n\n"
        "Touchline\n"
    )
    host = urlsplit(url).hostname or "localhost"
    session.add(
        Mail(
            key=key,
            account_id=account.id,
            recipient=account.mail,
            subject=f"{match.home} – {match.away}: the match is ready",
            text=text,
            message_id=f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>",
            due_at=now,
            made_at=now,
        )
    )
