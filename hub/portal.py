"""The portal that a hub belongs to: paired once by a code, kept on disk, and told each minute that the hub is on."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec

from firmware.log import Log
from hub.errors import NotPaired
from wire.durable import write_durably
from wire.errors import WireError
from wire.message import Message, decode, encode
from wire.pairing import PAIRING, SIGN_OF_LIFE, DeviceState, Heartbeat, Paired, PairingRequest

FILE = "portal.json"
EACH_S = 60.0
"""Between two signs of life."""
_PATIENCE = aiohttp.ClientTimeout(total=30)
_JSON = {"Content-Type": "application/json"}


class Portal(Message, frozen=True, kw_only=True):
    """Where this hub's matches go, and the key that opens it; `club_id` is the club's number there."""

    KIND = "portal"
    VERSION = 1

    url: str
    device: str
    team: str
    club: str
    club_id: int
    key: str


def kept(data: Path) -> Portal | None:
    """The portal that the hub with this data folder is paired with; raises `NotPaired` where that cannot be read."""
    try:
        return decode((data / FILE).read_bytes(), Portal)
    except FileNotFoundError:
        return None
    except (OSError, WireError) as fault:
        raise NotPaired(f"{data / FILE} cannot be read ({fault}): pair this hub again") from fault


class Pairing:
    """Pairs the hub whose data folder is `data` with the portal at `url`, such as https://touchline.example.org.

    A hub with matches (`holds_matches`) stays with the club whose they are.
    """

    def __init__(self, data: Path, url: str, holds_matches: bool, http: aiohttp.ClientSession) -> None:
        self._data = data
        self._url = url
        self._holds_matches = holds_matches
        self._http = http

    async def take(self, code: str, version: str) -> Portal:
        """Give the code for a key and keep that, readable by its owner alone.

        Raises `NotPaired`; then whatever was kept before is still kept.
        """
        try:
            before = kept(self._data)
        except NotPaired:
            before = None  # what nobody can read is mended by pairing anew
        if before is not None and before.url != self._url:
            self._stay(before)
        told = await self._ask(PairingRequest(code=code, version=version))
        portal = Portal(
            url=self._url, device=told.device, team=told.team, club=told.club, club_id=told.club_id, key=told.key
        )
        if before is not None and before.club_id != portal.club_id:
            self._stay(before)
        try:
            await asyncio.to_thread(write_durably, self._data / FILE, encode(portal), mode=0o600)
        except OSError as fault:
            raise NotPaired(
                f"the key cannot be kept in {self._data} ({fault.strerror}): mend that, then get a new code"
            ) from fault
        return portal

    def _stay(self, before: Portal) -> None:
        # They would go to the new club as soon as one of them is made anew.
        if self._holds_matches:
            raise NotPaired(
                f"{self._data} holds matches of {before.club}: give the hub a new --data folder for another club"
            )

    async def _ask(self, request: PairingRequest) -> Paired:
        route, body = f"{self._url}{PAIRING}", msgspec.json.encode(request)
        try:
            # A redirect would turn the POST into a GET, or take the code to another host.
            async with self._http.post(
                route, data=body, headers=_JSON, allow_redirects=False, timeout=_PATIENCE
            ) as answered:
                told = await answered.read()
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            raise NotPaired(f"the portal at {self._url} cannot be reached: {fault or 'no answer'}") from fault
        if answered.status == 201:
            try:
                return msgspec.json.decode(told, type=Paired)
            except msgspec.MsgspecError as fault:
                raise NotPaired(f"what {self._url} answers is not a portal's: {fault}") from fault
        if answered.status in (301, 302, 307, 308):
            raise NotPaired(f"{self._url} only points to {answered.headers.get('Location')}: give that as the portal")
        words = _words(told) or f"it answers {answered.status}"
        raise NotPaired(f"the portal at {self._url} does not pair this hub: {words}")


class SignsOfLife:
    """Tells the portal each minute that this hub is on and which program it runs, and logs the one that it should."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        viewer: str,
        device_key: str,
        version: str,
        log: Log,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._url = f"{viewer}{SIGN_OF_LIFE}"
        self._headers = {**_JSON, "Authorization": f"Bearer {device_key}"}
        self._version = version
        self._log = log
        self._sleep = sleep

    async def run(self) -> None:
        """Tell, for ever; ends only by being cancelled."""
        wanted = ""
        while True:
            try:
                state = await self._tell()
            except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as fault:
                self._log.event("portal-silent", reason=fault)
            else:
                if state.wanted_version not in ("", wanted, self._version):
                    self._log.event("update-wanted", runs=self._version, wanted=state.wanted_version)
                wanted = state.wanted_version
            await self._sleep(EACH_S)

    async def _tell(self) -> DeviceState:
        body = msgspec.json.encode(Heartbeat(version=self._version))
        async with self._http.post(self._url, data=body, headers=self._headers, timeout=_PATIENCE) as answered:
            answered.raise_for_status()
            return msgspec.json.decode(await answered.read(), type=DeviceState)


def _words(body: bytes) -> str:
    """The sentence of a portal's refusal; empty where it is none."""
    try:
        return msgspec.json.decode(body, type=_Refusal).fault
    except msgspec.MsgspecError:
        return ""


class _Refusal(msgspec.Struct):
    fault: str
