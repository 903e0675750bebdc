import asyncio

import pytest
from zeroconf import Zeroconf
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from edge.discovery import SERVICE, Announcement


async def found(name: str) -> AsyncServiceInfo | None:
    """What a listener on the loopback interface hears of the service `name` within a few seconds."""
    listener = AsyncZeroconf(zc=Zeroconf(interfaces=["127.0.0.1"]))
    try:
        info = AsyncServiceInfo(SERVICE, f"{name}.{SERVICE}")
        return info if await info.async_request(listener.zeroconf, 4000) else None
    finally:
        await listener.async_close()


async def test_a_node_is_found_on_the_network_it_listens_on(log, log_text):
    async with Announcement("left", "127.0.0.1", 8081, "touchline 0.1.0", log):
        if "not-announced" in log_text.getvalue():
            pytest.skip("this machine's loopback interface has no multicast")
        info = await found("left")
    assert info is not None
    assert (info.port, info.parsed_addresses()) == (8081, ["127.0.0.1"])
    assert info.properties == {b"node": b"left", b"software": b"touchline 0.1.0"}


async def test_failing_to_announce_is_logged_and_nothing_more(log, log_text):
    # An address of the documentation range (RFC 5737), which no interface here has.
    async with Announcement("left", "192.0.2.1", 8081, "touchline 0.1.0", log):
        await asyncio.sleep(0)
    assert "event=not-announced" in log_text.getvalue()


def test_the_services_name_is_one_that_dns_sd_allows():
    assert len(SERVICE.split(".", maxsplit=1)[0].lstrip("_")) <= 15
