"""Writing the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from viewer.audit.acts import Act
from viewer.audit.models import AuditEntry


def note(
    session: Session,
    act: str,
    kind: str,
    subject_id: int | None,
    now: datetime,
    *,
    actor_id: int | None = None,
    actor_mail: str = "",
    organization_id: int | None = None,
    address: str = "",
    **detail: Any,
) -> None:
    """Write down that somebody did `act` (such as `view`) to the `kind` of thing (such as `recording`) `subject_id`.

    In the same transaction as the act, which is one of `Act`. An empty `actor_mail` is the portal itself, or somebody
    with a command line.
    """
    session.add(
        AuditEntry(
            at=now,
            actor_id=actor_id,
            actor_mail=actor_mail,
            organization_id=organization_id,
            act=Act(act),
            kind=kind,
            subject_id=subject_id,
            address=address[:64],
            detail=detail,
        )
    )
