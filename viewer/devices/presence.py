"""What hubs say of themselves, and what they are told."""

from datetime import datetime, timedelta

from sqlalchemy import update

from viewer.db import Database
from viewer.devices.models import Device

SEEN_EVERY = timedelta(minutes=1)
"""How exactly the portal remembers when it last heard of a hub; each heartbeat on disk would wear it."""
ASKED_EVERY = timedelta(minutes=5)
"""The same for a hub that asks for something else, such as an upload's next piece."""


def heard(
    database: Database, device: Device, version: str | None, now: datetime, every: timedelta = SEEN_EVERY
) -> None:
    """Write down that the device spoke, with the program's version where it told one, else once in `every`."""
    told = version is not None and version != device.version
    if told or device.seen_at is None or now - device.seen_at >= every:
        values = {"seen_at": now, **({"version": version} if told else {})}
        with database.writing() as session:
            session.execute(update(Device).where(Device.id == device.id).values(values))
        # What the guard has written down, the route need not write again.
        device.seen_at = now
