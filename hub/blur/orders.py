"""The viewer's orders to blur: fetched, kept, and taken to the sessions that they are about."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from firmware.log import Log
from hub.messages import Stage
from hub.sessions import Sessions
from wire.durable import write_durably
from wire.errors import WireError
from wire.ids import SessionId
from wire.message import decode
from wire.privacy import BlurOrders, HiddenTracks

ROUTE = "/api/v1/blur"
FILE = "blur.json"
LOOK_S = 60.0
_PATIENCE = aiohttp.ClientTimeout(total=30)


class BlurWatch:
    """Asks the viewer every minute whom to blur, beside the push, and has finished sessions made so.

    What was heard last is kept in `path`, so that a hub without a way to its viewer goes on by it. `begun` is told of
    each session that goes through the pipeline once more.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        viewer: str,
        device_key: str,
        path: Path,
        sessions: Sessions,
        log: Log,
        begun: Callable[[SessionId], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._url = f"{viewer}{ROUTE}"
        self._key = device_key
        self._path = path
        self._sessions = sessions
        self._log = log
        self._begun = begun
        self._sleep = sleep

    async def run(self) -> None:
        """Ask and act, for ever; ends only by being cancelled."""
        while True:
            try:
                await self._fetch()
            except (aiohttp.ClientError, TimeoutError, WireError, OSError) as fault:
                self._log.event("blur-waits", reason=fault)
            await asyncio.to_thread(self.act)
            await self._sleep(LOOK_S)

    def act(self) -> None:
        """Take what is kept to the sessions that are done and show somebody who is to be blurred."""
        try:
            orders = decode(self._path.read_bytes(), BlurOrders)
        except FileNotFoundError:
            return
        except (OSError, WireError) as fault:
            self._log.event("blur-waits", reason=fault)
            return
        known = set(self._sessions.at(Stage.DONE))
        for hidden in orders.sessions:
            if hidden.session in known and self._fits(hidden) and self._sessions.blur(hidden.session, hidden.tracks):
                self._log.event("blurring", session=hidden.session, tracks=len(hidden.tracks))
                self._begun(hidden.session)

    async def _fetch(self) -> None:
        kept = await asyncio.to_thread(_read, self._path)
        headers = {"Authorization": f"Bearer {self._key}"}
        if kept:
            headers["If-None-Match"] = f'"{hashlib.sha256(kept).hexdigest()[:32]}"'
        async with self._http.get(self._url, headers=headers, timeout=_PATIENCE) as answered:
            if answered.status in (304, 404):
                # A viewer that is older than this route has nobody to blur.
                return
            answered.raise_for_status()
            body = await answered.read()
        decode(body, BlurOrders)
        await asyncio.to_thread(write_durably, self._path, body)

    def _fits(self, hidden: HiddenTracks) -> bool:
        # The numbers mean something in these very tracks alone: a session made anew waits for new words.
        tracks = _read(self._sessions.folder(hidden.session).tracks)
        return hashlib.sha256(tracks).hexdigest() == hidden.tracks_sha256.lower()


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
