"""Writing mails into the outbox, in the same transaction as what they tell."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.mail.models import Mail


def queue_mail(
    session: Session,
    key: str,
    recipient: str,
    subject: str,
    text: str,
    now: datetime,
    *,
    url: str,
    user_id: int | None = None,
    unsubscribe: str = "",
) -> None:
    """Queue one mail; nothing happens when `key` was queued before. `url` is the portal's address.

    `unsubscribe` belongs on news, and on nothing that somebody waits for, such as an invitation or a reset.
    """
    if session.scalar(select(Mail.id).where(Mail.key == key)) is not None:
        return
    host = urlsplit(url).hostname or "localhost"
    session.add(
        Mail(
            key=key,
            user_id=user_id,
            recipient=recipient,
            subject=" ".join(subject.split())[:300],
            text=text,
            unsubscribe=unsubscribe,
            message_id=f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>",
            due_at=now,
            made_at=now,
        )
    )
