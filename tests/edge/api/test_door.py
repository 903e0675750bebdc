"""Who is let in to the node's API, and for how long, by real connections to a real server."""

import asyncio
import socket

import pytest

from edge.api import door, pictures

HERE, BESIDE = "127.0.0.1", "127.0.0.2"
STATUS = b"GET /api/v1/status HTTP/1.1\r\nHost: node\r\n\r\n"
SIGN_IN = b"POST /api/v1/sign-in HTTP/1.1\r\nHost: node\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 50\r\n\r\n"


class Caller:
    """One connection; what it reads ends with it, and nobody is waited for in vain."""

    def __init__(self, reader, writer):
        self._reader, self.writer = reader, writer

    async def asks(self, request=STATUS):
        """The status line of the answer to a request, which is read whole; empty for a connection that has ended."""
        async with asyncio.timeout(20):
            try:
                self.writer.write(request)
                head = await self._reader.readuntil(b"\r\n\r\n")
            except (ConnectionError, asyncio.IncompleteReadError):
                return ""
            sizes = [line.split(b":")[1] for line in head.splitlines() if line.lower().startswith(b"content-length")]
            await self._reader.readexactly(int(sizes[0]))
        return head.splitlines()[0].decode()

    async def reads(self, size=-1):
        async with asyncio.timeout(20):
            try:
                return await self._reader.read(size)
            except ConnectionError:
                return b""


@pytest.fixture
async def connect(make_node, make_api, ledger, video, log):
    """Serves a node's API as `serve` does, and connects to it from an address of this machine."""
    served = door.Door(make_api(make_node(f"file:{video}", ledger), ledger), log)
    listener = socket.create_server((HERE, 0))
    await served.open(listener)
    callers = []

    async def call(address=HERE):
        line = await asyncio.open_connection(*listener.getsockname(), local_addr=(address, 0))
        callers.append(Caller(*line))
        return callers[-1]

    yield call
    for caller in callers:
        caller.writer.close()
    await served.close()


@pytest.fixture
def short(monkeypatch):
    """Makes limits so short, and tells how long that is; the others stay."""

    def cut(*limits, within_s=0.3):
        for limit in limits:
            monkeypatch.setattr(door, limit, within_s)
        return within_s

    return cut


@pytest.fixture
def short_pauses(short):
    """For a door that is made afterwards."""
    short("KEEPALIVE_S")


@pytest.mark.parametrize("said", [b"", STATUS[:20], STATUS[:-2]], ids=["nothing", "half a line", "half a head"])
async def test_who_asks_for_nothing_is_dropped(connect, short, said):
    short("HEAD_S")
    caller = await connect()
    caller.writer.write(said)
    assert await caller.reads() == b""


async def test_who_keeps_back_the_rest_of_a_request_is_dropped(connect, short):
    short("BODY_S")
    caller = await connect()
    assert await caller.asks(SIGN_IN + b"{") == ""


async def test_a_body_may_take_longer_than_a_head(connect, short):
    short("HEAD_S")
    slow, silent = await connect(), await connect()
    slow.writer.write(SIGN_IN)
    assert await silent.reads() == b""
    assert await slow.asks(bytes(50)) == "HTTP/1.1 400 Bad Request"


async def test_who_has_asked_may_ask_again_on_the_same_connection_after_a_pause(connect, short):
    short("HEAD_S", "BODY_S")
    asked = await connect()
    assert await asked.asks() == "HTTP/1.1 200 OK"
    for _ in range(2):
        # As long as it takes to lose patience with somebody else.
        assert await (await connect()).reads() == b""
        assert await asked.asks() == "HTTP/1.1 200 OK"


async def test_who_does_not_ask_again_is_dropped(short_pauses, connect):
    asked = await connect()
    assert await asked.asks() == "HTTP/1.1 200 OK"
    assert await asked.reads() == b""


async def test_a_stream_outlives_every_limit(short_pauses, connect, short, monkeypatch):
    monkeypatch.setattr(pictures, "EVERY_S", 0.01)
    within_s = short("HEAD_S", "BODY_S")
    looks = await connect()
    looks.writer.write(b"GET /api/v1/preview.mjpeg HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer open-sesame\r\n\r\n")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert b" 200 OK" in await looks.reads(100)
    while loop.time() < begun + 3 * within_s:
        assert await looks.reads(1 << 16)


async def test_one_address_takes_only_its_own_places(connect, monkeypatch, log_text):
    monkeypatch.setattr(door, "PER_PEER", 2)
    first, second = await connect(), await connect()
    for _ in range(3):
        assert await (await connect()).asks() == ""
    assert log_text.getvalue().count("event=guest-refused peer=127.0.0.1 from_there=2 in_all=2") == 1
    for caller in (first, second, await connect(BESIDE)):
        assert await caller.asks() == "HTTP/1.1 200 OK"


async def test_a_place_is_free_again_when_its_guest_has_left(connect, monkeypatch):
    monkeypatch.setattr(door, "PER_PEER", 1)
    for _ in range(3):
        caller = await connect()
        # The node leaves first, so that it knows.
        assert await caller.asks(STATUS.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) == "HTTP/1.1 200 OK"
        assert await caller.reads() == b""


async def test_strangers_who_fill_the_house_leave_this_machines_places_free(connect, monkeypatch):
    monkeypatch.setattr(door, "MOST", 2)
    inside = [await connect(BESIDE), await connect("127.0.0.3")]
    assert await (await connect("127.0.0.4")).asks() == ""
    for caller in (*inside, await connect(), await connect()):
        assert await caller.asks() == "HTTP/1.1 200 OK"


async def test_who_is_here_when_the_node_ends_is_let_go(make_node, make_api, ledger, video, log):
    served = door.Door(make_api(make_node(f"file:{video}", ledger), ledger), log)
    listener = socket.create_server((HERE, 0))
    await served.open(listener)
    silent = Caller(*await asyncio.open_connection(*listener.getsockname()))
    asked = Caller(*await asyncio.open_connection(*listener.getsockname()))
    await asked.asks()
    await served.close()
    assert [await silent.reads(), await asked.reads()] == [b"", b""]
