"""`touchline-viewer`: the portal's processes and its few housekeeping commands."""

import argparse
import logging
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from viewer.accounts.models import Role
from viewer.accounts.people import make_user
from viewer.clock import now
from viewer.clubs.models import Duty
from viewer.clubs.rosters import make_coach, make_organization, make_parent, make_player, make_team
from viewer.db import Database
from viewer.db.migrate import current, upgrade
from viewer.devices.keys import devices_named, make_device, make_key, revoke, team_named
from viewer.errors import PortTaken, ViewerError
from viewer.logs import OneLine
from viewer.settings import Settings

Run = Callable[[argparse.Namespace], int | None]
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it went well, 1 or 2 with one sentence on standard error when not."""
    options = _parser().parse_args(argv)
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(OneLine())
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    for noisy in ("huey", "alembic", "granian", "_granian"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        return int(options.run(options) or 0)
    except PortTaken as fault:
        return _say(str(fault), 2)
    except ViewerError as fault:
        return _say(str(fault), 1)
    except DBAPIError as fault:
        return _say(f"the database cannot be used: {str(fault.orig).strip().splitlines()[0]}", 1)
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        return _say(f"this should not happen: {type(fault).__name__}: {fault}", 1)


def _serve(options: argparse.Namespace) -> None:
    # The housekeeping commands start twice as fast without the web server and the queue.
    from viewer.web.server import run_server  # noqa: PLC0415

    run_server(_settings(options))


def _work(options: argparse.Namespace) -> None:
    from viewer.jobs.process import run_worker  # noqa: PLC0415

    run_worker(_settings(options))


def _migrate(options: argparse.Namespace) -> None:
    print(f"the database is at revision {current(_database(options))}")


def _demo_accounts(options: argparse.Namespace) -> None:
    database, when = _database(options), now()
    people = (
        (options.coach, "Coach", options.coach_password or _password(), Role.COACH),
        (options.parent, "Parent", options.parent_password or _password(), Role.PARENT),
    )
    with database.writing() as session:
        club = make_organization(session, options.club, when)
        home, away = make_team(session, club, options.home, when), make_team(session, club, options.away, when)
        coach, parent = (make_user(session, *person[:3], when, person[3]) for person in people)
        for team in (home, away):
            make_coach(session, coach, team, Duty.COACH, when)
        player = make_player(session, home, "Robin", "Example", when.date(), when)
        make_parent(session, parent, player, "parent", when)
    for mail, name, password, _ in people:
        print(f"{name.lower()} {mail} {password}")


def _device_key(options: argparse.Namespace) -> int:
    database, when = _database(options), now()
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="touchline-viewer", description="The portal where a team sees its matches.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = _command(commands, "serve", _serve, "run the web process")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    work = _command(commands, "worker", _work, "run the worker process")
    work.add_argument(
        "--smtp", default="", metavar="URL", help="send mails through smtp[s]://[user:password@]host[:port]"
    )
    for command in (serve, work):
        command.add_argument("--port", type=int, default=8080, help="the portal's port (%(default)s)")
        command.add_argument("--public-url", default="", metavar="URL", help="the portal's address in mails")
        command.add_argument(
            "--demo-mailbox", action="store_true", help="show mails on /mailbox instead of sending them"
        )
    _command(commands, "migrate", _migrate, "bring the database up to date (serve and worker do so at their start)")
    demo = _command(commands, "demo-accounts", _demo_accounts, "make a club with two teams, a coach and a parent")
    demo.add_argument("--club", default="Touchline FC")
    demo.add_argument("--home", default="Home", help="name of the first team; the parent belongs to it")
    demo.add_argument("--away", default="Away", help="name of the second team")
    demo.add_argument("--coach", default="coach@example.org", metavar="MAIL")
    demo.add_argument("--coach-password", default="", help="generated and printed when left out")
    demo.add_argument("--parent", default="parent@example.org", metavar="MAIL")
    demo.add_argument("--parent-password", default="", help="generated and printed when left out")
    key = _command(commands, "device-key", _device_key, "make a hub's device key, or end it")
    key.add_argument("--name", required=True, help="the device's name, such as hub")
    key.add_argument("--team", default="", help="the team whose matches it brings (the oldest when left out)")
    key.add_argument("--revoke", action="store_true", help="end the device's keys instead of making one")
    return parser


def _command(commands: "Commands", name: str, run: Run, help_text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_text, description=help_text)
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="the portal's folder")
    command.add_argument(
        "--database",
        default=os.environ.get("TOUCHLINE_DATABASE", ""),
        metavar="URL",
        help="sqlite:///FILE or postgresql+psycopg://user@host/name (DIR/portal.db when left out)",
    )
    command.set_defaults(run=run)
    return command


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        data=options.data.resolve(),
        database=options.database,
        host=getattr(options, "host", "127.0.0.1"),
        port=getattr(options, "port", 8080),
        public_url=getattr(options, "public_url", ""),
        demo_mailbox=getattr(options, "demo_mailbox", False),
        smtp=getattr(options, "smtp", ""),
    )


def _database(options: argparse.Namespace) -> Database:
    settings = _settings(options)
    settings.make_folders()
    database = Database(settings.database_url)
    upgrade(database)
    return database


def _password() -> str:
    return secrets.token_urlsafe(9)


def _say(sentence: str, code: int) -> int:
    print(f"touchline-viewer: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
