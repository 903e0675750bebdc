"""Where the hub may be found: by cable or by Wi-Fi, under the address that was given or another one."""

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
from yarl import URL

from edge.errors import HubUnreachable
from firmware.discovery import HUB_SERVICE, announced
from firmware.log import Log
from wire.errors import WireError
from wire.hand_over import PROOF
from wire.message import decode
from wire.proof import HubProof, hub_proof

PORT = 8000
"""Where a hub listens that nobody told otherwise."""
_PROBE = aiohttp.ClientTimeout(total=3)
_MOST_BYTES = 4096
_LISTEN_S = 2.0
_GATEWAY = 0x2
"""RTF_GATEWAY of linux/route.h."""

Elsewhere = Callable[[], AsyncIterator[str]]
"""Further addresses that a hub may have, as http://IP:PORT, the likeliest first."""


async def nowhere() -> AsyncIterator[str]:
    """No further addresses."""
    return
    yield ""


async def on_this_network() -> AsyncIterator[str]:
    """Whoever announces a hub, then the gateway: multicast is often filtered, and a hotspot's hub is its gateway."""
    for host, port in await announced(HUB_SERVICE, _LISTEN_S):
        yield f"http://{host}:{port}"
    for host in gateways():
        yield f"http://{host}:{PORT}"


def gateways(table: Path = Path("/proc/net/route")) -> list[str]:
    """The IPv4 addresses of the default routes, as the kernel lists them; none where there is no such table."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [
        socket.inet_ntoa(struct.pack("=L", int(row[2], 16)))
        for row in rows
        if int(row[1], 16) == 0 and int(row[3], 16) & _GATEWAY
    ]


async def ip_addresses(url: str) -> frozenset[str]:
    """The IP addresses that a URL's host has or is, without their interfaces; none of a name that nobody knows."""
    host = URL(url).host or ""
    with contextlib.suppress(ValueError):
        return frozenset({_plain(host)})
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(_plain(str(there[0])) for *_, there in found)


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address.partition("%")[0]))


class HubAddresses:
    """The addresses of this rig's hub: the one that was `given`, if any, then those `elsewhere`.

    The given one is trusted: whoever set it meant it. At any other, the token is shown only to a hub that has first
    proven by it that it is this rig's, and at that very address.
    """

    def __init__(
        self,
        given: str | None,
        token: str,
        *,
        elsewhere: Elsewhere = nowhere,
        log: Log | None = None,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._given = given.rstrip("/") if given else None
        self._token = token
        self._elsewhere = elsewhere
        self._log = log
        self._random_bytes = random_bytes

    async def find(self, http: aiohttp.ClientSession) -> str:
        """The first address where a hub answers; the given one where none does. Raises `HubUnreachable` without one."""
        if self._given and (self._elsewhere is nowhere or await self._asked(http, self._given)):
            return self._given
        async for url in self._elsewhere():
            if await self._is_ours(http, url):
                if self._log:
                    self._log.event("hub-found", url=url)
                return url
        if self._given:
            return self._given
        raise HubUnreachable("no hub of this rig is found on the network")

    async def _is_ours(self, http: aiohttp.ClientSession, url: str) -> bool:
        answer = await self._asked(http, url)
        if answer is None:
            return False
        parsed = URL(url)
        expected = hub_proof(self._token, answer.nonce, parsed.host or "", parsed.port or 0)
        return secrets.compare_digest(expected.encode(), answer.proof.encode())

    async def _asked(self, http: aiohttp.ClientSession, url: str) -> HubProof | None:
        """What `url` answers to a fresh nonce, without being shown the token; None when no hub answers."""
        nonce = self._random_bytes(16).hex()
        try:
            async with http.get(f"{url}{PROOF}/{nonce}", timeout=_PROBE, allow_redirects=False) as answer:
                if not 0 < (answer.content_length or 0) <= _MOST_BYTES:
                    return None
                proof = decode(await answer.read(), HubProof)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, WireError):
            return None
        return proof if proof.nonce == nonce else None
