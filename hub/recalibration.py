"""Having a running hub calibrate a recorded session again, and looking at what came of it."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import aiohttp

from hub.errors import HubError
from hub.messages import CalibrationRequest, SessionPlan, SessionProgress, Stage
from wire.errors import WireError
from wire.ids import NodeId, SessionId
from wire.message import M, decode, encode
from wire.rig import Rig

_LOOK_S = 1.0
_TIMEOUT = aiohttp.ClientTimeout(total=60)


_WORDS = {
    Stage.RECORDING: "waiting for the hub, which may be at another session",
    Stage.CALIBRATING: "reading the cameras' pictures",
}


class HubRefused(HubError):
    """The hub does not do what it was asked, and says why."""


class HubSilent(HubError):
    """The hub cannot be reached."""


class Recalibration:
    """One recorded session of the hub at `url`, which takes the rig's token."""

    def __init__(
        self,
        session: SessionId,
        url: str,
        token: str,
        http: aiohttp.ClientSession,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/sessions/{session}"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http = http
        self._sleep = sleep
        self._nodes: tuple[NodeId, ...] = ()

    async def run(self, asked: CalibrationRequest, told: Callable[[str], None]) -> Rig:
        """Ask for it, tell each step once, and return the rig that was found.

        Raises `HubRefused`, with what the hub says about a pitch that it did not find, or `HubSilent`.
        """
        self._nodes = (await self._message("POST", "/calibration", SessionPlan, encode(asked))).nodes
        progress, last = await self._message("GET", "", SessionProgress), ""
        while progress.stage in (Stage.RECORDING, Stage.CALIBRATING):
            words = progress.note or _WORDS[progress.stage]
            if words != last:
                told(words)
                last = words
            await self._sleep(_LOOK_S)
            progress = await self._message("GET", "", SessionProgress)
        if progress.stage is Stage.FAILED:
            raise HubRefused(progress.note)
        return await self._message("GET", "/calibration", Rig)

    async def pictures(self) -> dict[str, bytes]:
        """JPEG files by name, once it has run: each camera's picture that was calibrated by, and where there is one
        that with the lines found in it."""
        names = [f"{node}{kind}.jpg" for node in self._nodes for kind in ("", "-lines")]
        found = {name: await self._answer("GET", f"/calibration/{name}") for name in names}
        return {name: raw for name, raw in found.items() if raw is not None}

    async def _message(self, method: str, path: str, kind: type[M], body: bytes | None = None) -> M:
        raw = await self._answer(method, path, body)
        if raw is None:
            raise HubRefused("the hub does not know this session")
        try:
            return decode(raw, kind)
        except WireError as fault:
            raise HubRefused(f"what answers is no Touchline hub: {fault}") from fault

    async def _answer(self, method: str, path: str, body: bytes | None = None) -> bytes | None:
        """The body of an answer, None of what is not there."""
        try:
            async with self._http.request(
                method, self._url + path, data=body, headers=self._headers, timeout=_TIMEOUT
            ) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise HubSilent(f"the hub at {self._url.partition('/api/')[0]} does not answer: {fault}") from fault
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise HubRefused(raw.decode(errors="replace"))
        return raw
