"""Tables of imports: how another service is reached, what came from where, and what is waiting to be confirmed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from viewer.db.base import NEVER_REUSED, Base, Id, UtcTime


class OAuthConnection(Base):
    """A club's way into another service. Both tokens are sealed; the row is locked while one of them is refreshed."""

    __tablename__ = "oauth_connection"
    __table_args__ = (UniqueConstraint("organization_id", "provider"), NEVER_REUSED)
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(20))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    sealed_access_token: Mapped[str] = mapped_column(Text)
    sealed_refresh_token: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    synced_at: Mapped[datetime | None] = mapped_column(UtcTime)
    fault: Mapped[str | None] = mapped_column(String(500))


class OAuthState(Base):
    """A sign-in at another service that is under way; bound to the browser's sign-in, good once and for minutes."""

    __tablename__ = "oauth_state"
    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    sign_in_hash: Mapped[str] = mapped_column(String(64))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    sealed_verifier: Mapped[str] = mapped_column(String(400))
    expires_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class Origin(Base):
    """Which row of ours a thing elsewhere has become; `kind` names our table, `local_id` the row."""

    __tablename__ = "origin"
    __table_args__ = (UniqueConstraint("organization_id", "source", "kind", "external_id"), NEVER_REUSED)
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(100))
    local_id: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)


class ImportRun(Base):
    """One look at a source: the changes it would make, until somebody applies or drops them.

    `snapshot` is what was seen, while the run waits. Of a decided run `changes` keeps neither names nor addresses.
    """

    __tablename__ = "import_run"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    snapshot: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
