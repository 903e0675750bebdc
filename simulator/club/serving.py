"""The portal of a demo club with its worker and the made-up TeamSnap, until somebody ends it."""

import asyncio
import signal
from dataclasses import dataclass

import aiohttp
from sqlalchemy import select

from simulator.club.plan import DOMAIN
from simulator.club.removing import demo_clubs
from simulator.club.snapping import app_at, connect_club
from simulator.console import Console
from simulator.demo.portal import answers
from simulator.demo.processes import Processes, check_free, command
from simulator.teamsnap.service import CLIENT, SECRET
from viewer.accounts.models import User
from viewer.clock import now
from viewer.db import Database
from viewer.sealing import open_seal
from viewer.settings import Settings

HOST = "127.0.0.1"
_INTERRUPTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Ports:
    """Where portal and TeamSnap listen."""

    portal: int
    teamsnap: int


async def serve_club(settings: Settings, ports: Ports, console: Console) -> int:
    """Run everything until a signal comes, and end it; 0. Raises `PortTaken` or `ProcessFailed`."""
    stop = asyncio.Event()
    for number in _INTERRUPTED:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    check_free(HOST, ports.portal, "the portal")
    check_free(HOST, ports.teamsnap, "the made-up TeamSnap")
    portal, teamsnap = f"http://{HOST}:{ports.portal}", f"http://{HOST}:{ports.teamsnap}"
    places = {"AUTH_URL": teamsnap, "API_URL": f"{teamsnap}/v3/", "ID": CLIENT, "SECRET": SECRET}
    environment = {f"TOUCHLINE_TEAMSNAP_{name}": value for name, value in places.items()}
    async with Processes(settings.data / "logs") as processes, aiohttp.ClientSession() as http:
        fake = [command("python"), "-m", "simulator.teamsnap", "--port", str(ports.teamsnap)]
        await processes.start("teamsnap", fake)
        await answers(http, teamsnap, processes)
        # The one that was there when the club was made is gone, and with it what it had said.
        await asyncio.to_thread(_connect, settings, portal, teamsnap)
        where = ["--data", str(settings.data), "--port", str(ports.portal), "--demo-mailbox"]
        where += ["--database", settings.database] if settings.database else []
        for name, word in (("viewer", "serve"), ("viewer-worker", "worker")):
            await processes.start(name, [command("touchline-viewer"), word, *where], environment)
        await answers(http, f"{portal}/healthz", processes)
        console.say()
        console.say(f"  The portal     {portal}/")
        console.say(f"  The mailbox    {portal}/mailbox")
        console.say(f"  TeamSnap       {teamsnap}/ (made up)")
        console.say("\nCtrl-C ends it; the club stays until `--remove`.")
        while not stop.is_set():
            processes.check()
            try:
                await asyncio.wait_for(stop.wait(), 1.0)
            except TimeoutError:
                continue
    console.say("\nAll ended.")
    return 0


def _connect(settings: Settings, portal: str, teamsnap: str) -> None:
    database = Database(settings.database_url)
    with database.reading() as session:
        club = demo_clubs(session)[0]
        admin = session.scalars(select(User).where(User.mail == f"admin@{DOMAIN}")).one()
    connect_club(database, open_seal(settings.data), club, admin, app_at(teamsnap), portal, now())
    database.close()
