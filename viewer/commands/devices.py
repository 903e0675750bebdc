"""Commands for hubs that bring matches."""

import argparse
import sys
from typing import TYPE_CHECKING

from sqlalchemy import select

from viewer.audit.acts import Act
from viewer.clock import now
from viewer.clubs.actor import COMMAND_LINE
from viewer.clubs.clubs import club_named, club_or_only, venue_named
from viewer.clubs.hubs import DeviceEntry, end_device, save_device
from viewer.clubs.models import Organization
from viewer.clubs.teams import first_team, team_called
from viewer.commands.common import add_command, database_of, line
from viewer.devices.keys import device_named, make_device, make_key
from viewer.devices.models import Device
from viewer.devices.pairing import new_pairing_code
from viewer.errors import BadEntry, BadSettings, NotThere

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`device` and `device-key`."""
    device = add_command(commands, "device", _device, "list hubs, pair one by a code, change or end one")
    device.add_argument("act", choices=tuple(_ACTS), help="what to do")
    device.add_argument("--name", default="", help="the device's name, such as hub (not for list)")
    device.add_argument("--new-name", type=line(100), metavar="NAME", help="change: its name from now on")
    device.add_argument("--venue", metavar="NAME", help="change: where it stands; empty for nowhere")
    device.add_argument(
        "--wanted-version", type=line(40), metavar="VERSION", help="change: the version to update to; empty for none"
    )
    key = add_command(commands, "device-key", _device_key, "make a hub's device key, or end it")
    key.add_argument("--name", required=True, help="the device's name, such as hub")
    for command in (device, key):
        command.add_argument("--club", default="", metavar="SLUG", help="the device's club, where there are several")
        command.add_argument(
            "--team", default="", help="the team whose matches it brings (a new device: the oldest when left out)"
        )
    key.add_argument("--revoke", action="store_true", help="end the device's keys instead of making one")


def _device(options: argparse.Namespace) -> int:
    if options.act != "list" and not options.name:
        raise BadSettings(f"device {options.act} needs --name")
    return _ACTS[options.act](options)


def _list(options: argparse.Namespace) -> int:
    listed = select(Device, Organization.slug).join(Organization, Organization.id == Device.organization_id)
    with database_of(options).reading() as session:
        if options.club:
            listed = listed.where(Organization.id == club_named(session, options.club).id)
        rows = session.execute(listed.order_by(Organization.slug, Device.name)).all()
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
        device = device_named(session, club, options.name)
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
        device = _held_or_new(session, options)
        code = new_pairing_code(session, device, when)
        _note(session, Act.OFFER_PAIRING, device)
        belongs = _belongs(device)
    print(f"pair {options.name} for {belongs} within 15 minutes: touchline-hub pair CODE", file=sys.stderr)
    print(code)
    return 0


def _revoke(options: argparse.Namespace) -> int:
    with database_of(options).writing() as session:
        club = club_or_only(session, options.club)
        device = device_named(session, club.id, options.name)
        if device is None or device.revoked_at is not None:
            raise NotThere(f"there is no device called {options.name!r} in {club.slug} to be ended")
        end_device(session, device, now(), COMMAND_LINE)
    print(f"{options.name} of {club.slug} ended", file=sys.stderr)
    return 0


def _device_key(options: argparse.Namespace) -> int:
    if options.revoke:
        return _revoke(options)
    database, when = database_of(options), now()
    with database.writing() as session:
        device = _held_or_new(session, options)
        key = make_key(session, device, when)
        _note(session, Act.MAKE_KEY, device)
        belongs = _belongs(device)
    print(f"key of {options.name} for {belongs}; it is shown only this once", file=sys.stderr)
    print(key)
    return 0


def _held_or_new(session: "Session", options: argparse.Namespace) -> Device:
    """The club's device of the asked name, as it is, or a new one; raises `BadEntry` where it is another team's."""
    club = club_or_only(session, options.club).id
    device = device_named(session, club, options.name)
    if device is None:
        team = team_called(session, club, options.team) if options.team else first_team(session, club)
        return make_device(session, options.name, team, now())
    if options.team and device.team_id != team_called(session, club, options.team).id:
        raise BadEntry(
            "team", f"{device.name} brings the matches of {device.team.name}: give it another team by device change"
        )
    return device


def _belongs(device: Device) -> str:
    return f"{device.team.name} of {device.team.organization.name}"


def _note(session: "Session", act: Act, device: Device) -> None:
    club = device.organization_id
    COMMAND_LINE.did(session, act, "device", device.id, now(), organization_id=club, name=device.name)


_ACTS = {"list": _list, "pair": _pair, "change": _change, "revoke": _revoke}
