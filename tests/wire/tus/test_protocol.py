"""protocol.md of tus 1.0.0 as a table of cases, asked of a real aiohttp server."""

import base64
import hashlib

import pytest

from wire.tus.errors import UploadRefused

TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = {**TUS, "Content-Type": "application/offset+octet-stream"}


async def create(http, site, length=10, body=None, **headers):
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    base = CHUNK if body is not None else TUS
    async with http.post(site.url, headers={**base, "Upload-Length": str(length), **more}, data=body) as answer:
        assert answer.status == 201, await answer.text()
        return site.url.rsplit("/", 1)[0] + answer.headers["Location"]


async def head(http, url, **headers):
    async with http.head(url, headers={**TUS, **headers}) as answer:
        return answer.status, answer.headers


async def patch(http, url, offset, body, **headers):
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.patch(url, headers={**CHUNK, "Upload-Offset": str(offset), **more}, data=body) as answer:
        return answer.status, answer.headers


def sha1(data):
    return "sha1 " + base64.b64encode(hashlib.sha1(data).digest()).decode()


async def test_options_tells_the_abilities_without_a_version(http, site):
    async with http.options(site.url) as answer:
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Max-Size"] == str(256 << 20)
        assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")
        assert {"creation", "creation-with-upload", "checksum", "termination", "expiration", "concatenation"} <= set(
            answer.headers["Tus-Extension"].split(",")
        )


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1"])
async def test_another_version_is_answered_412_with_ours(http, site, version):
    headers = {"Upload-Length": "5", **({"Tus-Resumable": version} if version else {})}
    async with http.post(site.url, headers=headers) as answer:
        assert answer.status == 412
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "0"}, 201),
        ({"Upload-Length": "5"}, 201),
        ({"Upload-Defer-Length": "1"}, 201),
        ({}, 400),
        ({"Upload-Length": "5", "Upload-Defer-Length": "1"}, 400),
        ({"Upload-Defer-Length": "2"}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "5.0"}, 400),
        ({"Upload-Length": "٥".encode().decode("latin-1")}, 400),
        ({"Upload-Length": str((256 << 20) + 1)}, 413),
        ({"Upload-Length": str(256 << 20)}, 201),
        ({"Upload-Length": "5", "Upload-Metadata": "name d29ybGQ=,flag"}, 201),
        ({"Upload-Length": "5", "Upload-Metadata": ""}, 201),
        ({"Upload-Length": "5", "Upload-Metadata": "name d29ybGQ=,name d29ybGQ="}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "name !!"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "name /w=="}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": ",name d29ybGQ="}, 400),
        ({"Upload-Length": "5", "Upload-Concat": "partial"}, 201),
        ({"Upload-Length": "5", "Upload-Concat": "whole"}, 400),
        ({"Upload-Concat": "final;"}, 400),
        ({"Upload-Concat": "final;/files/00000000000000000000000000000000"}, 404),
    ],
)
async def test_creation(http, site, headers, status):
    async with http.post(site.url, headers={**TUS, **headers}) as answer:
        assert answer.status == status, await answer.text()
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert ("Location" in answer.headers) == (status == 201)
        if status >= 400:
            assert len(await answer.text()) > 10


async def test_a_new_upload_stands_at_zero_and_keeps_its_metadata(http, site):
    url = await create(http, site, 10, Upload_Metadata="name d29ybGQ=,flag")
    status, headers = await head(http, url)
    assert status == 200
    assert (headers["Upload-Offset"], headers["Upload-Length"]) == ("0", "10")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Upload-Metadata"] == "name d29ybGQ=,flag"
    assert headers["Upload-Expires"].endswith("GMT")
    assert site.created == [({"name": "world", "flag": ""}, 10, "")]


async def test_ids_are_random_and_not_the_clients(http, site):
    urls = {await create(http, site, 1, Upload_Metadata="filename Li4vLi4vZXRj") for _ in range(5)}
    assert len(urls) == 5
    assert all(len(url.rsplit("/", 1)[1]) == 32 for url in urls)
    assert not list(site.root.glob("**/etc*"))


@pytest.mark.parametrize("tail", ["0" * 32, "..", "%2e%2e%2fsecret", "x", "A" * 32])
@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
async def test_an_unknown_upload_is_404(http, site, method, tail):
    headers = {**CHUNK, "Upload-Offset": "0"}
    async with http.request(method, f"{site.url}/{tail}", headers=headers) as answer:
        assert answer.status == 404


async def test_bytes_arrive_in_pieces_and_the_hook_runs_once(http, site):
    url = await create(http, site, 10)
    status, headers = await patch(http, url, 0, b"01234")
    assert (status, headers["Upload-Offset"]) == (204, "5")
    assert site.completed == []
    status, headers = await patch(http, url, 5, b"56789")
    assert (status, headers["Upload-Offset"]) == (204, "10")
    assert site.accepted(url) == b"0123456789"
    assert (await head(http, url))[1]["Upload-Offset"] == "10"
    assert len(site.completed) == 1
    assert not list(site.store.root.glob("*.data")), "the store must let go of accepted bytes"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/octet-stream", "Upload-Offset": "3"}, 415),
        ({"Upload-Offset": "2"}, 409),
        ({"Upload-Offset": "4"}, 409),
        ({}, 400),
        ({"Upload-Offset": "three"}, 400),
        ({"Upload-Offset": "3", "Upload-Length": "11"}, 400),
        ({"Upload-Offset": "3", "Upload-Checksum": "crc32 AAAAAA=="}, 400),
        ({"Upload-Offset": "3", "Upload-Checksum": "sha1 AAAA"}, 400),
        ({"Upload-Offset": "3", "Upload-Checksum": "sha1 ***"}, 400),
        ({"Upload-Offset": "3", "Upload-Checksum": sha1(b"345x")}, 460),
        ({"Upload-Offset": "3", "Upload-Checksum": sha1(b"3456")}, 204),
        ({"Upload-Offset": "3"}, 204),
    ],
)
async def test_patch(http, site, headers, status):
    url = await create(http, site, 10, b"012")
    async with http.patch(url, headers={**CHUNK, **headers}, data=b"3456") as answer:
        assert answer.status == status, await answer.text()
    stands = "7" if status == 204 else "3"
    assert (await head(http, url))[1]["Upload-Offset"] == stands


@pytest.mark.parametrize("chunked", [False, True])
async def test_bytes_beyond_the_length_are_refused_whole(http, site, chunked):
    url = await create(http, site, 10, b"012")

    async def body():
        yield b"3456"
        yield b"789too much"

    status, _ = await patch(http, url, 3, body() if chunked else b"3456789too much")
    assert status == 413
    assert (await head(http, url))[1]["Upload-Offset"] == "3"
    assert site.completed == []


async def test_creation_with_upload_finishes_in_one_request(http, site):
    url = await create(http, site, 10, b"0123456789", Upload_Checksum=sha1(b"0123456789"))
    assert site.accepted(url) == b"0123456789"


async def test_creation_with_a_damaged_chunk_leaves_nothing(http, site):
    headers = {**CHUNK, "Upload-Length": "10", "Upload-Checksum": sha1(b"0123456789")}
    async with http.post(site.url, headers=headers, data=b"x123456789") as answer:
        assert answer.status == 460
    assert not list(site.store.root.iterdir())


async def test_creation_with_a_body_of_another_type_is_415(http, site):
    async with http.post(site.url, headers={**TUS, "Upload-Length": "3"}, data=b"012") as answer:
        assert answer.status == 415
    assert not list(site.store.root.iterdir())


async def test_an_empty_file_is_whole_at_once(http, site):
    url = await create(http, site, 0)
    assert site.accepted(url) == b""


async def test_a_deferred_length_is_learned_once(http, site):
    async with http.post(site.url, headers={**TUS, "Upload-Defer-Length": "1"}) as answer:
        url = site.url.rsplit("/", 1)[0] + answer.headers["Location"]
    assert (await head(http, url))[1]["Upload-Defer-Length"] == "1"
    assert (await patch(http, url, 0, b"01234"))[0] == 204
    assert (await patch(http, url, 5, b"567", Upload_Length="4"))[0] == 400
    assert (await patch(http, url, 5, b"567", Upload_Length="8"))[0] == 204
    assert site.accepted(url) == b"01234567"


async def test_termination_forgets_the_upload(http, site):
    url = await create(http, site, 10, b"012")
    async with http.delete(url, headers=TUS) as answer:
        assert answer.status == 204
    assert (await head(http, url))[0] == 404
    assert not list(site.store.root.iterdir())


async def test_the_method_can_travel_in_a_header(http, site):
    url = await create(http, site, 10)
    headers = {**CHUNK, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    async with http.post(url, headers=headers, data=b"0123") as answer:
        assert answer.status == 204
    async with http.post(url, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}) as answer:
        assert answer.status == 204


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("PATCH", ""), ("PUT", ""), ("GET", "/" + "0" * 32)])
async def test_another_method_is_405(http, site, method, tail):
    async with http.request(method, site.url + tail, headers=TUS) as answer:
        assert answer.status == 405
        assert "OPTIONS" in answer.headers["Allow"]


async def test_parts_are_concatenated_in_the_given_order(http, site):
    a = await create(http, site, 5, b"01234", Upload_Concat="partial")
    b = await create(http, site, 5, b"56789", Upload_Concat="partial")
    assert (await head(http, a))[1]["Upload-Concat"] == "partial"
    assert site.created == []
    assert site.completed == []
    final = {**TUS, "Upload-Concat": f"final;{b} {a.removeprefix('http://')}", "Upload-Metadata": "name d29ybGQ="}
    async with http.post(site.url, headers=final) as answer:
        assert answer.status == 201, await answer.text()
        url = site.url.rsplit("/", 1)[0] + answer.headers["Location"]
    assert site.accepted(url) == b"5678901234"
    assert site.created == [({"name": "world"}, 10, "")]
    headers = (await head(http, url))[1]
    assert (headers["Upload-Length"], headers["Upload-Offset"]) == ("10", "10")
    assert headers["Upload-Concat"].startswith("final;/files/")
    assert (await patch(http, url, 10, b"more"))[0] == 403


async def test_an_unfinished_part_cannot_be_concatenated(http, site):
    a = await create(http, site, 5, b"0123", Upload_Concat="partial")
    whole = await create(http, site, 1, b"0")
    for part in (a, whole):
        async with http.post(site.url, headers={**TUS, "Upload-Concat": f"final;{part}"}) as answer:
            assert answer.status == 400
    async with http.post(site.url, headers={**TUS, "Upload-Concat": f"final;{a}", "Upload-Length": "4"}) as answer:
        assert answer.status == 400


async def test_an_expired_upload_is_410_then_swept_to_404(http, site):
    url = await create(http, site, 10, b"012")
    kept = await create(http, site, 10, b"0123456789")
    site.now_ns += 3601 * 10**9
    fresh = await create(http, site, 10, b"0123")
    assert (await head(http, url))[0] == 410
    assert (await patch(http, url, 3, b"345"))[0] == 410
    assert await site.protocol.sweep() == 2
    assert (await head(http, url))[0] == 404
    assert (await head(http, fresh))[1]["Upload-Offset"] == "4"
    assert site.accepted(kept) == b"0123456789", "expiry must not touch an accepted file"


async def test_sending_puts_the_expiry_off(http, site):
    url = await create(http, site, 10, b"012")
    site.now_ns += 3000 * 10**9
    assert (await patch(http, url, 3, b"345"))[0] == 204
    site.now_ns += 3000 * 10**9
    assert (await head(http, url))[0] == 200


async def test_a_refusal_at_creation_reaches_the_client_in_words(http, site):
    site.refuse_create = UploadRefused(422, "nobody offered this segment")
    async with http.post(site.url, headers={**TUS, "Upload-Length": "3"}) as answer:
        assert (answer.status, await answer.text()) == (422, "nobody offered this segment")
    assert not list(site.store.root.iterdir())


async def test_a_refusal_at_completion_ends_the_upload(http, site):
    wrong = base64.b64encode(hashlib.sha256(b"other").hexdigest().encode()).decode()
    url = await create(http, site, 5, Upload_Metadata=f"sha256 {wrong}")
    async with http.patch(url, headers={**CHUNK, "Upload-Offset": "0"}, data=b"01234") as answer:
        assert (answer.status, await answer.text()) == (422, "the file is not the promised one")
    assert (await head(http, url))[0] == 404
    assert site.completed == []


async def test_a_completion_that_failed_is_caught_up_by_the_next_question(http, site):
    url = await create(http, site, 5)
    site.fail_complete = RuntimeError("pulled plug")
    assert (await patch(http, url, 0, b"01234"))[0] == 500
    site.restart()
    assert (await head(http, url))[1]["Upload-Offset"] == "5"
    assert site.accepted(url) == b"01234"
    assert len(site.completed) == 1


async def test_a_completion_that_failed_is_caught_up_at_the_start(http, site):
    url = await create(http, site, 5)
    site.fail_complete = RuntimeError("pulled plug")
    assert (await patch(http, url, 0, b"01234"))[0] == 500
    site.restart()
    await site.protocol.sweep()
    assert site.accepted(url) == b"01234"


async def test_an_upload_shows_itself_only_to_its_maker(http, site):
    url = await create(http, site, 5, X_Who="ann")
    assert (await head(http, url, **{"X-Who": "bob"}))[0] == 404
    assert (await patch(http, url, 0, b"01234", X_Who="bob"))[0] == 404
    assert (await patch(http, url, 0, b"01234", X_Who="ann"))[0] == 204
