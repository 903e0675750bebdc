"""Digests: one mail on a day or in a week, when it is morning where the reader lives."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from viewer.accounts.models import Frequency, User
from viewer.errors import LeaseLost
from viewer.games.calendar import members_of
from viewer.games.models import Recording
from viewer.jobs.duties import Kind, Periodic, Tools, Work, queue_job
from viewer.jobs.lease import State, settle
from viewer.mail.models import DigestItem, Mail
from viewer.mail.notices import digest

KIND = "digest"
DIGEST_AT = time(7)
"""When a digest goes out, on the reader's clock; weekly ones on Mondays."""
_AT_ONCE = 100
"""Readers in one transaction."""
log = logging.getLogger("viewer.worker")


def queue_digests(session: Session, tools: Tools, now: datetime) -> None:
    """Queue a job for each time zone whose morning has come; the job's key keeps it to one for a date."""
    wanted = select(User.time_zone, User.notify).where(User.notify.in_((Frequency.DAILY, Frequency.WEEKLY)))
    for zone, frequency in session.execute(wanted.distinct()).all():
        morning = newest_morning(now, zone, frequency)
        key = f"{KIND}:{zone}:{frequency}:{morning.date().isoformat()}"
        queue_job(session, KIND, key, zone[:63], {"zone": zone, "frequency": frequency, "morning": str(morning)}, now)


def newest_morning(now: datetime, zone: str, frequency: str, at: time = DIGEST_AT) -> datetime:
    """When the newest digest of a zone was or is due, on the clock there: today, or for weekly ones on Monday.

    Where the clock is put back over `at` the first of the two counts; where it is put forward, the time after that.
    """
    try:
        there = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        log.warning("no such time zone zone=%r", zone)
        there = ZoneInfo("UTC")
    today = now.astimezone(there).date()
    day = today - timedelta(days=today.weekday()) if frequency == Frequency.WEEKLY else today
    morning = datetime.combine(day, at, there)
    # In UTC: times of one zone are compared by their faces.
    if morning.astimezone(UTC) > now:
        morning = datetime.combine(day - timedelta(days=7 if frequency == Frequency.WEEKLY else 1), at, there)
    return morning


def send_digests(work: Work) -> None:
    """Write the digests of one zone with what was new by its morning, each in one transaction with its news being told.

    Run again after a crash it finds the rest. Raises `LeaseLost`.
    """
    database, now, payload = work.tools.database, work.tools.clock(), work.job.payload
    morning, last = datetime.fromisoformat(payload["morning"]), 0
    while True:
        work.check()
        with database.writing() as session:
            readers = _readers(session, payload["zone"], payload["frequency"], morning, last)
            for reader in readers:
                _tell(session, reader, morning, work.tools, now)
            if not readers:
                if not settle(session, work.job, work.token, State.DONE):
                    raise LeaseLost("another worker has taken this job over")
                return
            last = readers[-1].id


def _readers(session: Session, zone: str, frequency: str, morning: datetime, after: int) -> Sequence[User]:
    untold = select(DigestItem.user_id).where(DigestItem.told_at.is_(None), DigestItem.made_at <= morning)
    readers = select(User).where(User.id.in_(untold), User.time_zone == zone, User.notify == frequency)
    return session.scalars(readers.where(User.id > after).order_by(User.id).limit(_AT_ONCE)).all()


def _tell(session: Session, reader: User, morning: datetime, tools: Tools, now: datetime) -> None:
    key = f"{KIND}:{reader.id}:{morning.date().isoformat()}"
    if session.scalar(select(func.count()).where(Mail.key == key)):
        # Moved to a zone where this date comes again: there is another morning tomorrow.
        return
    items = DigestItem.user_id == reader.id, DigestItem.told_at.is_(None), DigestItem.made_at <= morning
    news = session.scalars(select(Recording).join(DigestItem).where(*items).order_by(Recording.start_ns)).all()
    # Who has left the team since then reads nothing of its matches.
    theirs = [r for r in news if any(member.id == reader.id for member in members_of(session, r.game))]
    if theirs and reader.refused_mail != reader.mail:
        digest(session, key, theirs, reader, tools.settings.url, now, tools.seal)
    session.execute(update(DigestItem).where(*items).values(told_at=now))


KINDS = (Kind(KIND, send_digests),)
PERIODIC = (Periodic("digests", timedelta(minutes=10), queue_digests),)
