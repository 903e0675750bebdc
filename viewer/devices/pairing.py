"""Pairing: an admin gets a code, somebody types it into the hub, and the hub gets its key for it."""

import math
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from viewer.accounts.models import SignInTry
from viewer.accounts.service import key_hash
from viewer.devices.keys import make_key
from viewer.devices.models import Device, PairingCode
from viewer.errors import Throttled, WrongCode

GOOD_FOR = timedelta(minutes=15)
"""How long a code may be used."""
MOST_TRIES = 10
"""Tries that an address has in a quarter of an hour; 40 random bits then outlast every guesser."""
WINDOW = timedelta(minutes=15)
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH = 8


def new_pairing_code(session: Session, device: Device, now: datetime) -> str:
    """A code for this device, such as `K7QM-4TXP`, told this once; an older one of the device ends."""
    session.execute(delete(PairingCode).where((PairingCode.device_id == device.id) | (PairingCode.expires_at <= now)))
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    session.add(PairingCode(code_hash=_hash(code), device_id=device.id, expires_at=now + GOOD_FOR))
    return f"{code[:4]}-{code[4:]}"


def count_pairing_try(session: Session, address: str, now: datetime) -> None:
    """Write a try down, in a transaction of its own before the code is looked at; raises `Throttled`."""
    tried = SignInTry.subject == f"pairing:{address}"
    recent = (tried, SignInTry.at > now - WINDOW)
    tries, oldest = session.execute(select(func.count(), func.min(SignInTry.at)).where(*recent)).one()
    if tries >= MOST_TRIES:
        raise Throttled(math.ceil((oldest + WINDOW - now).total_seconds()))
    session.add(SignInTry(subject=f"pairing:{address}", at=now))


def pair(session: Session, code: str, now: datetime) -> tuple[Device, str]:
    """The device whose code this is, and its fresh key, told this once; the code ends. Raises `WrongCode`.

    Older keys of the device end, and a device that was revoked before the code was made is taken back.
    """
    # Deleting is what takes the code: of two hubs that try at once one finds nothing.
    good = (PairingCode.code_hash == _hash(code), PairingCode.expires_at > now)
    device_id = session.scalars(delete(PairingCode).where(*good).returning(PairingCode.device_id)).one_or_none()
    if device_id is None:
        raise WrongCode("This code is not known here. A code works once and for 15 minutes: get a new one.")
    device = session.get_one(Device, device_id)
    return device, make_key(session, device, now)


def _hash(code: str) -> str:
    return key_hash("".join(code.split()).replace("-", "").upper())
