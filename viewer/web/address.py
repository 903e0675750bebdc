"""Where a request comes from."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from litestar.connection import ASGIConnection

from viewer.web.portal import portal_of

UNKNOWN = "?"


def client_address(request: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The address of whoever asks, for throttling and the audit log.

    X-Forwarded-For counts only from proxies that the portal was told to trust, and only its last entry that none of
    them made: what stands before it, anybody can write.
    """
    peer = request.client.host if request.client else UNKNOWN
    trusted = [ip_network(proxy) for proxy in portal_of(request.app.state).settings.trusted_proxies]
    hops = [hop.strip() for hop in ",".join(request.headers.getall("x-forwarded-for", [])).split(",") if hop.strip()]
    for hop in reversed(hops):
        if not _among(peer, trusted) or not _readable(hop):
            break
        peer = hop
    return peer


def _among(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return _readable(address) and any(ip_address(address) in network for network in networks)


def _readable(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True
