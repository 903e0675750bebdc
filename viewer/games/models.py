"""Tables of games: what the calendar says, what was recorded of it, and what was found in the recording."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from viewer.clock import local_day
from viewer.clubs.models import Player, Team, Venue
from viewer.db.base import NEVER_REUSED, Base, Id, UtcTime


class ScoreSource(StrEnum):
    """Where a game's score comes from; what a person entered is never written over."""

    EVENTS = "events"
    HAND = "hand"
    IMPORT = "import"


class Game(Base):
    """An encounter of a club's team with an opponent, from the calendar, from a recording, or both.

    `starts_at` is the planned kick-off, or when the recording began where nobody planned. The score is ours first; None
    while nobody knows it. `processed_at` is when it could first be watched. `time_zone` is that of the place.
    """

    __tablename__ = "game"
    __table_args__ = (
        Index("ix_game_team_id_starts_at", "team_id", "starts_at"),
        Index("ix_game_organization_id_starts_at", "organization_id", "starts_at"),
        NEVER_REUSED,
    )
    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    opponent: Mapped[str] = mapped_column(String(200))
    at_home: Mapped[bool] = mapped_column(default=True)
    title: Mapped[str] = mapped_column(String(300), default="")
    starts_at: Mapped[datetime] = mapped_column(UtcTime)
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("venue.id", ondelete="SET NULL"), index=True)
    our_score: Mapped[int | None]
    their_score: Mapped[int | None]
    score_source: Mapped[str] = mapped_column(String(10), default=ScoreSource.EVENTS)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    processed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    team: Mapped[Team] = relationship()
    venue: Mapped[Venue | None] = relationship()
    teams: Mapped[list[Team]] = relationship(secondary="game_team")
    recordings: Mapped[list["Recording"]] = relationship(back_populates="game", order_by="Recording.start_ns")

    @property
    def day(self) -> date:
        """The day on which it begins, at its place."""
        return local_day(self.starts_at, self.time_zone)


class GameTeam(Base):
    """A team whose members may see the game: its own, and a sister team of the club that played in it."""

    __tablename__ = "game_team"
    game_id: Mapped[int] = mapped_column(ForeignKey("game.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True, index=True)


class Answer(StrEnum):
    """What somebody answered to a game's invitation."""

    NO = "no"
    YES = "yes"
    MAYBE = "maybe"


class Availability(Base):
    """Whether a player said they would come."""

    __tablename__ = "availability"
    game_id: Mapped[int] = mapped_column(ForeignKey("game.id", ondelete="CASCADE"), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("player.id", ondelete="CASCADE"), primary_key=True, index=True)
    answer: Mapped[str] = mapped_column(String(5))


class Recording(Base):
    """One session of a rig, as the portal keeps it.

    `folder` is its media folder below the portal's, and changes when a newer package of the session comes in. `view` is
    the panorama's geometry as plain data (`wire.panorama.PanoramaView`), where the package has it. `our_side` is home
    or away, as the game's own team is. `bytes` is what its files take. `delete_at` is when its retention ends.
    `blurred` are the tracks that are blurred in every file.
    """

    __tablename__ = "recording"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    session: Mapped[str] = mapped_column(String(63), unique=True)
    game_id: Mapped[int] = mapped_column(ForeignKey("game.id", ondelete="CASCADE"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"), index=True)
    folder: Mapped[str] = mapped_column(String(200))
    home: Mapped[str] = mapped_column(String(200))
    away: Mapped[str] = mapped_column(String(200))
    our_side: Mapped[str] = mapped_column(String(4))
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
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    delete_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    blurred: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    game: Mapped[Game] = relationship(back_populates="recordings")
    events: Mapped[list["GameEvent"]] = relationship(
        order_by="GameEvent.time_s, GameEvent.ordinal", cascade="all, delete-orphan", passive_deletes=True
    )
    clips: Mapped[list["Clip"]] = relationship(
        order_by="Clip.start_s", cascade="all, delete-orphan", passive_deletes=True
    )
    stats: Mapped[list["PlayerGameStats"]] = relationship(
        order_by="PlayerGameStats.track", cascade="all, delete-orphan", passive_deletes=True
    )
    heat_maps: Mapped[list["HeatMap"]] = relationship(cascade="all, delete-orphan", passive_deletes=True)
    files: Mapped[list["RecordingFile"]] = relationship(cascade="all, delete-orphan", passive_deletes=True)


class GameEvent(Base):
    """An event in seconds of its recording, in metres of the pitch frame.

    `ordinal` is its place in the package, `side` home, away or empty. `player_id` is set once a human has confirmed who
    the track is.
    """

    __tablename__ = "game_event"
    __table_args__ = (UniqueConstraint("recording_id", "ordinal"),)
    id: Mapped[Id]
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    time_s: Mapped[float]
    type: Mapped[str] = mapped_column(String(20))
    side: Mapped[str] = mapped_column(String(4))
    x_m: Mapped[float | None]
    y_m: Mapped[float | None]
    confidence: Mapped[float]
    track: Mapped[int | None]
    player_id: Mapped[int | None] = mapped_column(ForeignKey("player.id", ondelete="SET NULL"), index=True)


class Clip(Base):
    """A cut around the event with the same `ordinal`; paths below the recording's folder, seconds of the panorama.

    One that somebody had taken away is shown to nobody (`hidden_at`); of one that is `removed` the files are gone, too.
    """

    __tablename__ = "clip"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    event_ordinal: Mapped[int]
    path: Mapped[str] = mapped_column(String(300))
    thumbnail: Mapped[str] = mapped_column(String(300))
    start_s: Mapped[float]
    end_s: Mapped[float]
    hidden_at: Mapped[datetime | None] = mapped_column(UtcTime)
    removed: Mapped[bool] = mapped_column(default=False, server_default=false())


class PlayerGameStats(Base):
    """What one track ran; a player's numbers once a human has confirmed who it is (`player_id`, by whom and when).

    The track's number means something in this recording alone and belongs to no name by itself.
    """

    __tablename__ = "player_game_stats"
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True)
    track: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    side: Mapped[str] = mapped_column(String(4))
    distance_m: Mapped[float]
    top_speed_mps: Mapped[float]
    followed_s: Mapped[float]
    player_id: Mapped[int | None] = mapped_column(ForeignKey("player.id", ondelete="SET NULL"), index=True)
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    player: Mapped[Player | None] = relationship()


class HeatMap(Base):
    """Where one track was: time in each cell of a grid over the pitch, row by row from the near left corner.

    `tenths` are tenths of a second as little-endian uint16, packed by zlib.
    """

    __tablename__ = "heat_map"
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True)
    track: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[int]
    columns: Mapped[int]
    tenths: Mapped[bytes] = mapped_column(LargeBinary)


class RecordingFile(Base):
    """A file of the recording: only what stands here is ever served."""

    __tablename__ = "recording_file"
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(String(300), primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
