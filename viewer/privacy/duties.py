"""What the worker does for privacy: jobs, and what has to be looked at every so often."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from viewer.jobs.duties import Periodic, Tools
from viewer.privacy import deleting, export
from viewer.privacy.erasure import finish
from viewer.privacy.export import sweep_exports
from viewer.privacy.horizon import forget, horizon_of
from viewer.privacy.retention import delete_ended, warn


def _retention(session: Session, tools: Tools, now: datetime) -> None:
    warn(session, now, tools.settings.url)
    delete_ended(session, now, horizon_of(tools.settings))


def _erasures(session: Session, tools: Tools, now: datetime) -> None:
    finish(session, now, tools.seal)
    forget(session, horizon_of(tools.settings), now)
    sweep_exports(session, tools.settings, now)


KINDS = (*deleting.KINDS, *export.KINDS)
PERIODIC = (
    Periodic("retention", timedelta(hours=1), _retention),
    Periodic("erasures", timedelta(hours=6), _erasures),
)
