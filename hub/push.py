"""Handing match packages to the viewer, until it has them."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec

from firmware.log import Log
from hub.messages import Stage, StageCost
from hub.sessions import SessionFolder, Sessions
from wire.durable import write_durably
from wire.ids import SessionId
from wire.tus.client import TusClient
from wire.tus.errors import UploadFailed, UploadRefused

LONGEST_PAUSE_S = 60.0
_LOOK_S = 1.0


class Deliveries:
    """Uploads finished packages by tus with the hub's device key, oldest first, for as long as the viewer is away.

    What waits is on disk (the sessions at `Stage.PUSHING`), and so is each upload's address: a hub that was switched
    off goes on where it was. `chance` gives numbers in 0..1 that keep hubs from knocking in step.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        viewer: str,
        device_key: str,
        sessions: Sessions,
        log: Log,
        chance: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {device_key}"}
        self._client = TusClient(http, f"{viewer}/api/v1/uploads", headers, attempts=3, chance=chance, sleep=sleep)
        self._sessions = sessions
        self._log = log
        self._chance = chance
        self._sleep = sleep

    async def run(self) -> None:
        """Deliver what waits, for ever; ends only by being cancelled."""
        pause = _LOOK_S
        while True:
            faults = 0
            for session in await asyncio.to_thread(self._sessions.at, Stage.PUSHING):
                try:
                    await self._deliver(session)
                except (UploadFailed, UploadRefused, OSError) as fault:
                    faults += 1
                    self._log.event("push-waits", session=session, pause_s=round(pause), reason=fault)
            pause = min(pause * 2, LONGEST_PAUSE_S) if faults else _LOOK_S
            await self._sleep(pause * (0.5 + self._chance()) if faults else _LOOK_S)

    async def _deliver(self, session: SessionId) -> None:
        folder = self._sessions.folder(session)
        began = asyncio.get_running_loop().time()
        await self._client.upload(
            folder.package,
            {"session": session, "kind": "match-package"},
            resume_url=await asyncio.to_thread(_address, folder),
            on_created=lambda url: write_durably(folder.upload, url.encode()),
        )
        took = asyncio.get_running_loop().time() - began
        before = self._sessions.progress(session)
        costs = {**before.costs, "push": StageCost(wall_s=took, cpu_s=0.0, items=1)}
        self._sessions.tell(msgspec.structs.replace(before, stage=Stage.DONE, costs=costs))
        self._log.event("pushed", session=session)


def _address(folder: SessionFolder) -> str | None:
    return folder.upload.read_text() if folder.upload.exists() else None
