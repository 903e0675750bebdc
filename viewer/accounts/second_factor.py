"""The second factor: an authenticator app (RFC 6238) and recovery codes, each code good for once."""

import hmac
import secrets
from datetime import datetime, timedelta

import pyotp
import segno
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from viewer.accounts.models import Passkey, RecoveryCode, Totp, User
from viewer.accounts.service import note_own
from viewer.accounts.sign_ins import weaken
from viewer.accounts.throttle import Trial, count_try, forget_tries
from viewer.db import Database
from viewer.errors import BadSeal, WrongCode
from viewer.sealing import Seal

CODES = 10
_SET_UP_WITHIN = timedelta(minutes=30)
_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_WRONG = "This code is not right, or was used already. Wait for the next one and try again."


class SetUp:
    """An authenticator app about to be set up: its secret goes to the page and back, sealed for this user and a while.

    Nothing is kept before the app has shown a right code, so that looking at the page changes nothing.
    """

    def __init__(self, secret: str, mail: str, sealed: str) -> None:
        self.secret = secret
        self.sealed = sealed
        self._mail = mail

    @classmethod
    def fresh(cls, seal: Seal, user_id: int, mail: str, now: datetime) -> "SetUp":
        """A set-up with a new secret of 160 bits."""
        secret = pyotp.random_base32()
        until = int((now + _SET_UP_WITHIN).timestamp())
        return cls(secret, mail, seal.seal(f"totp {user_id} {until} {secret}"))

    @classmethod
    def again(cls, seal: Seal, user_id: int, mail: str, sealed: str, now: datetime) -> "SetUp":
        """The set-up that a page has sent back; raises `WrongCode` for another user's or an old one."""
        try:
            said = seal.unseal(sealed).split()
        except (BadSeal, UnicodeError) as fault:
            raise WrongCode("Begin again: this page was not made here.") from fault
        if len(said) != 4 or said[:2] != ["totp", str(user_id)] or int(said[2]) < now.timestamp():
            raise WrongCode("Begin again: this page is too old.")
        return cls(said[3], mail, sealed)

    @property
    def address(self) -> str:
        """What the QR code says (Key URI format of Google Authenticator)."""
        return pyotp.TOTP(self.secret).provisioning_uri(name=self._mail, issuer_name="Touchline")

    @property
    def picture(self) -> str:
        """The QR code as the address of a picture that holds itself."""
        return str(segno.make(self.address, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff"))

    @property
    def grouped(self) -> str:
        """The secret in groups of four, for typing."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))


def confirm(session: Session, seal: Seal, user: User, set_up: SetUp, code: str, now: datetime) -> list[str]:
    """Keep the app after its first right code; fresh recovery codes, to be shown once. Raises `WrongCode`."""
    step = _step(set_up.secret, code, now)
    if step is None:
        raise WrongCode(
            "The app shows another code. Type the newest one, and look whether your phone's clock is right."
        )
    if has_app(session, user.id):
        raise WrongCode("There is an authenticator app already. Remove it first.")
    session.add(Totp(user_id=user.id, sealed_secret=seal.seal(set_up.secret), last_step=step, confirmed_at=now))
    session.flush()
    note_own(session, "set-up-second-factor", user, now, by="app")
    return new_codes(session, seal, user, now)


def show(database: Database, seal: Seal, user: User, code: str, address: str, now: datetime) -> None:
    """Take a code of the app or a recovery code, once. Raises `WrongCode` or `Throttled`."""
    with database.writing() as session:
        count_try(session, user.id, address, now, Trial.CODE)
    with database.writing() as session:
        by = _taken(session, seal, user.id, code, now)
        if by is None:
            note_own(session, "second-factor-refused", user, now, address)
        else:
            note_own(session, "second-factor", user, now, address, by=by)
            forget_tries(session, user.id, address, Trial.CODE)
    if by is None:
        raise WrongCode(_WRONG)


def new_codes(session: Session, seal: Seal, user: User, now: datetime) -> list[str]:
    """Ten fresh recovery codes of 50 bits; the old ones end."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = ["".join(secrets.choice(_SIGNS) for _ in range(10)) for _ in range(CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_marked(seal, user.id, code)) for code in codes)
    note_own(session, "new-recovery-codes", user, now)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes can still be used."""
    left = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(left) or 0


def has_app(session: Session, user_id: int) -> bool:
    """Whether an authenticator app is set up."""
    return session.get(Totp, user_id) is not None


def remove_app(session: Session, user: User, now: datetime) -> None:
    """End the authenticator app."""
    session.execute(delete(Totp).where(Totp.user_id == user.id))
    note_own(session, "remove-second-factor", user, now, by="app")
    after_removal(session, user.id)


def after_removal(session: Session, user_id: int) -> None:
    """When the last app or passkey is gone, recovery codes go too, and what was shown counts no more."""
    passkey = session.scalar(select(Passkey.id).where(Passkey.user_id == user_id).limit(1))
    if passkey is None and not has_app(session, user_id):
        session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        weaken(session, user_id)


def _taken(session: Session, seal: Seal, user_id: int, code: str, now: datetime) -> str | None:
    """What the code is of, now spent; None when it is of nothing."""
    plain = "".join(code.split()).replace("-", "").upper()
    totp = session.get(Totp, user_id)
    if totp is not None and (step := _step(seal.unseal(totp.sealed_secret), plain, now)) is not None:
        # In one statement, so that of two who show the same code at once one is too late.
        newer = update(Totp).where(Totp.user_id == user_id, Totp.last_step < step).values(last_step=step)
        return None if session.scalar(newer.returning(Totp.user_id)) is None else "app"
    unused = update(RecoveryCode).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    unused = unused.where(RecoveryCode.code_hash == _marked(seal, user_id, plain)).values(used_at=now)
    return None if session.scalar(unused.returning(RecoveryCode.id)) is None else "recovery code"


def _step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is: the present one, or a neighbour for a clock that is off by half a minute."""
    totp = pyotp.TOTP(secret)
    here = totp.timecode(now)
    said = "".join(code.split()).encode()
    return next(
        (n for n in (here, here - 1, here + 1) if hmac.compare_digest(totp.generate_otp(n).encode(), said)), None
    )


def _marked(seal: Seal, user_id: int, code: str) -> str:
    # Keyed: 50 bits could be tried out against a plain hash in a stolen database.
    return seal.sign("recovery code", user_id, code)
