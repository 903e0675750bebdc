"""The outbox."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from viewer.db.base import Base, UtcTime
from viewer.jobs.lease import Leased


class Mail(Leased, Base):
    """One mail; its `message_id` stays the same when it is sent again after a crash.

    `user_id` is whose account it belongs to, None for an invitation to somebody who has none. `unsubscribe` is the
    address that ends mails of its kind by one click (RFC 8058); empty where a mail must always arrive.
    """

    __tablename__ = "mail"
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    recipient: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    unsubscribe: Mapped[str] = mapped_column(String(500), default="")
    message_id: Mapped[str] = mapped_column(String(200))
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
