"""Tables of devices: hubs that bring matches, their keys, and how they pair."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from viewer.clubs.models import Team, Venue
from viewer.db.base import NEVER_REUSED, Base, Id, UtcTime


class Device(Base):
    """A club's hub. What it brings belongs to `team`; `venue` is where it stands, if it always stands there.

    `version` is the program's that spoke last, `wanted_version` the one an admin wants it to have.
    """

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("organization_id", "name"), NEVER_REUSED)
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("venue.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[str] = mapped_column(String(40), default="")
    wanted_version: Mapped[str] = mapped_column(String(40), default="")
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    team: Mapped[Team] = relationship(lazy="joined", innerjoin=True)
    venue: Mapped[Venue | None] = relationship()


class DeviceKey(Base):
    """A key that a device holds. Only its SHA-256 is kept."""

    __tablename__ = "device_key"
    id: Mapped[Id]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    device: Mapped[Device] = relationship(lazy="joined", innerjoin=True)


class PairingCode(Base):
    """A code that an admin types into a hub, which gets a key for it, once; only its SHA-256 is kept."""

    __tablename__ = "pairing_code"
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
