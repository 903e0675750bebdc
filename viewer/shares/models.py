"""The table of shares."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from viewer.db.base import NEVER_REUSED, Base, Id, UtcTime


class Share(Base):
    """A link to one clip that ends at `expires_at` or when it is revoked; only its secret's SHA-256 is kept."""

    __tablename__ = "share"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    clip_id: Mapped[int] = mapped_column(ForeignKey("clip.id", ondelete="CASCADE"), index=True)
    made_by: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    may_download: Mapped[bool] = mapped_column(default=False)
    views: Mapped[int] = mapped_column(default=0)
