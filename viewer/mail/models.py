"""The outbox."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from viewer.db.base import Base, UtcTime
from viewer.jobs.lease import Leased


class Mail(Leased, Base):
    """One mail; its `message_id` stays the same when it is sent again after a crash.

    `user_id` is whose account it belongs to, None for an invitation to somebody who has none. `unsubscribe` is the
    address that ends mails of its kind by one click (RFC 8058); empty where a mail must always arrive. It is given up
    after about a day.
    """

    __tablename__ = "mail"
    most_attempts = 30
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    recipient: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    unsubscribe: Mapped[str] = mapped_column(String(500), default="")
    message_id: Mapped[str] = mapped_column(String(200))
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)


class DigestItem(Base):
    """A recording that somebody shall read of in their next digest, or has read of in one."""

    __tablename__ = "digest_item"
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    recording_id: Mapped[int] = mapped_column(
        ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
