"""Tables of a match and what the package says of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from viewer.db.base import Base, UtcTime
from viewer.teams.models import Team


class Match(Base):
    """One match, named by the session that recorded it.

    `folder` is its media folder below the portal's, and changes when a newer package of the session comes in. `view` is
    the panorama's geometry as plain data (`wire.panorama.PanoramaView`), where the package has it.
    """

    __tablename__ = "match"
    id: Mapped[int] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(String(63), unique=True)
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id", ondelete="CASCADE"), index=True)
    folder: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(300))
    home: Mapped[str] = mapped_column(String(200))
    away: Mapped[str] = mapped_column(String(200))
    home_colour: Mapped[str] = mapped_column(String(7))
    away_colour: Mapped[str] = mapped_column(String(7))
    pitch_length_m: Mapped[float]
    pitch_width_m: Mapped[float]
    players_a_side: Mapped[int]
    start_ns: Mapped[int] = mapped_column(BigInteger)
    duration_s: Mapped[float]
    panorama: Mapped[str] = mapped_column(String(300))
    panorama_width_px: Mapped[int]
    panorama_height_px: Mapped[int]
    view: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    poster: Mapped[str] = mapped_column(String(300))
    tracks: Mapped[str] = mapped_column(String(300))
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    events: Mapped[list["MatchEvent"]] = relationship(
        order_by="MatchEvent.time_s, MatchEvent.ordinal", cascade="all, delete-orphan"
    )
    clips: Mapped[list["Clip"]] = relationship(order_by="Clip.start_s", cascade="all, delete-orphan")
    numbers: Mapped[list["PlayerNumbers"]] = relationship(order_by="PlayerNumbers.track", cascade="all, delete-orphan")
    files: Mapped[list["MatchFile"]] = relationship(cascade="all, delete-orphan")
    teams: Mapped[list[Team]] = relationship(secondary="match_team")


class MatchTeam(Base):
    """A team whose members may see the match."""

    __tablename__ = "match_team"
    match_id: Mapped[int] = mapped_column(ForeignKey("match.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True, index=True)


class MatchEvent(Base):
    """An event; `ordinal` is its place in the package, `side` home, away or empty, `x_m`, `y_m` in the pitch frame."""

    __tablename__ = "match_event"
    __table_args__ = (UniqueConstraint("match_id", "ordinal"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("match.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    time_s: Mapped[float]
    type: Mapped[str] = mapped_column(String(20))
    side: Mapped[str] = mapped_column(String(4))
    x_m: Mapped[float | None]
    y_m: Mapped[float | None]
    confidence: Mapped[float]
    track: Mapped[int | None]


class Clip(Base):
    """A cut around the event with the same `ordinal`; paths below the match's folder, seconds of the panorama."""

    __tablename__ = "clip"
    id: Mapped[int] = mapped_column(primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("match.id", ondelete="CASCADE"), index=True)
    event_ordinal: Mapped[int]
    path: Mapped[str] = mapped_column(String(300))
    thumbnail: Mapped[str] = mapped_column(String(300))
    start_s: Mapped[float]
    end_s: Mapped[float]


class PlayerNumbers(Base):
    """What one track ran."""

    __tablename__ = "player_numbers"
    match_id: Mapped[int] = mapped_column(ForeignKey("match.id", ondelete="CASCADE"), primary_key=True)
    track: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    side: Mapped[str] = mapped_column(String(4))
    distance_m: Mapped[float]
    top_speed_mps: Mapped[float]
    followed_s: Mapped[float]


class MatchFile(Base):
    """A file of the match: only what stands here is ever served."""

    __tablename__ = "match_file"
    match_id: Mapped[int] = mapped_column(ForeignKey("match.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(String(300), primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
