"""Who does an admin's act, as the audit log keeps it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from viewer.audit.acts import Act
from viewer.audit.log import note


@dataclass(frozen=True)
class Actor:
    """A signed-in user and the address they come from, or (no `id`) somebody at the portal's command line."""

    id: int | None = None
    mail: str = ""
    address: str = ""

    def did(
        self,
        session: Session,
        act: Act,
        kind: str,
        subject_id: int | None,
        now: datetime,
        *,
        organization_id: int | None = None,
        **detail: Any,
    ) -> None:
        """Note the act in the audit log, in the transaction of the act."""
        note(
            session,
            act,
            kind,
            subject_id,
            now,
            actor_id=self.id,
            actor_mail=self.mail,
            organization_id=organization_id,
            address=self.address,
            **detail,
        )


COMMAND_LINE = Actor()
