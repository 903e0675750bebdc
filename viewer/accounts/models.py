"""Tables of accounts, their sign-ins and tries."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from viewer.db.base import Base, UtcTime


class Account(Base):
    """A person who can sign in; `mail` is kept in lower case and names the account."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    mail: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)


class SignIn(Base):
    """One browser that is signed in. Only the SHA-256 of the cookie's value is kept."""

    __tablename__ = "sign_in"
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
    account: Mapped[Account] = relationship(lazy="joined")


class SignInTry(Base):
    """One try to sign in that has not succeeded, counted for the account and for the address it came from."""

    __tablename__ = "sign_in_try"
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(400), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
