"""What the portal writes to people."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.games.models import Recording
from viewer.games.view import home_score
from viewer.mail.models import Mail


def match_ready(session: Session, recording: Recording, user: User, url: str, now: datetime) -> None:
    """Put the notice that a match can be watched into the outbox, once per match and account."""
    key = f"match-ready:{recording.session}:{user.id}"
    if session.scalar(select(Mail.id).where(Mail.key == key)) is not None:
        return
    home, away = home_score(recording)
    link = f"{url}/matches/{recording.session}"
    text = (
        f"Hello {user.name},\n\n"
        f"{recording.home} against {recording.away} ended {home}:{away} and is ready to watch:\n\n"
        f"{link}\n\n"
        "Sign in to see the match, its goals and how far everybody ran. The video is only for members of the team:\n"
        "please do not pass it on.\n\n"
        "Touchline\n"
    )
    host = urlsplit(url).hostname or "localhost"
    session.add(
        Mail(
            key=key,
            user_id=user.id,
            recipient=user.mail,
            subject=f"{recording.home} – {recording.away}: the match is ready",
            text=text,
            message_id=f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>",
            due_at=now,
            made_at=now,
        )
    )
