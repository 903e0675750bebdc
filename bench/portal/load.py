"""`python -m bench.portal load`: CPU per request and p99 of the portal, beside Flask + gunicorn, in turn in one run."""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import aiohttp
import psutil  # type: ignore[import-untyped]

from bench.portal.crowd import Size, fill
from bench.portal.peer import COOKIE, DATABASE
from bench.portal.postgres import private_postgres
from viewer.accounts.service import new_sign_in
from viewer.clock import now
from viewer.db import Database
from viewer.db.migrate import upgrade

CONNECTIONS = (4, 16)
"""Browsers that ask at the same time: a busy evening of a club, and more than one process has threads for."""
ROUNDS = 12
SECONDS = 1.0
MATCH = 1
PARENT = 2
GOALS = {"page": 1.0, "JSON": 0.95}
"""The most CPU per request, as a share of the peer's: a page from the database at least on a par, JSON ahead."""


@dataclass(frozen=True)
class Request:
    """One thing to ask for; `kind` is page or JSON."""

    name: str
    kind: str
    path: str


@dataclass
class Server:
    """A running server and what was measured of it, by request and number of connections."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    cpu_us: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    p99_ms: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    def cpu_s(self) -> float:
        """CPU time of it and its workers so far."""
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return sum(sum(p.cpu_times()[:2]) for p in family)


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    with private_postgres() as url, tempfile.TemporaryDirectory() as folder:
        cookie, session = _prepared(url)
        requests = (
            Request("list of matches", "page", "/"),
            Request("heat map", "JSON", f"/matches/{session}/players/3"),
            Request("health", "JSON", "/healthz"),
        )
        with _portal(url, Path(folder)) as portal, _peer(url) as peer:
            for turn in range(ROUNDS):
                # Each goes first in every other round, for a machine warms up and slows down.
                servers = (portal, peer)[:: 1 if turn % 2 else -1]
                for request, connections, server in product(requests, CONNECTIONS, servers):
                    _measure(server, request, connections, cookie)
    return _told(portal, peer, requests)


def _prepared(url: str) -> tuple[str, str]:
    database = Database(url)
    upgrade(database)
    fill(database, Size(clubs=1, years=1))
    with database.writing() as session:
        cookie = new_sign_in(session, PARENT, now())
    database.close()
    return cookie, f"{1795000000 + MATCH}-{MATCH:010x}"


def _measure(server: Server, request: Request, connections: int, cookie: str) -> None:
    asyncio.run(_ask(server, request, connections, cookie, 0.25))
    before = server.cpu_s()
    waits = asyncio.run(_ask(server, request, connections, cookie, SECONDS))
    spent = server.cpu_s() - before
    of = request.name, connections
    server.cpu_us.setdefault(of, []).append(spent / len(waits) * 1e6)
    server.p99_ms.setdefault(of, []).append(statistics.quantiles(waits, n=100)[98] * 1e3)


async def _ask(server: Server, request: Request, connections: int, cookie: str, seconds: float) -> list[float]:
    waits: list[float] = []
    end = time.monotonic() + seconds
    headers = {"Cookie": f"{COOKIE}={cookie}", "Accept": "text/html"}

    async def one(http: aiohttp.ClientSession) -> None:
        while time.monotonic() < end:
            began = time.perf_counter()
            async with http.get(f"http://127.0.0.1:{server.port}{request.path}") as answer:
                await answer.read()
                if answer.status != 200:
                    raise SystemExit(f"{server.name} answered {answer.status} to {request.path}")
            waits.append(time.perf_counter() - began)

    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar()) as http:
        await asyncio.gather(*(one(http) for _ in range(connections)))
    return waits


def _told(portal: Server, peer: Server, requests: tuple[Request, ...]) -> int:
    print(f"CPU per request and p99, median of {ROUNDS} rounds of {SECONDS:g} s in turn")
    print(
        f"{'':18}{'browsers':>9}{'portal us':>11}{'peer us':>9}{'ratio':>7}{'goal':>6}{'p99 ms':>8}{'peer p99 ms':>13}"
    )
    missed = 0
    for request, connections in product(requests, CONNECTIONS):
        of = request.name, connections
        ours, theirs = portal.cpu_us[of], peer.cpu_us[of]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        missed += ratio > GOALS[request.kind]
        waits = [statistics.median(server.p99_ms[of]) for server in (portal, peer)]
        print(
            f"{request.name:18}{connections:9}{statistics.median(ours):11.0f}{statistics.median(theirs):9.0f}{ratio:7.2f}"
            f"{GOALS[request.kind]:6.2f}{waits[0]:8.1f}{waits[1]:13.1f}"
        )
    return 1 if missed else 0


@contextmanager
def _portal(url: str, folder: Path) -> Iterator[Server]:
    port = _free_port()
    command = [sys.executable, "-m", "viewer.cli", "serve", "--data", str(folder), "--database", url]
    with _running("portal", [*command, "--port", str(port)], port, dict(os.environ)) as server:
        yield server


@contextmanager
def _peer(url: str) -> Iterator[Server]:
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "8", "--workers", "1"]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", "bench.portal.peer:create()"]
    with _running("Flask + gunicorn", command, port, {**os.environ, DATABASE: url}) as server:
        yield server


@contextmanager
def _running(name: str, command: list[str], port: int, env: dict[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"{name} did not start") from None
                time.sleep(0.05)
        yield Server(name, port, process)
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
