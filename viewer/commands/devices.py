"""Commands for hubs that bring matches."""

import argparse
import sys
from typing import TYPE_CHECKING

from viewer.clock import now
from viewer.commands.common import add_command, database_of
from viewer.devices.keys import devices_named, make_device, make_key, revoke, team_named

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`device-key`."""
    key = add_command(commands, "device-key", _device_key, "make a hub's device key, or end it")
    key.add_argument("--name", required=True, help="the device's name, such as hub")
    key.add_argument("--team", default="", help="the team whose matches it brings (the oldest when left out)")
    key.add_argument("--revoke", action="store_true", help="end the device's keys instead of making one")


def _device_key(options: argparse.Namespace) -> int:
    database, when = database_of(options), now()
    with database.writing() as session:
        if options.revoke:
            ended = devices_named(session, options.name)
            for device in ended:
                revoke(session, device, when)
            print(f"{len(ended)} device(s) called {options.name} ended", file=sys.stderr)
            return 0 if ended else 1
        team = team_named(session, options.team)
        key = make_key(session, make_device(session, options.name, team, when), when)
        belongs = f"{team.name} of {team.organization.name}"
    print(f"key of {options.name} for {belongs}; it is shown only this once", file=sys.stderr)
    print(key)
    return 0
