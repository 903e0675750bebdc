"""Tables of clubs, teams and memberships."""

from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from viewer.db.base import Base


class Duty(StrEnum):
    """What an account is to a team."""

    COACH = "coach"
    PARENT = "parent"


class Club(Base):
    """A club: the boundary of what its devices and people can reach."""

    __tablename__ = "club"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class Team(Base):
    """A team of a club; matches are shown to its members."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("club_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    club: Mapped[Club] = relationship(lazy="joined")


class Membership(Base):
    """An account's link to a team: the only thing that opens a match."""

    __tablename__ = "membership"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True, index=True)
    duty: Mapped[str] = mapped_column(String(20))
