"""Tables of clubs: seasons, teams, players, who belongs to whom, and how people come in."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from viewer.accounts.models import User
from viewer.db.base import NEVER_REUSED, Base, Id, UtcTime


class Organization(Base):
    """A club: the boundary of what its people and devices can reach. `slug` names it in addresses.

    `retention_days` is how long its matches are kept where a team does not say otherwise.
    """

    __tablename__ = "organization"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    retention_days: Mapped[int] = mapped_column(default=365)
    demo: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class OrganizationAdmin(Base):
    """A user who runs a club."""

    __tablename__ = "organization_admin"
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class Season(Base):
    """A stretch of a club's calendar; first and last day count."""

    __tablename__ = "season"
    __table_args__ = (UniqueConstraint("organization_id", "name"), NEVER_REUSED)
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    starts_on: Mapped[date]
    ends_on: Mapped[date]


class Team(Base):
    """A team of a club in a season; matches are shown to its members.

    `code` lets people ask to join. `retention_days` overrides the club's. Birth years are those the team is made of.
    """

    __tablename__ = "team"
    __table_args__ = (
        UniqueConstraint("organization_id", "season_id", "name"),
        CheckConstraint("first_birth_year <= last_birth_year", name="birth_years"),
        NEVER_REUSED,
    )
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    season_id: Mapped[int | None] = mapped_column(ForeignKey("season.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    first_birth_year: Mapped[int | None]
    last_birth_year: Mapped[int | None]
    code: Mapped[str | None] = mapped_column(String(12), unique=True)
    retention_days: Mapped[int | None]
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    organization: Mapped[Organization] = relationship(lazy="joined", innerjoin=True)
    season: Mapped[Season | None] = relationship(lazy="joined")


class Player(Base):
    """A child or youth who plays for a club, with or without an account of their own.

    Nobody is deleted because an import missed them: `inactive_at` says since when they play no more.
    """

    __tablename__ = "player"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"), index=True)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    birth_year: Mapped[int | None]
    default_position: Mapped[str] = mapped_column(String(30), default="")
    inactive_at: Mapped[datetime | None] = mapped_column(UtcTime)
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class TeamPlayer(Base):
    """A player on a team's roster from one day to another, under a jersey number as it was found (text)."""

    __tablename__ = "team_player"
    __table_args__ = (UniqueConstraint("team_id", "player_id", "joined_on"), NEVER_REUSED)
    id: Mapped[Id]
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    player_id: Mapped[int] = mapped_column(ForeignKey("player.id", ondelete="CASCADE"), index=True)
    jersey_number: Mapped[str | None] = mapped_column(String(10))
    joined_on: Mapped[date]
    left_on: Mapped[date | None]
    team: Mapped[Team] = relationship()
    player: Mapped[Player] = relationship()


class Duty(StrEnum):
    """What a grown-up does for a team."""

    COACH = "coach"
    MANAGER = "manager"


class TeamCoach(Base):
    """A user who coaches or manages a team."""

    __tablename__ = "team_coach"
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    duty: Mapped[str] = mapped_column(String(20))
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class ParentPlayer(Base):
    """A user who stands for a player: may see the player's team and decides on consent. Many to many."""

    __tablename__ = "parent_player"
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("player.id", ondelete="CASCADE"), primary_key=True, index=True)
    relationship_name: Mapped[str] = mapped_column("relationship", String(40), default="parent")
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class Venue(Base):
    """A place where a club plays. Latitude and longitude in degrees, WGS 84, where they are known."""

    __tablename__ = "venue"
    __table_args__ = (UniqueConstraint("organization_id", "name"), NEVER_REUSED)
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(400), default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]


class Invitation(Base):
    """An invitation by mail to become something in a club; only its secret's SHA-256 is kept.

    `role` says what the user becomes: admin of the organization, coach or manager of the team, parent of the player, or
    the player.
    """

    __tablename__ = "invitation"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    mail: Mapped[str] = mapped_column(String(320), index=True)
    role: Mapped[str] = mapped_column(String(20))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    player_id: Mapped[int | None] = mapped_column(ForeignKey("player.id", ondelete="CASCADE"), index=True)
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)


class JoinRequest(Base):
    """Somebody who knows a team's code and asks to be let in; a coach or manager decides, and says for which player."""

    __tablename__ = "join_request"
    __table_args__ = (Index("ix_join_request_team_open", "team_id", "decided_at"), NEVER_REUSED)
    id: Mapped[Id]
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    words: Mapped[str] = mapped_column(String(500), default="")
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    admitted: Mapped[bool | None]
    user: Mapped[User] = relationship(foreign_keys=[user_id])
