"""A hub as it is shipped, in a process of its own, which may end and begin anew."""

import asyncio
import socket
import sys
from pathlib import Path

import aiohttp

from wire.hand_over import UPLOADS
from wire.ids import NodeId

TOKEN = "a-token-for-one-bench"  # noqa: S105 - guards nothing


class HubProcess:
    """`touchline-hub serve` in a process of its own, on one port and folder through all its lives; of its rig it knows
    one `node`, where nobody answers."""

    def __init__(self, data: Path, node: NodeId) -> None:
        self.data = data
        self.node = node
        self.port = _free_port()
        self.log = data.with_name("hub.log")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Begin a life; returns when the hub listens."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hub.cli", "serve", "--data", str(self.data), "--port", str(self.port),
                "--node", f"{self.node}=http://127.0.0.1:9", "--token", TOKEN, stderr=log,
            )  # fmt: skip
        while self._process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise RuntimeError(f"the hub did not start:\n{self.log.read_text()[-2000:]}")

    async def end(self, number: int) -> None:
        """End this life with signal `number`."""
        self._process.send_signal(number)
        await self._process.wait()

    async def sweep(self) -> None:
        """Have the hub clean up, as it does once an hour and at the first upload of each life."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            aiohttp.ClientSession() as http,
            http.options(f"{self.url}{UPLOADS}", headers=headers),
        ):
            pass


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
