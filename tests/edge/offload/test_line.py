"""What the kernel is told of the offload's lines, read back from lines that are in use."""

import socket

import pytest
from aiohttp import web

from edge.offload import Hub
from edge.offload.line import LOW_PRIORITY


async def served(host: str) -> tuple[web.AppRunner, str]:
    async def much(_request):
        return web.Response(body=bytes(16 << 20))

    app = web.Application()
    app.router.add_get("/", much)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    port = runner.addresses[0][1]
    return runner, f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@pytest.mark.parametrize(
    ("host", "family", "level", "option"),
    [
        ("127.0.0.1", socket.AF_INET, socket.IPPROTO_IP, socket.IP_TOS),
        ("::1", socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ],
)
async def test_a_line_in_use_is_of_low_priority_and_gives_up_a_dead_end_in_seconds(host, family, level, option):
    try:
        runner, url = await served(host)
    except OSError:
        pytest.skip(f"this machine does not speak {family.name}")
    async with Hub(url, "token", silence_s=12) as hub, hub._http.get(url) as answer:
        line = answer.connection.transport.get_extra_info("socket")
        assert line.family == family
        assert line.getsockopt(level, option) == LOW_PRIORITY == 8 << 2, "CS1 is code point 8"

        def tcp(name):
            return line.getsockopt(socket.IPPROTO_TCP, name)

        assert tcp(socket.TCP_USER_TIMEOUT) == 12_000
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert tcp(socket.TCP_KEEPIDLE) + tcp(socket.TCP_KEEPINTVL) * tcp(socket.TCP_KEEPCNT) <= 12
    await runner.cleanup()
