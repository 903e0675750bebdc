"""Makes the node findable on the field's network: DNS-SD service `_touchline._tcp`."""

import asyncio
import socket

from zeroconf import Error as ZeroconfError
from zeroconf import InterfaceChoice, Zeroconf
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from firmware.log import Log
from wire.ids import NodeId

SERVICE = "_touchline._tcp.local."


class Announcement:
    """Says that `node` answers on `port` of `host`, for as long as its `async with` block lasts.

    Multicast is often filtered or missing: failing to announce is logged and nothing more.
    """

    def __init__(self, node: NodeId, host: str, port: int, software: str, log: Log) -> None:
        self._node = node
        self._host = host
        self._port = port
        self._software = software
        self._log = log
        self._zeroconf: AsyncZeroconf | None = None

    async def __aenter__(self) -> "Announcement":
        try:
            everywhere = self._host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
            interfaces = InterfaceChoice.All if everywhere else [self._host]
            self._zeroconf = AsyncZeroconf(zc=Zeroconf(interfaces=interfaces))
            await self._zeroconf.async_register_service(self._info(everywhere), allow_name_change=True)
        except (OSError, ZeroconfError, ValueError) as fault:
            self._log.event("not-announced", fault=fault or type(fault).__name__)
            await self._close()
        except asyncio.CancelledError:
            await self._close()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._zeroconf:
            await self._zeroconf.async_unregister_all_services()
        await self._close()

    def _info(self, everywhere: bool) -> AsyncServiceInfo:
        host = socket.gethostbyname(socket.gethostname()) if everywhere else self._host
        return AsyncServiceInfo(
            SERVICE,
            f"{self._node}.{SERVICE}",
            parsed_addresses=[host],
            port=self._port,
            properties={"node": self._node, "software": self._software},
            server=f"{self._node}.local.",
        )

    async def _close(self) -> None:
        if self._zeroconf:
            await self._zeroconf.async_close()
            self._zeroconf = None
