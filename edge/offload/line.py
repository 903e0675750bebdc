"""The TCP lines of the offload: last in every queue, and given up within seconds when the other end is gone."""

import socket

import aiohttp

LOW_PRIORITY = 0x20
"""Traffic class CS1, "low-priority data" of RFC 4594, as the byte in the IP header.

RFC 8622 has since given such traffic a code point of its own (LE, 0x04), but Linux drivers put a packet into the Wi-Fi
queue that the top three bits of this byte name (`cfg80211_classify8021d` in net/wireless/util.c): CS1 goes into
"background", LE among everybody else's.
"""
_UNSENT_BYTES = 128 << 10
"""What may wait in the kernel: more would only make a slow line look quick, and other traffic wait behind it."""


def connector(silence_s: float) -> aiohttp.TCPConnector:
    """Lines of low priority on which `silence_s` seconds without a sign of the other end are an error."""

    def line(address: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        try:
            made.setblocking(False)
            _tune(made, silence_s)
        except BaseException:
            made.close()
            raise
        return made

    return aiohttp.TCPConnector(socket_factory=line)


def _tune(line: socket.socket, silence_s: float) -> None:
    if line.family == socket.AF_INET6:
        line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, LOW_PRIORITY)
    else:
        line.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, LOW_PRIORITY)
    seconds = max(1, round(silence_s / 3))
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(silence_s * 1000))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
