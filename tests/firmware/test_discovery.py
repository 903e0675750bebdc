import asyncio
import io
import os
import socket

import ifaddr
import pytest
from zeroconf import Zeroconf
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from firmware.discovery import HUB_SERVICE, NODE_SERVICE, Announcement, addresses, announced, is_own
from firmware.log import Log

# The same machine may play a match day meanwhile, whose hub and nodes are heard as well.
OWN_NODE, OWN_HUB = f"_tl-node-{os.getpid()}._tcp.local.", f"_tl-hub-{os.getpid()}._tcp.local."


class StillClock:
    def now_ns(self) -> int:
        return 1_790_000_000_123_000_000

    def uncertainty_ns(self) -> int:
        return 0


@pytest.fixture
def log_text() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(log_text) -> Log:
    return Log(log_text, StillClock())


def node(name: str, host: str, log: Log, **options) -> Announcement:
    return Announcement(OWN_NODE, name, host, 8081, {"node": name, "software": "touchline 0.1.0"}, log, **options)


async def found(name: str) -> AsyncServiceInfo | None:
    """What a listener on the loopback interface hears of the service `name` within a few seconds."""
    listener = AsyncZeroconf(zc=Zeroconf(interfaces=["127.0.0.1"]))
    try:
        info = AsyncServiceInfo(OWN_NODE, f"{name}.{OWN_NODE}")
        return info if await info.async_request(listener.zeroconf, 4000) else None
    finally:
        await listener.async_close()


async def test_a_node_is_found_on_the_network_it_listens_on(log, log_text):
    async with node("left", "127.0.0.1", log):
        if "not-announced" in log_text.getvalue():
            pytest.skip("this machine's loopback interface has no multicast")
        info = await found("left")
    assert info is not None
    assert (info.port, info.parsed_addresses()) == (8081, ["127.0.0.1"])
    assert info.properties == {b"node": b"left", b"software": b"touchline 0.1.0"}


async def test_failing_to_announce_is_logged_and_nothing_more(log, log_text):
    # An address of the documentation range (RFC 5737), which no interface here has.
    async with node("left", "192.0.2.1", log):
        await asyncio.sleep(0)
    assert "event=not-announced" in log_text.getvalue()


async def test_whoever_announces_a_service_is_heard_and_nobody_else(log, log_text):
    hub = Announcement(OWN_HUB, "hub-field", "127.0.0.1", 8000, {}, log)
    async with hub, node("left", "127.0.0.1", log):
        if "not-announced" in log_text.getvalue():
            pytest.skip("this machine's loopback interface has no multicast")
        assert await announced(OWN_HUB, 1.5, ["127.0.0.1"]) == [("127.0.0.1", 8000)]


async def test_without_an_interface_nobody_is_heard():
    # An address of the documentation range (RFC 5737), which no interface here has.
    assert await announced(HUB_SERVICE, 0.01, ["192.0.2.1"]) == []


@pytest.mark.parametrize("service", [NODE_SERVICE, HUB_SERVICE])
def test_the_services_name_is_one_that_dns_sd_allows(service):
    assert len(service.split(".", maxsplit=1)[0].lstrip("_")) <= 15


def adapter(name: str, *ips) -> ifaddr.Adapter:
    return ifaddr.Adapter(name, name, [ifaddr.IP(ip, 24, name) for ip in ips])


LOOPBACK = adapter("lo", "127.0.0.1", ("::1", 0, 0))
FIELD = adapter("eth0", "192.0.2.17", ("2001:db8::17", 0, 0), ("fe80::17", 0, 2))
HALL = adapter("wlan0", "198.51.100.4")


@pytest.mark.parametrize(
    ("adapters", "version", "told"),
    [
        ([LOOPBACK, FIELD, HALL], 4, ["192.0.2.17", "198.51.100.4"]),
        ([LOOPBACK, FIELD, HALL], 6, ["2001:db8::17"]),
        ([LOOPBACK, HALL], 6, ["::1"]),
        ([LOOPBACK], 4, ["127.0.0.1"]),
        ([FIELD, FIELD], 4, ["192.0.2.17"]),
        ([], 4, []),
    ],
)
def test_a_machine_is_reached_where_its_interfaces_are(adapters, version, told):
    assert addresses(adapters, version) == told


@pytest.mark.parametrize(
    ("address", "own"),
    [("192.0.2.17", True), ("2001:db8::17", True), ("127.0.1.1", True), ("::1", True), ("192.0.2.18", False)],
)
def test_a_machine_knows_its_own_addresses(address, own):
    assert is_own(address, [LOOPBACK, FIELD, HALL]) is own


async def test_a_node_that_listens_everywhere_tells_its_interfaces_addresses(log, log_text, monkeypatch):
    def never(*_):
        raise AssertionError("the machine's name says nothing, and to resolve it holds up the loop")

    monkeypatch.setattr(socket, "gethostbyname", never)
    async with node("everywhere", "0.0.0.0", log, adapters=lambda: [LOOPBACK, FIELD, HALL]):
        if "not-announced" in log_text.getvalue():
            pytest.skip("this machine has no multicast")
        info = await found("everywhere")
    assert info is not None
    assert sorted(info.parsed_addresses()) == ["192.0.2.17", "198.51.100.4"]
