"""What hubs say of themselves, and what they are told."""

from datetime import datetime, timedelta

from sqlalchemy import update

from viewer.db import Database
from viewer.devices.models import Device

SEEN_EVERY = timedelta(minutes=1)
"""How exactly the portal remembers when it last heard of a hub; each heartbeat on disk would wear it."""


def heard(database: Database, device: Device, version: str | None, now: datetime) -> None:
    """Write down that the device spoke, with the program's version where it told one."""
    told = version is not None and version != device.version
    if told or device.seen_at is None or now - device.seen_at >= SEEN_EVERY:
        values = {"seen_at": now, **({"version": version} if told else {})}
        with database.writing() as session:
            session.execute(update(Device).where(Device.id == device.id).values(values))
