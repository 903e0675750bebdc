"""Making, checking and revoking device keys."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from viewer.devices.models import DeviceKey
from viewer.errors import UnknownTeam
from viewer.teams.models import Team


def make_key(session: Session, name: str, team: Team, now: datetime) -> str:
    """A fresh key for the device, told this once; its older key ends."""
    revoke(session, name, now)
    key = f"tl_{secrets.token_urlsafe(32)}"
    session.add(DeviceKey(name=name, key_hash=_hash(key), team_id=team.id, made_at=now))
    return key


def revoke(session: Session, name: str, now: datetime) -> int:
    """End every key of the device; returns how many there were."""
    ended = update(DeviceKey).where(DeviceKey.name == name, DeviceKey.revoked_at.is_(None)).values(revoked_at=now)
    return len(session.scalars(ended.returning(DeviceKey.id)).all())


def device_of(session: Session, key: str) -> DeviceKey | None:
    """The device that holds `key`; None for a made-up or revoked one."""
    return session.scalar(select(DeviceKey).where(DeviceKey.key_hash == _hash(key), DeviceKey.revoked_at.is_(None)))


def team_named(session: Session, name: str) -> Team:
    """The team of this name, or the oldest when `name` is empty; raises `UnknownTeam`."""
    statement = select(Team).order_by(Team.id).limit(1)
    team = session.scalar(statement.where(Team.name == name) if name else statement)
    if team is None:
        raise UnknownTeam(
            f"there is no team called {name!r}" if name else "there is no team yet: make one with demo-accounts"
        )
    return team


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
