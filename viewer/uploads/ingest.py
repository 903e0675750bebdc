"""Taking in a package that did not come by upload: from a stick, a folder, or the portal's own bucket."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.clubs.models import Organization
from viewer.db import Database
from viewer.devices.models import Device
from viewer.errors import UnknownDevice
from viewer.games.intake import package_path, queue_intake
from viewer.games.package import manifest_of
from viewer.settings import Settings
from wire.durable import write_parts_durably


def device_called(session: Session, name: str, club: str = "") -> Device:
    """The device in whose name a package is taken in; raises `UnknownDevice` where none or several have it."""
    named = select(Device).where(Device.name == name, Device.revoked_at.is_(None))
    if club:
        named = named.join(Organization, Organization.id == Device.organization_id).where(Organization.slug == club)
    found = session.scalars(named).all()
    if len(found) != 1:
        fault = "several clubs have a device" if found else "there is no device"
        raise UnknownDevice(f"{fault} called {name!r}: name it with --club, or make it with device pair")
    return found[0]


def ingest(database: Database, settings: Settings, package: Iterable[bytes], device_id: int, now: datetime) -> str:
    """Copy the package, durably, to where uploads go once they are whole, and queue the same job; returns its session.

    Raises `BadPackage` where it is plainly none. Everything else the job checks, as it does for an upload.
    """
    upload = f"local-{secrets.token_hex(16)}"
    path = package_path(settings, upload)
    write_parts_durably(path, package)
    try:
        name = str(manifest_of(path).session)
        with database.writing() as session:
            queue_intake(session, upload, name, device_id, now)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return name
