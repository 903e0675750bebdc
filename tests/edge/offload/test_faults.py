"""What answers in the hub's place, or as a hub that has troubles of its own: what each costs, and that it heals."""

import asyncio
import errno
import os

import pytest
from aiohttp import web

from edge.errors import HubUnreachable
from edge.offload import Hub
from edge.offload.hub import CHUNK_BYTES
from edge.record.shelf import VIDEO
from wire.hand_over import SEGMENTS, UPLOADS
from wire.message import encode
from wire.session import SegmentKey, SegmentReceipt, SegmentState

TOKEN = "open-sesame"
PAGE = {"text": "<html>Welcome! Sign in here.</html>", "content_type": "text/html"}
OTHERS = encode(SegmentReceipt(key=SegmentKey("s1", "left", 99), video_wanted=False, tracks_wanted=False))
TROUBLES = {
    "a token it does not know any more": {"status": 401, "text": "this needs the rig's token"},
    "a guard": {"status": 403},
    "a request bent on the way": {"status": 460},
    "too many requests": {"status": 429},
    "a fault of its own": {"status": 500, "text": "the hub could not do that"},
    "a gateway without a hub": {"status": 502, **PAGE},
    "a start that is not over": {"status": 503},
    "a full disk": {"status": 507, "text": "the disk is full: make room"},
    "a sign-in page": {"status": 200, **PAGE},
    "a sign-in page that refuses": {"status": 403, **PAGE},
    "a sign-in page that knows no such place": {"status": 404, **PAGE},
    "a way to a sign-in page": {"status": 302, "headers": {"Location": "http://sign-in.invalid/"}},
    "another way to a sign-in page": {"status": 307, "headers": {"Location": "http://sign-in.invalid/"}},
    "another program": {"status": 200, "text": '{"hello": "world"}'},
    "a receipt for another segment": {"status": 200, "body": OTHERS},
}
troubled = pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)


class Front:
    """Stands before the hub and answers what `answer(request)` gives, a response's arguments; None lets it pass."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self.answer = lambda request: None
        self.answered: list[str] = []

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 30, middlewares=[self._first])
        app.router.add_post(SEGMENTS, self._hub._offer)
        app.router.add_get(SEGMENTS + "/{session}/{node}/{sequence}", self._hub._ask)
        app.router.add_route("*", UPLOADS + "{tail:.*}", self._hub._upload)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _first(self, request, handler):
        answer = self.answer(request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer is None:
            return await handler(request)
        self.answered.append(request.method)
        return web.Response(**answer)


@pytest.fixture
async def front(hub):
    made = Front(hub)
    await made.start()
    yield made
    await made.stop()


@troubled
async def test_a_hub_in_trouble_is_waited_for_with_growing_pauses_and_sent_nothing(
    station, hub, front, eventually, log_text, trouble
):
    for sequence in range(5):
        station.close_segment(sequence)
    front.answer = lambda request: trouble if len(station.pauses) < 3 else None
    async with Hub(front.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(hub.path)
    assert station.pauses == [0.375, 0.75, 1.5]
    assert front.answered == ["POST"] * 3, "the first offer told enough"
    assert log_text.getvalue().count("event=hub-unreachable session=s1 segment=0 ") == 3
    assert station.cost.report("left").bytes_sent == hub.received == sum(station.sizes())


@troubled
async def test_trouble_in_the_middle_of_uploads_costs_no_more_than_what_travelled(
    station, hub, front, eventually, trouble
):
    for sequence in range(3):
        station.close_segment(sequence, size=CHUNK_BYTES * 2)
    patched = []

    def answer(request):
        if request.method == "PATCH":
            patched.append(request.path)
        return trouble if request.path.startswith(UPLOADS) and patched and len(station.pauses) < 2 else None

    front.answer = answer
    async with Hub(front.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(hub.path)
    assert set(station.states()) == {SegmentState.CONFIRMED}
    assert len(station.pauses) in (2, 3)
    # An upload that was begun is gone on with: nothing that the hub acknowledged is sent again.
    assert hub.received == station.cost.report("left").bytes_sent == sum(station.sizes())


async def test_on_a_line_that_fails_again_and_again_but_lets_something_through_the_pauses_stay_short(
    station, hub, front, eventually
):
    station.close_segment(0, size=8 * CHUNK_BYTES)
    patched = 0

    def answer(request):
        nonlocal patched
        patched += request.method == "PATCH"
        return {"status": 503} if request.method == "PATCH" and patched % 2 == 0 else None

    front.answer = answer
    async with Hub(front.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(hub.path)
    assert station.pauses == [0.375] * 7


async def test_an_upload_that_has_expired_is_begun_anew(station, hub, front, eventually):
    station.close_segment(0, size=2 * CHUNK_BYTES)
    seen = []

    def answer(request):
        seen.append(request.method)
        if seen.count("PATCH") == 2 and request.method == "PATCH":
            return {"status": 503}
        if request.method == "HEAD":
            return {"status": 410, "headers": {"Tus-Resumable": "1.0.0"}}
        return None

    front.answer = answer
    async with Hub(front.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(hub.path)
    assert [what for what in seen if what != "GET"] == [
        "POST", "POST", "PATCH", "PATCH", "POST", "HEAD", "POST", "PATCH", "PATCH", "POST",
    ]  # fmt: skip


async def test_no_offer_and_no_token_follow_a_way_to_somewhere_else(station, front):
    asked = []

    async def stranger(request):
        asked.append(request)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", stranger)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    elsewhere = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    station.close_segment(0)
    front.answer = lambda request: {"status": 307, "headers": {"Location": elsewhere}}
    async with Hub(front.url, TOKEN) as there:
        with pytest.raises(HubUnreachable, match="web page"):
            await station.offloader(there).hand_over()
    await runner.cleanup()
    assert asked == []


@pytest.mark.parametrize("takes", [True, False], ids=["takes everything", "takes nothing"])
async def test_a_line_that_is_open_at_one_end_only_is_found_by_its_silence(station, takes):
    async def swallow(reader, writer):
        while takes and await reader.read(1 << 16):
            pass
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    station.close_segment(0)
    async with Hub(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", TOKEN, silence_s=0.2) as there:
        async with asyncio.timeout(20):
            with pytest.raises(HubUnreachable):
                await station.offloader(there).hand_over()
    gone.set()
    server.close()
    assert station.states() == [SegmentState.CLOSED]


async def test_a_full_disk_of_the_real_hub_is_waited_for(station, hub, eventually, monkeypatch, log_text):
    honest = os.pwrite

    def full(*arguments):
        if len(station.pauses) < 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return honest(*arguments)

    station.close_segment(0)
    monkeypatch.setattr("wire.tus.store.os.pwrite", full)
    async with Hub(hub.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(hub.path)
    assert station.pauses == [0.375, 0.75]
    assert "the disk is full: make room" in log_text.getvalue()


async def test_a_file_that_rotted_on_the_nodes_disk_is_not_sent_again_and_again(station, hub, eventually, log_text):
    path = station.shelf.path(station.close_segment(0), VIDEO)
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    received = []

    async def repair() -> None:
        received.append(hub.received)
        if len(station.pauses) == 4:
            path.write_bytes(right)

    station.before_pause = repair
    async with Hub(hub.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(hub.path)
    assert len(set(received)) == 1, "it was sent once, and then its damage was known"
    assert log_text.getvalue().count("00000000.mp4 is damaged on this node's disk") == 3


async def test_a_segment_that_becomes_the_last_while_it_travels_is_offered_again_as_such(
    station, hub, front, eventually
):
    station.close_segment(0)

    def answer(request):
        if request.path.startswith(UPLOADS):
            station.ledger.finish_session("s1")

    front.answer = answer
    async with Hub(front.url, TOKEN) as there:
        offloader = station.offloader(there)
        assert not await offloader.hand_over()
        assert station.states() != [SegmentState.CONFIRMED]
        assert [offer.last for offer in hub.confirmed()] == [False]
        assert not await offloader.hand_over()
    assert station.states() == [SegmentState.CONFIRMED]
    assert [offer.last for offer in hub.confirmed()] == [True]
    assert hub.received == sum(station.sizes()), "its bytes were there already"


@pytest.mark.parametrize("station", [3], indirect=True)
async def test_three_segments_travel_at_once_but_offers_go_one_by_one(station, hub, front):
    for sequence in range(7):
        station.close_segment(sequence)
    offering = most_offering = travelling = most_travelling = 0
    full = asyncio.Event()

    async def answer(request):
        nonlocal offering, most_offering, travelling, most_travelling
        if request.path == SEGMENTS:
            offering += 1
            most_offering = max(most_offering, offering)
            await asyncio.sleep(0)
            offering -= 1
        elif request.method == "POST":
            travelling += 1
            most_travelling = max(most_travelling, travelling)
            if travelling == 3:
                full.set()
            # The first one would wait for ever if the others waited for it.
            await full.wait()
            travelling -= 1

    front.answer = answer
    async with asyncio.timeout(20), Hub(front.url, TOKEN) as there:
        assert not await station.offloader(there).hand_over()
    assert (most_offering, most_travelling) == (1, 3)
    assert [n for what, n in hub.asked if what == "offer"] == list(range(7))


@pytest.mark.parametrize("station", [3], indirect=True)
async def test_when_the_hub_falls_silent_nothing_more_is_begun_and_what_travels_ends_by_itself(station, hub, front):
    for sequence in range(6):
        station.close_segment(sequence)
    others = asyncio.Event()

    async def answer(request):
        if not request.path.startswith(UPLOADS):
            return None
        if [n for what, n in hub.asked if what == "offer"] == [0, 1, 2]:
            others.set()
        await others.wait()
        held = [offer.key.sequence for offer in hub.offers.values()]
        return {"status": 503} if "MA==" in request.headers["Upload-Metadata"] and held else None

    front.answer = answer
    async with asyncio.timeout(20), Hub(front.url, TOKEN) as there:
        with pytest.raises(HubUnreachable):
            await station.offloader(there).hand_over()
    assert [n for what, n in hub.asked if what == "offer"] == [0, 1, 2]
    assert station.states() == [
        SegmentState.CLOSED, SegmentState.CONFIRMED, SegmentState.CONFIRMED, *[SegmentState.CLOSED] * 3,
    ]  # fmt: skip
