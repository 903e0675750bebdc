"""Tables of people who sign in: users, what they prove themselves with, and where they are signed in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from viewer.db.base import NEVER_REUSED, Base, Id, UtcTime


class Role(StrEnum):
    """What somebody may be: the platform's or a club's admin, or what links to teams and players make of them."""

    PLATFORM_ADMIN = "platform_admin"
    CLUB_ADMIN = "club_admin"
    COACH = "coach"
    MANAGER = "manager"
    PARENT = "parent"
    PLAYER = "player"


class Frequency(StrEnum):
    """How often the portal writes to somebody about new matches."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


class User(Base):
    """A person who can sign in; `mail` is kept in lower case and names the account.

    `role` is the role the person was invited as, or the platform admin's; what opens a club, a team or a player are the
    links to it (`viewer.clubs.models`). Without a `password_hash` nobody signs in by password; `time_zone` is IANA's.
    `refused_mail` is the address that a mail server said does not exist: while it is `mail`, no news goes there.
    """

    __tablename__ = "user_account"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    mail: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20), default=Role.PARENT)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    notify: Mapped[str] = mapped_column(String(10), default=Frequency.AT_ONCE)
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    refused_mail: Mapped[str | None] = mapped_column(String(320))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)


class SignIn(Base):
    """One browser that is signed in. Only the SHA-256 of the cookie's value is kept.

    `strong_at` is when a second factor was shown, `proven_at` when the password or passkey was shown last.
    """

    __tablename__ = "sign_in"
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    proven_at: Mapped[datetime] = mapped_column(UtcTime)
    strong_at: Mapped[datetime | None] = mapped_column(UtcTime)
    address: Mapped[str] = mapped_column(String(64), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class SignInTry(Base):
    """One try to prove oneself that has not succeeded, counted for the account and for the address it came from."""

    __tablename__ = "sign_in_try"
    id: Mapped[Id]
    subject: Mapped[str] = mapped_column(String(400), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class Purpose(StrEnum):
    """What a ticket is good for."""

    RESET = "reset"
    CHANGE_MAIL = "change_mail"
    PASSKEY = "passkey"


class Ticket(Base):
    """A secret that works once and not for long; only its SHA-256 is kept. `detail` is what it carries."""

    __tablename__ = "ticket"
    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    detail: Mapped[str] = mapped_column(String(1000), default="")
    expires_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class Totp(Base):
    """The authenticator app of a user (RFC 6238). `sealed_secret` can be read with the portal's key alone.

    A code's time step counts once: `last_step` is the newest that was taken (OWASP ASVS 5.0 6.5.1).
    """

    __tablename__ = "totp"
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    sealed_secret: Mapped[str] = mapped_column(String(400))
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime)


class RecoveryCode(Base):
    """A code that stands for the second factor once; only its hash is kept."""

    __tablename__ = "recovery_code"
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Passkey(Base):
    """A passkey of a user (WebAuthn level 2): stands for the password and the second factor."""

    __tablename__ = "passkey"
    __table_args__ = NEVER_REUSED
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(2000))
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(100))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
