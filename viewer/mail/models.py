"""The outbox."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from viewer.db.base import Base, UtcTime
from viewer.jobs.lease import Leased


class Mail(Leased, Base):
    """One mail to one account; its `message_id` stays the same when it is sent again after a crash."""

    __tablename__ = "mail"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    recipient: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(200))
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
