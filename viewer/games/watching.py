"""Writing down who watched which recording, and who saved something of it."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.audit.log import note
from viewer.audit.models import AuditEntry
from viewer.db import Database
from viewer.games.models import Game, Recording
from viewer.web.person import Person

ONCE_IN = timedelta(hours=1)
"""A person who watches a recording is written down once in this time, however many parts a browser asks for."""
_REMEMBERED = 4096


class Watching:
    """Notes views; what this process noted just now costs no statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[tuple[int, str], datetime] = {}

    def viewed(self, person: Person, match_session: str, now: datetime, address: str) -> None:
        """The person looks at the recording."""
        key = (person.id, match_session)
        last = self._noted.get(key)
        if last is not None and last <= now < last + ONCE_IN:
            return
        with self._database.reading() as session:
            last = _last_view(session, person.id, match_session, now)
        if last is None:
            with self._database.writing() as session:
                noted(session, "view", person, match_session, now, address)
            last = now
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        self._noted[key] = last


def noted(
    session: Session, act: str, person: Person, match_session: str, now: datetime, address: str, **detail: object
) -> None:
    """Write down that the person did something with the recording."""
    recording = session.execute(
        select(Recording.id, Game.organization_id).join(Game).where(Recording.session == match_session)
    ).one()
    note(
        session,
        act,
        "recording",
        recording.id,
        now,
        actor_id=person.id,
        actor_mail=person.mail,
        organization_id=recording.organization_id,
        address=address,
        **detail,
    )


def _last_view(session: Session, person_id: int, match_session: str, now: datetime) -> datetime | None:
    mine = (AuditEntry.actor_id == person_id, AuditEntry.at > now - ONCE_IN)
    what = (AuditEntry.act == "view", AuditEntry.kind == "recording", Recording.session == match_session)
    statement = select(AuditEntry.at).join(Recording, Recording.id == AuditEntry.subject_id).where(*mine, *what)
    return session.scalar(statement.order_by(AuditEntry.at.desc()).limit(1))
