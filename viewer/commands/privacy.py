"""Commands for what is kept of people: a copy of it, and its erasure."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from viewer.accounts.models import User
from viewer.audit.acts import Act
from viewer.clock import now
from viewer.clubs.actor import COMMAND_LINE
from viewer.clubs.models import Player
from viewer.commands.common import add_command, database_of, settings_of
from viewer.errors import NotThere
from viewer.jobs.duties import Tools
from viewer.privacy.erasure import erase_player, erase_user
from viewer.privacy.export import write_export
from viewer.privacy.horizon import horizon_of
from viewer.sealing import open_seal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`export` and `erase`."""
    export = add_command(commands, "export", _export, "write a copy of what is kept about a player or an account")
    export.add_argument("--to", type=Path, required=True, metavar="FILE", help="the zip to write")
    erase = add_command(commands, "erase", _erase, "erase a player or an account, for good")
    erase.add_argument("--yes", action="store_true", help="show that it is meant: without it nothing is erased")
    for command in (export, erase):
        who = command.add_mutually_exclusive_group(required=True)
        who.add_argument("--player", type=int, metavar="ID", help="the player with this number")
        who.add_argument("--user", metavar="MAIL", help="the account with this address")


def _export(options: argparse.Namespace) -> None:
    database, settings, when = database_of(options), settings_of(options), now()
    with database.writing() as session:
        found = _who(session, options)
        kind = "player" if isinstance(found, Player) else "user"
        club = found.organization_id if isinstance(found, Player) else None
        COMMAND_LINE.did(session, Act.EXPORT, kind, found.id, when, organization_id=club)
    tools = Tools(database, settings, now, open_seal(settings.data))
    write_export(tools, kind, found.id, options.to.resolve())
    print(f"written to {options.to}", file=sys.stderr)


def _erase(options: argparse.Namespace) -> int:
    database, settings, when = database_of(options), settings_of(options), now()
    with database.writing() as session:
        found = _who(session, options)
        if not options.yes:
            print("nothing is erased: add --yes to show that you mean it", file=sys.stderr)
            return 1
        seal, horizon = open_seal(settings.data), horizon_of(settings)
        if isinstance(found, Player):
            counts = erase_player(session, found, COMMAND_LINE, when, horizon, seal)
        else:
            counts = erase_user(session, found, COMMAND_LINE, when, horizon, seal)
    print(", ".join(f"{kind} {count}" for kind, count in counts.items()))
    return 0


def _who(session: "Session", options: argparse.Namespace) -> Player | User:
    if options.player is not None:
        player = session.get(Player, options.player)
        if player is None:
            raise NotThere(f"there is no player {options.player}")
        return player
    user = session.query(User).filter_by(mail=options.user.strip().lower()).one_or_none()
    if user is None:
        raise NotThere(f"there is no account {options.user}")
    return user
