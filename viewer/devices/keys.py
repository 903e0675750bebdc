"""Making, checking and revoking device keys."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from viewer.accounts.service import key_hash
from viewer.clubs.models import Team
from viewer.devices.models import Device, DeviceKey, PairingCode
from viewer.errors import UnknownTeam


def make_device(session: Session, name: str, team: Team, now: datetime) -> Device:
    """The club's device of this name; what it brings belongs to `team`."""
    device = session.scalar(select(Device).where(Device.organization_id == team.organization_id, Device.name == name))
    if device is None:
        device = Device(organization_id=team.organization_id, name=name, made_at=now)
        session.add(device)
    device.team, device.revoked_at = team, None
    session.flush()
    return device


def make_key(session: Session, device: Device, now: datetime) -> str:
    """A fresh key for the device, told this once; its older keys end."""
    _end_keys(session, device.id, now)
    key = f"tl_{secrets.token_urlsafe(32)}"
    session.add(DeviceKey(device_id=device.id, key_hash=key_hash(key), made_at=now))
    return key


def revoke(session: Session, device: Device, now: datetime) -> None:
    """End the device, every key of it, and a code that waits to be typed in."""
    device.revoked_at = now
    session.execute(delete(PairingCode).where(PairingCode.device_id == device.id))
    _end_keys(session, device.id, now)


def device_of(session: Session, key: str) -> Device | None:
    """The device that holds `key`; None for a made-up or revoked one."""
    held = session.scalar(select(DeviceKey).where(DeviceKey.key_hash == key_hash(key), DeviceKey.revoked_at.is_(None)))
    return None if held is None or held.device.revoked_at is not None else held.device


def devices_named(session: Session, name: str) -> Sequence[Device]:
    """The devices of this name, of any club, that have not been revoked."""
    return session.scalars(select(Device).where(Device.name == name, Device.revoked_at.is_(None))).all()


def _end_keys(session: Session, device_id: int, now: datetime) -> None:
    held = (DeviceKey.device_id == device_id, DeviceKey.revoked_at.is_(None))
    session.execute(update(DeviceKey).where(*held).values(revoked_at=now))


def team_named(session: Session, name: str) -> Team:
    """The team of this name, or the oldest when `name` is empty; raises `UnknownTeam`."""
    statement = select(Team).order_by(Team.id).limit(1)
    team = session.scalar(statement.where(Team.name == name) if name else statement)
    if team is None:
        raise UnknownTeam(
            f"there is no team called {name!r}" if name else "there is no team yet: make one with demo-accounts"
        )
    return team
