"""Portals that run as real processes."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.viewer.packages import SESSION

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningPortal:
    """A portal of real processes with demo accounts and a device key."""

    data: Path
    port: int
    database: str
    queue: str = ""
    key: str = ""
    parent: tuple[str, str] = ("parent@example.org", "green grass 11")
    coach: tuple[str, str] = ("coach@example.org", "muddy boots 22")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, *words: str) -> list[str]:
        """A command line of the portal."""
        where = ["--data", str(self.data), *(["--database", self.database] if self.database else [])]
        return [sys.executable, "-m", "viewer.cli", words[0], *where, *words[1:]]

    def run(self, *words: str) -> str:
        """Run a housekeeping command; returns what it printed."""
        done = subprocess.run(self.command(*words), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, kind: str, *more: str) -> subprocess.Popen[bytes]:
        """Start `serve` or `worker`."""
        words = self.command(kind, "--port", str(self.port), "--demo-mailbox", "--queue", self.queue, *more)
        log = open(self.data.parent / f"{kind}.log", "ab")  # noqa: SIM115
        with log:
            return subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log)

    @contextmanager
    def signed_in(self, who: tuple[str, str]) -> Iterator[httpx.Client]:
        """A browser-like client that has signed in."""
        with httpx.Client(base_url=self.url, headers={"Accept": "text/html"}, timeout=30) as client:
            answer = client.post("/sign-in", data={"mail": who[0], "password": who[1]})
            assert answer.status_code == 303, answer.text
            yield client

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        """Wait until `done` says so."""
        end = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < end, f"{what} did not happen"
            time.sleep(0.1)

    def package_state(self, session: str = SESSION) -> dict[str, object]:
        """What the portal says of a package."""
        answer = httpx.get(f"{self.url}/api/v1/packages/{session}", headers={"Authorization": f"Bearer {self.key}"})
        return answer.json() if answer.status_code == 200 else {"state": None}


def answers(url: str) -> bool:
    """Whether the portal is up."""
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process that may already be gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_portal(folder: Path, database: str, *, worker: bool, queue: str = "") -> Iterator[RunningPortal]:
    """A portal with its accounts made, its server up, and its worker when wanted."""
    portal = RunningPortal(folder / "portal", free_port(), database, queue)
    portal.run(
        "demo-accounts",
        *("--home", "Riverside Rovers", "--away", "Hillside United"),
        *("--parent", portal.parent[0], "--parent-password", portal.parent[1]),
        *("--coach", portal.coach[0], "--coach-password", portal.coach[1]),
    )
    portal.key = portal.run("device-key", "--name", "hub").strip()
    with ExitStack() as stack:
        server = portal.start("serve")
        stack.callback(end, server)
        if worker:
            stack.callback(end, portal.start("worker"))
        portal.wait_for(lambda: answers(portal.url), "the portal's start")
        yield portal


def send(portal: RunningPortal, package: Path, session: str = SESSION) -> str:
    """Upload a package as a hub does; returns the upload's address."""
    import asyncio

    import aiohttp

    from wire.tus.client import TusClient

    async def upload() -> str:
        async with aiohttp.ClientSession() as http:
            client = TusClient(http, f"{portal.url}/api/v1/uploads", {"Authorization": f"Bearer {portal.key}"})
            return await client.upload(package, {"session": session, "kind": "match-package"})

    return asyncio.run(upload())
