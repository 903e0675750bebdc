"""Tables of consent and of what follows from it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from viewer.db.base import NEVER_REUSED, Base, Id, UtcTime


class Scope(StrEnum):
    """What a player may be shown in: to the team, in highlights, in public, and in statistics by name."""

    TEAM = "team"
    HIGHLIGHTS = "highlights"
    PUBLIC = "public"
    STATISTICS = "statistics"


class ConsentText(Base):
    """A version of the words that people consent to; never changed once anybody has answered it."""

    __tablename__ = "consent_text"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class ConsentRecord(Base):
    """One answer for one scope, written down for ever: who gave or withdrew it, when, and to which text.

    The newest record of a player and scope counts; where there is none the answer is unknown, which is team only.
    `given_by_mail` outlives the account. `source` is page, paper or import.
    """

    __tablename__ = "consent_record"
    __table_args__ = (
        Index("ix_consent_record_player_scope", "player_id", "scope", "id"),
        # Few answers are refusals, and every list of matches asks who of a roster has given one.
        Index("ix_consent_record_scope_given", "scope", "given", "player_id"),
        NEVER_REUSED,
    )
    id: Mapped[Id]
    player_id: Mapped[int] = mapped_column(ForeignKey("player.id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(String(12))
    given: Mapped[bool]
    given_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"), index=True)
    given_by_mail: Mapped[str] = mapped_column(String(320))
    text_version: Mapped[int] = mapped_column(ForeignKey("consent_text.version"))
    source: Mapped[str] = mapped_column(String(10), default="page")
    at: Mapped[datetime] = mapped_column(UtcTime)


class RemovalRequest(Base):
    """Somebody wants a recording or clip gone, or themselves out of it; anybody who can see it may ask."""

    __tablename__ = "removal_request"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), index=True)
    clip_id: Mapped[int | None] = mapped_column(ForeignKey("clip.id", ondelete="SET NULL"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    contact: Mapped[str] = mapped_column(String(320))
    words: Mapped[str] = mapped_column(String(2000))
    made_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    outcome: Mapped[str] = mapped_column(String(500), default="")


class Erasure(Base):
    """That a player, account or recording was erased; kept until no backup can hold it, so that a restore erases again.

    `name` is a recording's session, which the portal takes in no more. `counts` says how much went.
    """

    __tablename__ = "erasure"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(63), default="", server_default=text("''"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    horizon_at: Mapped[datetime] = mapped_column(UtcTime)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)


class RetentionWarning(Base):
    """That a team was told that a recording will be deleted, once per recording and day of deletion."""

    __tablename__ = "retention_warning"
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True)
    delete_at: Mapped[datetime] = mapped_column(UtcTime, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)


class NotShown(Base):
    """That somebody has looked through a recording and has not found the player in it."""

    __tablename__ = "not_shown"
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("player.id", ondelete="CASCADE"), primary_key=True, index=True)
    said_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UtcTime)
