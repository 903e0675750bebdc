"""The table of device keys."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from viewer.db.base import Base, UtcTime
from viewer.teams.models import Team


class DeviceKey(Base):
    """A key that one hub holds. Only its SHA-256 is kept; matches it brings belong to `team`."""

    __tablename__ = "device_key"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    team: Mapped[Team] = relationship(lazy="joined")
