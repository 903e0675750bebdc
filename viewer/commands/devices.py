"""Commands for hubs that bring matches."""

import argparse
import sys
from typing import TYPE_CHECKING

from sqlalchemy import select

from viewer.audit.log import note
from viewer.clock import now
from viewer.clubs.models import Organization
from viewer.commands.common import add_command, database_of
from viewer.devices.keys import devices_named, make_device, make_key, revoke, team_named
from viewer.devices.models import Device
from viewer.devices.pairing import new_pairing_code
from viewer.errors import BadSettings

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`device` and `device-key`."""
    device = add_command(commands, "device", _device, "list hubs, pair one by a code, or end one")
    device.add_argument("act", choices=tuple(_ACTS), help="what to do")
    device.add_argument("--name", default="", help="the device's name, such as hub (not for list)")
    key = add_command(commands, "device-key", _device_key, "make a hub's device key, or end it")
    key.add_argument("--name", required=True, help="the device's name, such as hub")
    for command in (device, key):
        command.add_argument("--team", default="", help="the team whose matches it brings (the oldest when left out)")
    key.add_argument("--revoke", action="store_true", help="end the device's keys instead of making one")


def _device(options: argparse.Namespace) -> int:
    if options.act != "list" and not options.name:
        raise BadSettings(f"device {options.act} needs --name")
    return _ACTS[options.act](options)


def _list(options: argparse.Namespace) -> int:
    with database_of(options).reading() as session:
        rows = session.execute(
            select(Device, Organization.slug)
            .join(Organization, Organization.id == Device.organization_id)
            .order_by(Organization.slug, Device.name)
        ).all()
    for device, club in rows:
        seen = "never" if device.seen_at is None else f"{device.seen_at:%Y-%m-%d %H:%M}"
        state = "revoked" if device.revoked_at else f"seen {seen}"
        print(f"{club}\t{device.name}\t{device.team.name}\t{device.version or '-'}\t{state}")
    return 0


def _pair(options: argparse.Namespace) -> int:
    database, when = database_of(options), now()
    with database.writing() as session:
        team = team_named(session, options.team)
        device = make_device(session, options.name, team, when)
        code = new_pairing_code(session, device, when)
        note(session, "offer-pairing", "device", device.id, when, organization_id=device.organization_id)
        belongs = f"{team.name} of {team.organization.name}"
    print(f"type this into {options.name} for {belongs} within 15 minutes", file=sys.stderr)
    print(code)
    return 0


def _revoke(options: argparse.Namespace) -> int:
    database, when = database_of(options), now()
    with database.writing() as session:
        ended = devices_named(session, options.name)
        for device in ended:
            revoke(session, device, when)
            note(session, "revoke", "device", device.id, when, organization_id=device.organization_id)
    print(f"{len(ended)} device(s) called {options.name} ended", file=sys.stderr)
    return 0 if ended else 1


def _device_key(options: argparse.Namespace) -> int:
    if options.revoke:
        return _revoke(options)
    database, when = database_of(options), now()
    with database.writing() as session:
        team = team_named(session, options.team)
        device = make_device(session, options.name, team, when)
        key = make_key(session, device, when)
        note(session, "make-key", "device", device.id, when, organization_id=device.organization_id)
        belongs = f"{team.name} of {team.organization.name}"
    print(f"key of {options.name} for {belongs}; it is shown only this once", file=sys.stderr)
    print(key)
    return 0


_ACTS = {"list": _list, "pair": _pair, "revoke": _revoke}
