"""The portal as the demo uses it: opened, given accounts and a hub, asked whether the parent sees the match."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from simulator.console import Console
from simulator.demo.processes import Processes, command
from simulator.errors import ProcessFailed
from wire.ids import SessionId
from wire.match import MatchSheet

_PATIENCE_S = 120.0
_ASK_S = 0.25


@dataclass(frozen=True)
class SignIn:
    """A demo account."""

    who: str
    mail: str
    password: str


class Portal:
    """The viewer's two processes with a coach and a parent."""

    def __init__(self, url: str, data: Path, sheet: MatchSheet) -> None:
        self.url = url
        self.coach = SignIn("coach", "coach@example.org", pronounceable())
        self.parent = SignIn("parent", "parent@example.org", pronounceable())
        self._data = data
        self._sheet = sheet

    async def open(self, processes: Processes, port: int) -> None:
        """Accounts first, then the web and the worker process; returns when the portal answers."""
        data = ["--data", str(self._data)]
        accounts = ["--coach", self.coach.mail, "--coach-password", self.coach.password]
        accounts += ["--parent", self.parent.mail, "--parent-password", self.parent.password]
        teams = ["--home", self._sheet.home.name, "--away", self._sheet.away.name]
        viewer = command("touchline-viewer")
        await processes.finish("the portal's set-up", [viewer, "demo-accounts", *data, *accounts, *teams])
        serving = [*data, "--port", str(port), "--demo-mailbox"]
        await processes.start("viewer", [viewer, "serve", *serving])
        await processes.start("viewer-worker", [viewer, "worker", *serving])
        async with aiohttp.ClientSession() as http:
            await answers(http, f"{self.url}/healthz", processes)

    async def pair(self, processes: Processes, hub: Path) -> None:
        """Pair the hub whose data folder this is, by a code as an admin hands it out."""
        viewer = [command("touchline-viewer"), "device", "pair", "--data", str(self._data), "--name", "hub"]
        [code] = (await processes.finish("the hub's pairing code", viewer)).split()
        pairing = [command("touchline-hub"), "pair", code, "--data", str(hub), "--viewer", self.url]
        await processes.finish("the hub's pairing", pairing)

    async def wait_for_match(self, session: SessionId, check: Callable[[], None]) -> str:
        """Sign in as the parent and ask for the match's page until it is there; returns its address.

        Raises `ProcessFailed` when it does not come.
        """
        page = f"{self.url}/matches/{session}"
        # Cookies of a host that is an address are refused otherwise.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            form = {"mail": self.parent.mail, "password": self.parent.password}
            async with http.post(f"{self.url}/sign-in", data=form, headers={"Origin": self.url}) as answer:
                if answer.status >= 400:
                    raise ProcessFailed(f"the parent cannot sign in at the portal (status {answer.status})")
            for _ in range(int(_PATIENCE_S / _ASK_S)):
                check()
                async with http.get(page) as answer:
                    if answer.status == 200:
                        return page
                await asyncio.sleep(_ASK_S)
        raise ProcessFailed(f"the portal has not shown the match in {_PATIENCE_S:g} s: look at its logs")

    def introduce(self, console: Console, match: str) -> None:
        """Say where to look and how to sign in."""
        console.say()
        console.say(f"  The match      {match}")
        console.say(f"  The mailbox    {self.url}/mailbox")
        for account in (self.parent, self.coach):
            console.say(f"  Sign in as     {account.mail}   password {account.password}   ({account.who})")


async def answers(http: aiohttp.ClientSession, url: str, processes: Processes) -> None:
    """Wait until `url` answers at all; raises `ProcessFailed` when its process ends or it takes too long."""
    for _ in range(600):
        processes.check()
        try:
            async with http.get(url, timeout=aiohttp.ClientTimeout(total=2)):
                return
        except (aiohttp.ClientError, TimeoutError):
            await asyncio.sleep(0.1)
    raise ProcessFailed(f"{url} does not answer: look at the logs")


def pronounceable() -> str:
    """A password that can be read off a screen and typed on a phone."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    return "-".join("".join(secrets.choice(syllables) for _ in range(3)) for _ in range(3))
