"""`touchline club`: a demo club in a portal, made or taken away."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from simulator.club.footage import MATCHES, Footage, draw_all
from simulator.club.making import make_club, sign_ins
from simulator.club.plan import NAME
from simulator.club.removing import demo_clubs, remove_clubs
from simulator.club.serving import Ports, serve_club
from simulator.console import Console
from simulator.errors import BadOptions
from viewer.clock import now
from viewer.commands.common import database_of, settings_of
from viewer.jobs.duties import Tools
from viewer.sealing import open_seal
from viewer.settings import Settings

PORT, TEAMSNAP_PORT = 8088, 8090


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `touchline club`."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the portal's folder")
    parser.add_argument(
        "--database", default="", metavar="URL", help="the portal's database, as `touchline-viewer` takes it"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed is another club (default 1)")
    parser.add_argument("--without-video", action="store_true", help="make no recordings, which is done in seconds")
    parser.add_argument("--remove", action="store_true", help="take the demo club away again, without a trace")
    parser.add_argument("--serve", action="store_true", help="then run portal, worker and TeamSnap until Ctrl-C")
    parser.add_argument("--port", type=int, default=PORT, help="the portal's port with --serve (default 8088)")
    parser.add_argument(
        "--teamsnap-port", type=int, default=TEAMSNAP_PORT, help="port of the made-up TeamSnap (default 8090)"
    )


def run(options: argparse.Namespace) -> int:
    """Make the club, or take it away; the exit status. Raises `SimulatorError` or `ViewerError` with one sentence."""
    if options.remove and options.serve:
        raise BadOptions("give either --remove or --serve")
    if options.seed < 0:
        raise BadOptions("--seed takes a whole number from 0")
    console = Console(sys.stdout)
    settings = settings_of(options)
    try:
        tools = Tools(database_of(options), settings, now, open_seal(settings.data))
        try:
            if options.remove:
                return _remove(tools, console)
            _make(tools, settings, options, console)
        finally:
            tools.database.close()
    except DBAPIError as fault:
        raise BadOptions(f"the database cannot be used: {str(fault.orig).strip().splitlines()[0]}") from fault
    if options.serve:
        ports = Ports(options.port, options.teamsnap_port)
        return asyncio.run(serve_club(settings, ports, console))
    return 0


def _remove(tools: Tools, console: Console) -> int:
    count = remove_clubs(tools.database, tools.settings, tools.media)
    console.say(f"{NAME} is gone." if count else "There is no demo club in this portal.")
    return 0


def _make(tools: Tools, settings: Settings, options: argparse.Namespace, console: Console) -> None:
    with tools.database.reading() as session:
        there = bool(demo_clubs(session))
    if there:
        console.say(f"{NAME} is here already; these are new passwords.")
    else:
        with tempfile.TemporaryDirectory(prefix="touchline-club-", dir=settings.work) as room:
            footage = [] if options.without_video else _draw(Path(room), console)
            make_club(tools, options.seed, footage, console)
    console.say()
    for account in sign_ins(tools, operator=options.serve):
        console.say(f"  Sign in as     {account.mail}   password {account.password}   ({account.who})")


def _draw(room: Path, console: Console) -> list[Footage]:
    console.step(f"{len(MATCHES)} short matches are played and drawn.")
    return draw_all(MATCHES, room / "drawn", lambda done: console.progress(done / len(MATCHES), f"{done} drawn"))
