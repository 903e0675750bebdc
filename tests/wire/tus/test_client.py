"""Our client against a real server, through good and bad lines."""

import asyncio
import hashlib
import os

import aiohttp.test_utils
import aiohttp.web
import pytest

from wire.tus.client import TusClient
from wire.tus.errors import UploadFailed, UploadGone, UploadRefused
from wire.tus.protocol import TusRequest


@pytest.fixture
def client(http, site, no_pause):
    return TusClient(http, site.url, {"X-Who": "ann"}, chunk_bytes=1 << 20, sleep=no_pause, pause_s=0.0)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "segment.mp4"
    path.write_bytes(os.urandom(3_500_000))
    return path


async def test_a_small_file_goes_in_one_request(client, site, tmp_path):
    small = tmp_path / "small"
    small.write_bytes(b"hello")
    told = []
    url = await client.upload(small, {"part": "tracks", "name": "größer"}, on_created=told.append)
    assert site.accepted(url) == b"hello"
    assert told == [url]
    assert site.created == [({"part": "tracks", "name": "größer"}, 5, "ann")]


async def test_an_empty_file_goes_too(client, site, tmp_path):
    (tmp_path / "empty").touch()
    assert site.accepted(await client.upload(tmp_path / "empty", {})) == b""


async def test_a_large_file_goes_in_chunks_and_tells_its_progress(client, site, file):
    steps = []
    url = await client.upload(file, {}, progress=lambda sent, total: steps.append((sent, total)))
    assert site.accepted(url) == file.read_bytes()
    assert steps[0] == (0, 3_500_000)
    assert steps[-1] == (3_500_000, 3_500_000)
    assert steps == sorted(steps)


async def test_an_earlier_upload_is_continued_not_repeated(client, http, site, file, no_pause):
    class Pulled(Exception):
        pass

    def pull(sent, _total):
        if sent >= 2 << 20:
            raise Pulled

    urls = []
    with pytest.raises(Pulled):
        await client.upload(file, {}, on_created=urls.append, progress=pull)
    steps = []
    again = TusClient(http, site.url, {"X-Who": "ann"}, sleep=no_pause)
    url = await again.upload(file, {}, resume_url=urls[0], progress=lambda sent, _: steps.append(sent))
    assert url == urls[0]
    assert steps[0] == 2 << 20
    assert site.accepted(url) == file.read_bytes()


async def test_a_vanished_upload_is_started_anew(client, http, site, file):
    gone = site.url + "/" + "0" * 32
    url = await client.upload(file, {}, resume_url=gone)
    assert url != gone
    assert site.accepted(url) == file.read_bytes()


async def test_an_upload_of_another_file_is_not_continued(client, site, file, tmp_path):
    (tmp_path / "other").write_bytes(b"other")
    other = await client.upload(tmp_path / "other", {})
    url = await client.upload(file, {}, resume_url=other)
    assert url != other
    assert site.accepted(url) == file.read_bytes()


async def test_a_refusal_is_told_at_once_in_the_servers_words(client, site, file):
    site.refuse_create = UploadRefused(422, "nobody offered this segment")
    with pytest.raises(UploadRefused, match="nobody offered this segment") as told:
        await client.upload(file, {})
    assert told.value.status == 422


async def test_a_wrong_whole_file_hash_is_a_refusal(client, site, file):
    with pytest.raises(UploadRefused, match="not the promised one"):
        await client.upload(file, {"sha256": hashlib.sha256(b"other").hexdigest()})
    assert not (site.root / "accepted").exists()


async def test_a_server_that_stumbles_at_the_end_is_asked_again(client, site, file):
    site.fail_complete = RuntimeError("pulled plug")
    url = await client.upload(file, {})
    assert site.accepted(url) == file.read_bytes()
    assert len(site.completed) == 1


async def test_it_gives_up_after_its_attempts_with_growing_pauses(http, file, unused_tcp_port):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    client = TusClient(
        http,
        f"http://127.0.0.1:{unused_tcp_port}/files",
        {},
        attempts=5,
        pause_s=1.0,
        longest_pause_s=3.0,
        sleep=sleep,
        chance=lambda: 0.5,
    )
    with pytest.raises(UploadFailed, match=r"segment\.mp4 could not be sent in 5 attempts"):
        await client.upload(file, {})
    assert pauses == [0.75, 1.5, 2.25, 2.25]


async def test_a_missing_file_is_an_oserror(client, tmp_path):
    with pytest.raises(FileNotFoundError):
        await client.upload(tmp_path / "none", {})


async def test_the_token_is_not_carried_to_another_host(http, site, file, no_pause):
    async def elsewhere(request):
        await request.content.read()
        return aiohttp.web.Response(status=201, headers={"Location": "http://elsewhere.invalid/files/1"})

    app = aiohttp.web.Application()
    app.router.add_post("/files", elsewhere)
    server = aiohttp.test_utils.TestServer(app)
    await server.start_server()
    with pytest.raises(UploadFailed, match="another host"):
        await TusClient(http, str(server.make_url("/files")), {}, sleep=no_pause).upload(file, {})
    await server.close()


async def test_a_server_without_creation_with_upload_gets_the_bytes_afterwards(http, site, file, no_pause):
    async def plain(request):
        if request.method != "POST":
            return await site.answer(request)
        await request.content.read()
        headers = {name: request.headers[name] for name in ("Tus-Resumable", "Upload-Length")}
        answer = await site.protocol.handle(TusRequest("POST", "", headers))
        return aiohttp.web.Response(status=answer.status, headers=answer.headers)

    app = aiohttp.web.Application()
    app.router.add_route("*", "/files", plain)
    app.router.add_route("*", "/files/{tail}", plain)
    server = aiohttp.test_utils.TestServer(app)
    await server.start_server()
    url = await TusClient(http, str(server.make_url("/files")), {}, sleep=no_pause).upload(file, {})
    assert site.accepted(url) == file.read_bytes()
    await server.close()


@pytest.mark.parametrize("offset", ["", "-1", "99999999", "x"])
async def test_an_impossible_offset_is_told(http, file, offset):
    async def odd(request):
        await request.content.read()
        return aiohttp.web.Response(status=201, headers={"Location": "/files/1", "Upload-Offset": offset})

    app = aiohttp.web.Application()
    app.router.add_post("/files", odd)
    server = aiohttp.test_utils.TestServer(app)
    await server.start_server()
    with pytest.raises(UploadFailed, match="impossible offset"):
        await TusClient(http, str(server.make_url("/files")), {}).upload(file, {})
    await server.close()


async def test_a_file_that_shrinks_meanwhile_is_told(client, file):
    def shrink(_sent, _total):
        file.write_bytes(b"short")

    with pytest.raises(UploadFailed, match="became shorter"):
        await client.upload(file, {}, progress=shrink)


async def serving(handler) -> aiohttp.test_utils.TestServer:
    app = aiohttp.web.Application()
    app.router.add_route("*", "/files", handler)
    app.router.add_route("*", "/files/{tail}", handler)
    server = aiohttp.test_utils.TestServer(app)
    await server.start_server()
    return server


@pytest.mark.parametrize("status", [200, 302, 400, 404, 410])
async def test_a_stranger_in_the_servers_place_is_no_reason_to_begin_anew(http, site, file, client, no_pause, status):
    url = await begun(client, site, file)

    async def sign_in(_request):
        return aiohttp.web.Response(status=status, text="<html>sign in</html>", content_type="text/html")

    portal = await serving(sign_in)
    created = []
    there = TusClient(http, str(portal.make_url("/files")), {}, attempts=2, sleep=no_pause)
    with pytest.raises(UploadFailed) as told:
        await there.upload(
            file, {}, resume_url=str(portal.make_url("/files/" + url.rsplit("/", 1)[1])), on_created=created.append
        )
    await portal.close()
    assert not isinstance(told.value, UploadGone)
    assert created == []
    assert await client.upload(file, {}, resume_url=url) == url


async def begun(client, site, file) -> str:
    class Pulled(Exception):
        pass

    def pull(sent, _total):
        if sent:
            raise Pulled

    urls = []
    with pytest.raises(Pulled):
        await client.upload(file, {}, on_created=urls.append, progress=pull)
    return urls[0]


async def test_an_address_that_is_none_is_told(http, file):
    async def odd(request):
        await request.content.read()
        return aiohttp.web.Response(status=201, headers={"Location": "http://[bent/files/1"})

    server = await serving(odd)
    with pytest.raises(UploadFailed, match="impossible address"):
        await TusClient(http, str(server.make_url("/files")), {}).upload(file, {})
    await server.close()


@pytest.mark.parametrize("takes", [True, False])
async def test_a_server_that_falls_silent_is_given_up(http, tmp_path, no_pause, takes):
    (tmp_path / "large").write_bytes(bytes(32 << 20))
    ended = asyncio.Event()

    async def silent(request):
        if takes:
            await request.content.read()
        await ended.wait()
        return aiohttp.web.Response()

    server = await serving(silent)
    client = TusClient(
        http, str(server.make_url("/files")), {}, chunk_bytes=32 << 20, attempts=2, silence_s=0.2, sleep=no_pause
    )
    async with asyncio.timeout(20):
        with pytest.raises(UploadFailed, match="in 2 attempts: TimeoutError"):
            await client.upload(tmp_path / "large", {})
    ended.set()
    await server.close()


async def test_to_wait_for_ones_own_turn_is_not_the_servers_silence(http, site, file, monkeypatch):
    honest, bounds, paced = asyncio.timeout, [], []

    def timeout(delay):
        bounds.append(honest(delay))
        return bounds[-1]

    async def pace(size):
        assert bounds[-1].when() is None
        paced.append(size)

    client = TusClient(http, site.url, {}, pace=pace)
    small = file.with_name("small")
    small.write_bytes(file.read_bytes()[: 200 << 10])
    monkeypatch.setattr("wire.tus.client.asyncio.timeout", timeout)
    url = await client.upload(small, {})
    assert site.accepted(url) == small.read_bytes()
    assert paced == [64 << 10] * 3 + [8 << 10]
    assert bounds[-1].when() is not None
