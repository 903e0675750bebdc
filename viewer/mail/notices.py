"""What the portal writes to people."""

from datetime import datetime

from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.games.models import Recording
from viewer.games.view import home_score
from viewer.mail.outbox import queue_mail


def match_ready(session: Session, recording: Recording, user: User, url: str, now: datetime) -> None:
    """Put the notice that a match can be watched into the outbox, once per match and account."""
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
    queue_mail(
        session,
        f"match-ready:{recording.session}:{user.id}",
        user.mail,
        f"{recording.home} – {recording.away}: the match is ready",
        text,
        now,
        url=url,
        user_id=user.id,
    )
