"""Writing the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

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

    In the same transaction as the act. An empty `actor_mail` is the portal itself, or somebody with a command line.
    """
    session.add(
        AuditEntry(
            at=now,
            actor_id=actor_id,
            actor_mail=actor_mail,
            organization_id=organization_id,
            act=act,
            kind=kind,
            subject_id=subject_id,
            address=address[:64],
            detail=detail,
        )
    )


@dataclass(frozen=True)
class Actor:
    """Who acts: a user at an address of the network; all of it empty for the portal itself."""

    mail: str = ""
    user_id: int | None = None
    address: str = ""

    def did(
        self,
        session: Session,
        act: str,
        kind: str,
        subject_id: int | None,
        now: datetime,
        *,
        organization_id: int | None = None,
        **detail: Any,
    ) -> None:
        """`note` an act of theirs."""
        note(
            session,
            act,
            kind,
            subject_id,
            now,
            actor_id=self.user_id,
            actor_mail=self.mail,
            organization_id=organization_id,
            address=self.address,
            **detail,
        )
