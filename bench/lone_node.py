"""One node's process as it is shipped, with nobody to hand its segments to, or with a hub's process."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec

from edge.cli import TOKEN_VARIABLE
from edge.cost import NodeCost
from edge.ledger import SegmentRow
from hub.nodes import Node, RigNodes
from simulator.demo.portal import answers
from simulator.demo.processes import Processes, Running, command, free_ports
from wire.ids import session_id
from wire.message import decode
from wire.session import NodeStatus, StartRecording

HOST = "127.0.0.1"
_SESSION = session_id("bench")


@dataclass(frozen=True)
class LoneNode:
    """A node that answers."""

    running: Running
    processes: Processes
    _rig: RigNodes
    _http: aiohttp.ClientSession

    async def record(self, start_ns: int) -> None:
        """Begin a session whose time zero is `start_ns`."""
        await self._rig.start(StartRecording(session=_SESSION, start_ns=start_ns))

    async def status(self) -> NodeStatus:
        """What it says of itself; raises `ProcessFailed` when its process has ended."""
        self.processes.check()
        return await self._rig.status(self._rig.nodes[0])

    async def recorded(self) -> NodeCost:
        """Wait until its camera has ended; what it cost."""
        while True:
            if not (await self.status()).recording:
                return await self.cost()
            await asyncio.sleep(0.1)

    async def cost(self) -> NodeCost:
        """What it has cost so far."""
        async with self._http.get(f"{self._rig.nodes[0].url}/api/v1/cost") as answer:
            return decode(await answer.read(), NodeCost)

    async def segments(self) -> list[SegmentRow]:
        """Those of its session, and how far each is."""
        async with self._http.get(f"{self._rig.nodes[0].url}/api/v1/sessions/{_SESSION}/segments") as answer:
            return msgspec.json.decode(await answer.read(), type=list[SegmentRow])


@contextlib.asynccontextmanager
async def lone_node(camera: str, folder: Path, *, hub: bool = False) -> AsyncIterator[LoneNode]:
    """Starts a node with this camera, and a `hub` that takes its segments; ends them. Data and logs are in `folder`."""
    token = secrets.token_urlsafe(24)
    port, hub_port = free_ports(HOST, 2)
    url = f"http://{HOST}:{port}"
    # Nobody listens on the discard port: what is recorded stays where it is.
    hub_url = f"http://{HOST}:{hub_port if hub else 9}"
    told = ["--node", "bench", "--camera", camera, "--data", str(folder / "node"), "--hub", hub_url]
    # How hot this machine is has nothing to do with it.
    told += ["--health", "disabled", "--host", HOST, "--port", str(port)]
    headers = {"Authorization": f"Bearer {token}"}
    async with Processes(folder / "logs") as processes, aiohttp.ClientSession(headers=headers) as http:
        if hub:
            own = ["--node", f"bench={url}", "--data", str(folder / "hub"), "--host", HOST, "--port", str(hub_port)]
            await processes.start("hub", [command("touchline-hub"), "serve", *own], {TOKEN_VARIABLE: token})
            await answers(http, f"{hub_url}/api/v1/sessions", processes)
        running = await processes.start("node", [command("touchline-edge"), "serve", *told], {TOKEN_VARIABLE: token})
        await answers(http, f"{url}/api/v1/status", processes)
        yield LoneNode(running, processes, RigNodes(http, [Node("bench", url)], token), http)
