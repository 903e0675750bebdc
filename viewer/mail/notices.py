"""What the portal writes to people about matches, as often as they want to hear of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from viewer.accounts.models import Frequency, User
from viewer.games.models import Recording
from viewer.games.view import home_score
from viewer.mail.models import DigestItem
from viewer.mail.outbox import queue_mail
from viewer.mail.unsubscribing import unsubscribe_url
from viewer.sealing import Seal

_NEWS = timedelta(days=14)
"""A package that comes again later than this, such as a season that is processed anew, is no news."""
_FOOT = (
    "Sign in to see the matches, their goals and how far everybody ran. The videos are only for members of the team:\n"
    "please do not pass them on.\n\n"
    "You get this because you follow a team on Touchline. No more of these mails:\n\n"
)


def match_ready(session: Session, recording: Recording, user: User, url: str, now: datetime, seal: Seal) -> None:
    """Tell that a match can be watched, once per match and account: by mail at once, or in the next digest."""
    shown_since = recording.game.processed_at
    if user.refused_mail == user.mail or (shown_since is not None and shown_since < now - _NEWS):
        return
    if user.notify in (Frequency.DAILY, Frequency.WEEKLY):
        if session.get(DigestItem, (user.id, recording.id)) is None:
            session.add(DigestItem(user_id=user.id, recording_id=recording.id, made_at=now))
        return
    if user.notify != Frequency.AT_ONCE:
        return
    home, away = home_score(recording)
    stop = unsubscribe_url(seal, url, user)
    text = (
        f"Hello {user.name},\n\n"
        f"{recording.home} against {recording.away} ended {home}:{away} and is ready to watch:\n\n"
        f"{url}/matches/{recording.session}\n\n"
        f"{_FOOT}{stop}\n\n"
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
        unsubscribe=stop,
    )


def digest(
    session: Session, key: str, recordings: Sequence[Recording], user: User, url: str, now: datetime, seal: Seal
) -> None:
    """Tell of several matches in one mail."""
    lines = (
        f"{r.home} {score[0]}:{score[1]} {r.away}\n{url}/matches/{r.session}\n"
        for r in recordings
        for score in [home_score(r)]
    )
    stop = unsubscribe_url(seal, url, user)
    text = f"Hello {user.name},\n\nnew to watch:\n\n" + "\n".join(lines) + f"\n{_FOOT}{stop}\n\nTouchline\n"
    count = len(recordings)
    subject = "A match is ready to watch" if count == 1 else f"{count} matches are ready to watch"
    queue_mail(session, key, user.mail, subject, text, now, url=url, user_id=user.id, unsubscribe=stop)
