"""Where a node looks for its hub, and to whom it shows the rig's token: both ways of each guard."""

import contextlib
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from edge.errors import HubUnreachable
from edge.offload import Hub, HubAddresses
from edge.offload.addresses import gateways, ip_addresses
from hub.api import proof_routes
from wire.message import encode
from wire.proof import HubProof
from wire.session import SegmentState

TOKEN = "open-sesame"


class Somebody:
    """A server that answers with its `routes` and notes every request, and what credentials came with it."""

    def __init__(self, *routes) -> None:
        self.asked: list[str] = []
        self.shown: list[str] = []
        self._routes = routes

    async def start(self) -> str:
        app = web.Application(client_max_size=1 << 30, middlewares=[self._note])
        app.add_routes(self._routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _note(self, request, handler):
        self.asked.append(request.path)
        if "Authorization" in request.headers:
            self.shown.append(request.headers["Authorization"])
        return await handler(request)


@contextlib.asynccontextmanager
async def running(*somebodies: Somebody) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for somebody in somebodies:
            await somebody.start()
            stack.push_async_callback(somebody.stop)
        yield


def addresses(given: str | None, *urls: str, token: str = TOKEN, log=None) -> HubAddresses:
    async def elsewhere() -> AsyncIterator[str]:
        for url in urls:
            yield url

    return HubAddresses(given, token, elsewhere=elsewhere, log=log)


async def found(wanted: HubAddresses) -> str:
    async with aiohttp.ClientSession() as http:
        return await wanted.find(http)


def a_hub(hub, token: str = TOKEN) -> Somebody:
    return Somebody(
        *proof_routes(token),
        web.post("/api/v1/segments", hub._offer),
        web.get("/api/v1/segments/{session}/{node}/{sequence}", hub._ask),
        web.route("*", "/api/v1/uploads{tail:.*}", hub._upload),
    )


async def nowhere_url() -> str:
    """An address where nobody listens any more."""
    gone = Somebody()
    url = await gone.start()
    await gone.stop()
    return url


async def test_the_given_address_is_taken_while_a_hub_answers_there(hub):
    given, other = a_hub(hub), a_hub(hub)
    async with running(given, other):
        assert await found(addresses(given.url + "/", other.url)) == given.url
        assert other.asked == []


async def test_the_given_address_alone_is_trusted_without_asking():
    given = await nowhere_url()
    assert await found(HubAddresses(given, TOKEN)) == given


async def test_elsewhere_the_first_hub_that_proves_to_be_this_rigs_is_taken(hub, log, log_text):
    another_rigs, ours, second = a_hub(hub, "another-token"), a_hub(hub), a_hub(hub)
    async with running(another_rigs, ours, second):
        wanted = addresses(await nowhere_url(), another_rigs.url, ours.url, second.url, log=log)
        assert await found(wanted) == ours.url
        assert second.asked == []
    assert [somebody.shown for somebody in (another_rigs, ours)] == [[], []]
    assert f"event=hub-found url={ours.url}" in log_text.getvalue()


async def test_where_no_hub_answers_anywhere_the_given_address_stays():
    given, other = await nowhere_url(), await nowhere_url()
    assert await found(addresses(given, other)) == given
    with pytest.raises(HubUnreachable, match="no hub of this rig"):
        await found(addresses(None, other))


@pytest.mark.parametrize(
    "answer",
    [
        lambda nonce: HubProof(nonce=nonce, proof=""),
        lambda nonce: HubProof(nonce=nonce, proof="0" * 64),
        lambda nonce: HubProof(nonce=nonce, proof="ü"),
        lambda nonce: HubProof(nonce="0" * 32, proof="0" * 64),
        lambda nonce: "<html>sign in</html>",
        lambda nonce: "",
        lambda nonce: "x" * 100_000,
    ],
)
async def test_a_stranger_is_never_shown_the_token(answer):
    async def handler(request):
        told = answer(request.match_info["nonce"])
        return web.Response(body=encode(told) if isinstance(told, HubProof) else told.encode())

    stranger = Somebody(web.get("/api/v1/proof/{nonce}", handler))
    async with running(stranger):
        with pytest.raises(HubUnreachable):
            await found(addresses(None, stranger.url))
    assert len(stranger.asked) == 1
    assert stranger.shown == []


async def test_a_stranger_who_passes_the_question_on_to_the_true_hub_gets_nothing_by_it(hub):
    true = a_hub(hub)

    async def pass_on(request):
        async with aiohttp.ClientSession() as http, http.get(true.url + request.path) as answer:
            return web.Response(body=await answer.read())

    stranger = Somebody(web.get("/api/v1/proof/{nonce}", pass_on))
    async with running(true, stranger):
        with pytest.raises(HubUnreachable):
            await found(addresses(None, stranger.url))
        assert len(true.asked) == 1
        assert await found(addresses(None, stranger.url, true.url)) == true.url
    assert stranger.shown == true.shown == []


async def test_a_proof_heard_before_is_worth_nothing(hub):
    true = a_hub(hub)
    heard = []

    async def listen(request):
        heard.append(request.path)
        return web.Response(body=heard_before)

    async with running(true), aiohttp.ClientSession() as http:
        heard_before = await (await http.get(f"{true.url}/api/v1/proof/{'0' * 32}")).read()
    replayer = Somebody(web.get("/api/v1/proof/{nonce}", listen))
    async with running(replayer):
        with pytest.raises(HubUnreachable):
            await found(addresses(None, replayer.url))
    assert len(heard) == 1


async def test_a_hub_that_moves_is_followed_and_its_uploads_are_gone_on_with(station, hub, eventually):
    first, second = a_hub(hub), a_hub(hub)
    station.close_segment(0, size=3 << 20)
    async with running(first, second):
        moved = False

        async def move() -> None:
            nonlocal moved
            if not moved:
                moved = True
                await first.stop()

        station.before_pause = move
        hub.dies_after = 1_500_000
        async with Hub(addresses(first.url, second.url), TOKEN) as there:
            await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(hub.path)
    assert station.states() == [SegmentState.CONFIRMED]
    assert "/api/v1/proof" in second.asked[0]
    assert second.shown, "once it has proven itself it is shown the token"
    # 1 MiB was acknowledged before the hub moved and the second one was broken off in its middle.
    assert hub.received < (3 << 20) + (1 << 20)


async def test_a_hub_is_known_at_every_address_where_it_was_found_and_at_no_others(hub):
    ours, strangers = a_hub(hub), a_hub(hub, token="another")
    async with running(ours, strangers):
        async with Hub(addresses(None, strangers.url, ours.url), TOKEN) as there:
            assert there.addresses == frozenset()
            await there.locate()
            assert there.addresses == {"127.0.0.1"}
        assert not ours.shown
        async with Hub(addresses(None, strangers.url), TOKEN) as there:
            with pytest.raises(HubUnreachable):
                await there.locate()
            assert there.addresses == frozenset()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://10.42.0.1:8000", {"10.42.0.1"}),
        ("http://[FE80:0::1%25eth0]:8000", {"fe80::1"}),
        ("http://hub.invalid:8000", set()),
        ("http://" + "x" * 70 + ":8000", set()),
    ],
)
async def test_the_addresses_of_a_url_are_those_of_its_number_or_name(url, told, monkeypatch):
    def nobody(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", nobody)
    assert await ip_addresses(url) == told


async def test_a_hub_whose_name_nobody_knows_yet_is_located_later(monkeypatch):
    known = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: known)
    async with Hub("http://hub.local:8000", TOKEN) as there:
        with pytest.raises(HubUnreachable, match=r"nobody knows the address of http://hub\.local:8000"):
            await there.locate()
        known.append((socket.AF_INET, 1, 6, "", ("10.42.0.1", 0)))
        await there.locate()
        assert there.addresses == {"10.42.0.1"}


async def test_a_hubs_name_stands_for_all_of_its_addresses(monkeypatch):
    entries = [(socket.AF_INET6, ("fe80::2%eth0", 0, 0, 2)), (socket.AF_INET, ("10.42.0.1", 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(f, 1, 6, "", there) for f, there in entries])
    assert await ip_addresses("http://hub.local:8000") == {"fe80::2", "10.42.0.1"}


def test_the_gateways_are_read_from_the_kernels_table(tmp_path):
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "wlan0\t00000000\t012A000A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
        "eth0\t0000FEA9\t00000000\t0001\t0\t0\t100\t0000FFFF\t0\t0\t0\n"
        "ppp0\t00000000\t00000000\t0001\t0\t0\t700\t00000000\t0\t0\t0\n"
    )
    assert gateways(table) == ["10.0.42.1"]
    assert gateways(tmp_path / "none") == []
