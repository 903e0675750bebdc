"""Finding one another on the field's network by DNS-SD: nodes as `_touchline._tcp`, hubs as `_touchline-hub._tcp`."""

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Mapping

# Comes with zeroconf, which finds the interfaces it sends on by it.
import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import InterfaceChoice, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from firmware.log import Log

NODE_SERVICE = "_touchline._tcp.local."
HUB_SERVICE = "_touchline-hub._tcp.local."
_RESOLVE_MS = 1000


class Announcement:
    """Says that a `service` called `name` answers on `port` of `host`, for as long as its `async with` block lasts.

    One that listens everywhere is announced with the addresses its interfaces have at that moment. Multicast is
    often filtered or missing: failing to announce is logged and nothing more.
    """

    def __init__(
        self,
        service: str,
        name: str,
        host: str,
        port: int,
        properties: Mapping[str, str],
        log: Log,
        *,
        adapters: Callable[[], Iterable[ifaddr.Adapter]] = ifaddr.get_adapters,
    ) -> None:
        self._service = service
        self._name = name
        self._host = host
        self._port = port
        self._properties = properties
        self._log = log
        self._adapters = adapters
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
        hosts = addresses(self._adapters(), ipaddress.ip_address(self._host).version) if everywhere else [self._host]
        return AsyncServiceInfo(
            self._service,
            f"{self._name}.{self._service}",
            parsed_addresses=hosts,
            port=self._port,
            properties=dict(self._properties),
            server=f"{self._name}.local.",
        )

    async def _close(self) -> None:
        if self._zeroconf:
            await self._zeroconf.async_close()
            self._zeroconf = None


async def announced(
    service: str, listen_s: float, interfaces: InterfaceChoice | list[str] = InterfaceChoice.All
) -> list[tuple[str, int]]:
    """IPv4 addresses and ports of whoever is heard to announce `service` within `listen_s` seconds.

    Nobody is where there is no multicast. Anybody can announce anything: an answer proves nothing.
    """
    heard: dict[str, None] = {}

    def hear(*, name: str, state_change: ServiceStateChange, **_: object) -> None:
        if state_change is ServiceStateChange.Added:
            heard[name] = None

    try:
        zeroconf = AsyncZeroconf(zc=Zeroconf(interfaces=interfaces))
    except (OSError, ZeroconfError, ValueError):
        return []
    found: list[tuple[str, int]] = []
    try:
        AsyncServiceBrowser(zeroconf.zeroconf, service, handlers=[hear])
        await asyncio.sleep(listen_s)
        for name in list(heard):
            info = AsyncServiceInfo(service, name)
            if await info.async_request(zeroconf.zeroconf, _RESOLVE_MS) and info.port:
                found += [(address, info.port) for address in info.parsed_addresses(IPVersion.V4Only)]
    except (OSError, ZeroconfError, ValueError):
        return found
    finally:
        await zeroconf.async_close()
    return list(dict.fromkeys(found))


def is_own(address: str, adapters: Iterable[ifaddr.Adapter]) -> bool:
    """Whether an IP address is this machine's."""
    wanted = ipaddress.ip_address(address)
    return wanted.is_loopback or str(wanted) in addresses(adapters, wanted.version)


def addresses(adapters: Iterable[ifaddr.Adapter], version: int) -> list[str]:
    """Where others reach this machine by IP `version` 4 or 6; loopback only where there is nothing else.

    The machine's own name is no help: Debian resolves it to 127.0.1.1. Left out are link-local IPv6 addresses, which
    mean nothing without the asker's interface.
    """
    found = [
        ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in adapters
        for ip in adapter.ips
    ]
    usable = [a for a in dict.fromkeys(found) if a.version == version and not (version == 6 and a.is_link_local)]
    return [str(a) for a in usable if not a.is_loopback] or [str(a) for a in usable]
