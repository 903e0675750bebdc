"""Commands for hubs that bring matches."""

import argparse
import sys
from typing import TYPE_CHECKING

from sqlalchemy import select

from viewer.audit.log import note
from viewer.clock import now
from viewer.clubs.actor import COMMAND_LINE
from viewer.clubs.clubs import club_named, venue_named
from viewer.clubs.hubs import DeviceEntry, save_device
from viewer.clubs.models import Organization
from viewer.clubs.teams import team_called
from viewer.commands.common import add_command, database_of, line
from viewer.devices.keys import devices_named, make_device, make_key, revoke, team_named
from viewer.devices.models import Device
from viewer.devices.pairing import new_pairing_code
from viewer.errors import BadSettings, NotThere

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`device` and `device-key`."""
    device = add_command(commands, "device", _device, "list hubs, pair one by a code, change or end one")
    device.add_argument("act", choices=tuple(_ACTS), help="what to do")
    device.add_argument("--name", default="", help="the device's name, such as hub (not for list)")
    device.add_argument("--club", metavar="SLUG", help="change: the device's club")
    device.add_argument("--new-name", type=line(100), metavar="NAME", help="change: its name from now on")
    device.add_argument("--venue", metavar="NAME", help="change: where it stands; empty for nowhere")
    device.add_argument(
        "--wanted-version", type=line(40), metavar="VERSION", help="change: the version to update to; empty for none"
    )
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
        version = device.version or "-"
        if device.wanted_version not in ("", device.version):
            version += f" (to be {device.wanted_version})"
        print(f"{club}\t{device.name}\t{device.team.name}\t{version}\t{state}")
    return 0


def _change(options: argparse.Namespace) -> int:
    if not options.club:
        raise BadSettings("device change needs --club")
    with database_of(options).writing() as session:
        club = club_named(session, options.club).id
        device = session.scalar(select(Device).where(Device.organization_id == club, Device.name == options.name))
        if device is None:
            raise NotThere(f"there is no device called {options.name!r} in {options.club}")
        venue, wanted = device.venue_id, options.wanted_version
        if options.venue is not None:
            venue = venue_named(session, club, options.venue).id if options.venue else None
        entry = DeviceEntry(
            name=options.new_name or device.name,
            team_id=team_called(session, club, options.team).id if options.team else device.team_id,
            venue_id=venue,
            wanted_version=device.wanted_version if wanted is None else wanted,
        )
        save_device(session, club, device, entry, now(), COMMAND_LINE)
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


_ACTS = {"list": _list, "pair": _pair, "change": _change, "revoke": _revoke}
