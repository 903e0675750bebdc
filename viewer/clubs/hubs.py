"""A club's devices as its admins run them; keys and pairing are `viewer.devices`'."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.clubs import PAGE
from viewer.devices.keys import revoke
from viewer.devices.models import Device
from viewer.errors import BadEntry, NotThere


@dataclass(frozen=True)
class DeviceEntry:
    """What an admin says of a device: name, whose matches it brings, where it stands, its version to be."""

    name: str
    team_id: int
    venue_id: int | None = None
    wanted_version: str = ""


def devices_of(session: Session, club_id: int, after: int | None = None) -> Sequence[Device]:
    """The club's devices from the one numbered `after` on, revoked ones too; at most `PAGE`."""
    listed = select(Device).where(Device.organization_id == club_id).options(joinedload(Device.venue))
    if after is not None:
        listed = listed.where(Device.id > after)
    return session.scalars(listed.order_by(Device.id).limit(PAGE)).all()


def device_in(session: Session, club_id: int, device_id: int) -> Device:
    """One device of the club; raises `NotThere`."""
    device = session.scalar(
        select(Device)
        .where(Device.id == device_id, Device.organization_id == club_id)
        .options(joinedload(Device.venue))
    )
    if device is None:
        raise NotThere("There is no such device in this club.")
    return device


def save_device(
    session: Session, club_id: int, device: Device | None, entry: DeviceEntry, now: datetime, by: Actor
) -> Device:
    """Add a device (None), which has no key yet, or change one; raises `BadEntry`."""
    held = session.scalar(select(Device).where(Device.organization_id == club_id, Device.name == entry.name))
    if held is not None and held is not device:
        raise BadEntry("name", f"There is a device called {entry.name} already.")
    act = Act.CHANGE
    if device is None:
        act, device = Act.ADD, Device(organization_id=club_id, made_at=now)
        session.add(device)
    device.name, device.team_id, device.venue_id = entry.name, entry.team_id, entry.venue_id
    device.wanted_version = entry.wanted_version
    session.flush()
    session.refresh(device)
    by.did(session, act, "device", device.id, now, organization_id=club_id, name=entry.name)
    return device


def end_device(session: Session, device: Device, now: datetime, by: Actor) -> None:
    """Revoke the device: its keys open nothing from now on."""
    revoke(session, device, now)
    by.did(session, Act.REVOKE, "device", device.id, now, organization_id=device.organization_id, name=device.name)
