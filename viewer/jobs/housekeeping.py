"""Housekeeping in the database: what has expired, and work that is long done."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from viewer.accounts.models import SignIn, SignInTry, Ticket
from viewer.accounts.service import IDLE, LONGEST_STAY
from viewer.accounts.throttle import WINDOW
from viewer.devices.models import PairingCode
from viewer.imports.models import OAuthState
from viewer.jobs.duties import Periodic, Tools
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.mail.models import DigestItem, Mail

KEPT = timedelta(days=30)
"""How long a job that is done and a mail that was sent can still be looked at. Dead letters stay."""
_MOST = 10_000
"""Rows in one go: the rest goes next time."""


def sweep_expired(session: Session, _tools: Tools, now: datetime) -> None:
    """Delete secrets and sign-ins that open nothing any more."""
    for table in (Ticket, PairingCode, OAuthState):
        session.execute(delete(table).where(table.expires_at < now))
    session.execute(delete(SignIn).where((SignIn.seen_at < now - IDLE) | (SignIn.made_at < now - LONGEST_STAY)))
    session.execute(delete(SignInTry).where(SignInTry.at < now - WINDOW))


def forget_done(session: Session, _tools: Tools, now: datetime) -> None:
    """Delete jobs that are done, mails that were sent and news that were told, when all that is long ago."""
    for table in (Job, Mail):
        done = select(table.id).where(table.state == State.DONE, table.due_at < now - KEPT)
        oldest = done.order_by(table.due_at, table.id).limit(_MOST)
        session.execute(delete(table).where(table.id.in_(oldest)))
    session.execute(delete(DigestItem).where(DigestItem.told_at < now - KEPT))


PERIODIC = (
    Periodic("sweep-expired", timedelta(hours=1), sweep_expired),
    Periodic("forget-done", timedelta(hours=1), forget_done),
)
