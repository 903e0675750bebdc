"""Handing match packages to the viewer, until it has them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp

from firmware.log import Log
from hub.panorama.timeline import Arrivals
from wire.ids import SessionId
from wire.tus.client import TusClient
from wire.tus.errors import UploadFailed, UploadRefused

_LONGEST_PAUSE_S = 60.0


class Push:
    """Uploads packages by tus with the hub's device key. `spread` gives numbers in 0..1 that keep hubs from knocking
    in step."""

    def __init__(
        self, http: aiohttp.ClientSession, viewer: str, device_key: str, spread: Callable[[], float], log: Log
    ) -> None:
        self._client = TusClient(http, f"{viewer}/api/v1/uploads", {"Authorization": f"Bearer {device_key}"})
        self._spread = spread
        self._log = log

    async def deliver(self, session: SessionId, package: Path, arrivals: Arrivals) -> None:
        """Returns when the viewer holds the package; tries again and again while it is away.

        Raises `Interrupted` when the hub stops.
        """
        pause = 1.0
        while True:
            arrivals.check()
            try:
                await self._client.upload(package, {"session": session, "kind": "match-package"})
            except (UploadFailed, UploadRefused) as fault:
                self._log.event("push-waits", session=session, pause_s=round(pause), reason=fault)
                await asyncio.sleep(pause * (0.5 + self._spread()))
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                self._log.event("pushed", session=session)
                return
