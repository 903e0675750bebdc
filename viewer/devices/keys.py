"""Making, checking and revoking device keys."""

import secrets
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from viewer.accounts.service import key_hash
from viewer.clubs.models import Team
from viewer.devices.models import Device, DeviceKey, PairingCode


def make_device(session: Session, name: str, team: Team, now: datetime) -> Device:
    """The device of this name in the team's club, as it is, or a new one that has no key yet and is `team`'s."""
    if (device := device_named(session, team.organization_id, name)) is not None:
        return device
    device = Device(organization_id=team.organization_id, team=team, name=name, made_at=now)
    session.add(device)
    session.flush()
    return device


def device_named(session: Session, club_id: int, name: str) -> Device | None:
    """The club's device of this name, also a revoked one."""
    return session.scalar(select(Device).where(Device.organization_id == club_id, Device.name == name))


def make_key(session: Session, device: Device, now: datetime) -> str:
    """A fresh key for the device, told this once; its older keys end, and a device that was revoked is taken back."""
    device.revoked_at = None
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


def _end_keys(session: Session, device_id: int, now: datetime) -> None:
    held = (DeviceKey.device_id == device_id, DeviceKey.revoked_at.is_(None))
    session.execute(update(DeviceKey).where(*held).values(revoked_at=now))
