"""The hand-over of segments over real HTTP, with the client that the nodes use."""

import asyncio
import base64
import random
import secrets

import msgspec
import pytest

from hub.errors import HubError, LedgerUnusable
from hub.ingest import Ingest, Ledger
from hub.ingest import ingest as ingest_module
from wire.hand_over import content_digest
from wire.message import encode
from wire.tracks import TracksHead
from wire.tus.errors import UploadFailed, UploadRefused
from wire.tus.store import UploadStore

BEARER = {"Authorization": "Bearer rig-token"}
TUS = {**BEARER, "Tus-Resumable": "1.0.0"}


def shelf_file(rig, segment, suffix):
    return rig.root / "data" / "segments" / segment.offer.key.path(suffix)


async def test_a_segment_walks_from_offer_to_confirmed(rig):
    segment = rig.segment(7, last=True)
    receipt = await rig.offer(segment.offer)
    assert (receipt.video_wanted, receipt.tracks_wanted) == (True, True)
    assert receipt.tracks_version == TracksHead.VERSION
    await rig.send(segment, "tracks")
    receipt = await rig.receipt(segment.offer.key)
    assert (receipt.video_wanted, receipt.tracks_wanted) == (True, False)
    assert rig.confirmed == []
    assert rig.ingest.shelf.held("match-1", "left") == frozenset()
    assert rig.ingest.shelf.stored("match-1", "left", 7) is None
    await rig.send(segment, "video")
    assert (await rig.receipt(segment.offer.key)).confirmed
    assert rig.confirmed == [(segment.offer.key, segment.offer)]
    assert shelf_file(rig, segment, ".mp4").read_bytes() == segment.video.read_bytes()
    assert shelf_file(rig, segment, ".tracks").read_bytes() == segment.tracks.read_bytes()
    stored = rig.ingest.shelf.stored("match-1", "left", 7)
    assert stored.video.read_bytes() == segment.video.read_bytes()
    assert rig.ingest.shelf.held("match-1", "left") == {7}
    assert rig.ingest.shelf.last("match-1", "left") == 7
    assert rig.ingest.shelf.end_ns("match-1", "left") == 16_000_000_000
    assert not list((rig.root / "data" / "uploads").glob("*.data"))


async def test_nodes_are_kept_apart(rig):
    await rig.hand_over(rig.segment(0, node="left"))
    await rig.hand_over(rig.segment(0, node="right", last=True))
    await rig.offer(rig.segment(3, node="middle").offer)
    assert rig.ingest.nodes("match-1") == {"left": None, "middle": None, "right": 0}
    assert rig.ingest.shelf.end_ns("match-1", "middle") == 0
    assert rig.ingest.shelf.last("another", "left") is None


async def test_an_offer_can_be_repeated_and_says_what_is_left(rig):
    segment = rig.segment()
    await rig.offer(segment.offer)
    await rig.send(segment, "video")
    again = await rig.offer(segment.offer)
    assert (again.video_wanted, again.tracks_wanted) == (False, True)
    await rig.send(segment, "tracks")
    assert (await rig.offer(segment.offer)).confirmed
    assert len(rig.confirmed) == 1


async def test_the_last_segment_may_be_named_afterwards(rig):
    segment = rig.segment(4)
    await rig.hand_over(segment)
    assert rig.ingest.shelf.last("match-1", "left") is None
    last = msgspec.structs.replace(segment.offer, last=True)
    assert (await rig.offer(last)).confirmed
    assert rig.ingest.shelf.last("match-1", "left") == 4
    assert [offer.last for _, offer in rig.confirmed] == [False, True]
    await rig.offer(last)
    await rig.offer(segment.offer)
    assert rig.ingest.shelf.last("match-1", "left") == 4
    assert len(rig.confirmed) == 2


async def test_the_same_segment_with_other_bytes_is_a_conflict(rig):
    segment = rig.segment()
    await rig.hand_over(segment)
    other = msgspec.structs.replace(segment.offer, video_sha256="0" * 64)
    status, text = await rig.post(encode(other))
    assert status == 409
    assert b"offered before with other bytes" in text
    assert (await rig.receipt(segment.offer.key)).confirmed


async def test_wrong_bytes_are_refused_and_right_ones_taken_afterwards(rig, tmp_path):
    segment = rig.segment()
    await rig.offer(segment.offer)
    wrong = tmp_path / "wrong"
    wrong.write_bytes(bytes(300_000))
    with pytest.raises(UploadRefused, match="does not have the SHA-256 that was offered") as refusal:
        await rig.send(segment, "video", wrong)
    assert refusal.value.status == 422
    assert not shelf_file(rig, segment, ".mp4").exists()
    assert (await rig.hand_over(segment)).confirmed
    assert shelf_file(rig, segment, ".mp4").read_bytes() == segment.video.read_bytes()


async def test_a_file_sent_twice_is_held_once(rig):
    segment = rig.segment()
    await rig.hand_over(segment)
    await rig.send(segment, "video")
    assert len(rig.confirmed) == 1
    assert shelf_file(rig, segment, ".mp4").read_bytes() == segment.video.read_bytes()


async def test_an_upload_that_nobody_offered_is_refused(rig):
    with pytest.raises(UploadRefused, match="nobody has offered segment match-1/left/00000000: offer it first"):
        await rig.send(rig.segment(), "video")


async def test_an_upload_of_another_length_is_refused(rig, tmp_path):
    segment = rig.segment()
    await rig.offer(segment.offer)
    (tmp_path / "short").write_bytes(bytes(10))
    with pytest.raises(UploadRefused, match="offered with 300000 bytes"):
        await rig.send(segment, "video", tmp_path / "short")


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"part": "sound"},
        {"session": "../../etc"},
        {"node": ""},
        {"sequence": "-1"},
        {"sequence": "٣"},
        {"sequence": "123456789"},
    ],
)
async def test_an_upload_needs_a_proper_name(rig, metadata, tmp_path):
    segment = rig.segment()
    await rig.offer(segment.offer)
    named = {"session": "match-1", "node": "left", "sequence": "0", "part": "video", **metadata} if metadata else {}
    with pytest.raises(UploadRefused) as refusal:
        await rig.client().upload(segment.video, named)
    assert refusal.value.status == 422


async def test_a_length_left_open_is_refused(rig, http):
    await rig.offer(rig.segment().offer)
    metadata = "session bWF0Y2gtMQ==,node bGVmdA==,sequence MA==,part dmlkZW8="
    headers = {**TUS, "Upload-Defer-Length": "1", "Upload-Metadata": metadata}
    async with http.post(f"{rig.url}/api/v1/uploads", headers=headers) as answer:
        assert answer.status == 422


@pytest.mark.parametrize(
    "change",
    [
        {"video_bytes": 0},
        {"tracks_bytes": -1},
        {"video_bytes": 1 << 31},
        {"video_sha256": "A" * 64},
        {"tracks_sha256": ""},
        {"start_ns": -1},
        {"end_ns": -1},
        {"end_ns": 1 << 63},
        {"frames": -1},
        {"clock_uncertainty_ns": 1 << 63},
        {"clock_offset_ns": 1 << 63},
        {"clock_offset_ns": -1 << 63},
    ],
)
async def test_an_impossible_offer_is_refused(rig, change):
    offer = msgspec.structs.replace(rig.segment().offer, **change)
    assert (await rig.post(encode(offer)))[0] == 400


async def test_an_offer_from_before_the_clocks_offset_is_taken(rig):
    offer = rig.segment().offer
    envelope = msgspec.json.decode(encode(offer))
    del envelope["body"]["clock_offset_ns"]
    assert (await rig.post(msgspec.json.encode(envelope)))[0] == 200
    assert (await rig.receipt(offer.key)).video_wanted


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"kind":"rig","version":1,"body":{}}'])
async def test_what_is_no_offer_is_refused(rig, body):
    assert (await rig.post(body))[0] == 400


@pytest.mark.parametrize(("digit", "bent"), [(b'"sequence":7', b'"sequence":8'), (b'"frames":50', b'"frames":51')])
async def test_an_offer_bent_on_the_way_is_not_believed(rig, digit, bent):
    whole = encode(rig.segment(7).offer)
    assert whole.count(digit) == 1
    status, _ = await rig.post(whole.replace(digit, bent), content_digest(whole))
    assert (status, rig.ingest.nodes("match-1")) == (460, {})


async def test_an_offer_without_its_digest_is_not_believed(rig, http):
    offer = encode(rig.segment().offer)
    async with http.post(f"{rig.url}/api/v1/segments", data=offer, headers=BEARER) as answer:
        assert (answer.status, await answer.text()) == (460, "the offer does not fit its Content-Digest: send it again")
    assert rig.ingest.nodes("match-1") == {}


@pytest.mark.parametrize("path", ["match-1/left/0", "Match/left/0", "match-1/left/x", "match-1/left/123456789"])
async def test_a_receipt_of_an_unknown_segment_is_404(rig, http, path):
    async with http.get(f"{rig.url}/api/v1/segments/{path}", headers=BEARER) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wröng"}, {"Authorization": "rig-token"}]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/segments"),
        ("GET", "/api/v1/segments/match-1/left/0"),
        ("POST", "/api/v1/uploads"),
        ("OPTIONS", "/api/v1/uploads"),
        ("HEAD", "/api/v1/uploads/" + "0" * 32),
        ("PATCH", "/api/v1/uploads/" + "0" * 32),
        ("DELETE", "/api/v1/uploads/" + "0" * 32),
    ],
)
async def test_without_the_token_nothing_answers(rig, http, method, path, headers):
    async with http.request(method, rig.url + path, headers={"Tus-Resumable": "1.0.0", **headers}) as answer:
        assert answer.status == 401


def test_an_empty_token_keeps_the_hub_from_starting(tmp_path):
    async def nothing(*_):
        pass

    with pytest.raises(HubError, match="token"):
        Ingest(tmp_path, "", lambda: 0, nothing)


def test_a_broken_ledger_is_told_in_a_sentence(tmp_path):
    async def nothing(*_):
        pass

    (tmp_path / "ledger.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(LedgerUnusable, match="cannot be used"):
        Ingest(tmp_path, "t", lambda: 0, nothing)


async def test_abandoned_uploads_are_swept(rig, http, clock):
    segment = rig.segment()
    await rig.offer(segment.offer)
    metadata = "session bWF0Y2gtMQ==,node bGVmdA==,sequence MA==,part dmlkZW8="
    headers = {**TUS, "Upload-Length": "300000", "Upload-Metadata": metadata}
    async with http.post(f"{rig.url}/api/v1/uploads", headers=headers) as answer:
        assert answer.status == 201
    assert len(list((rig.root / "data" / "uploads").iterdir())) == 2
    clock.time_ns += 2 * 86_400 * 10**9
    assert (await rig.hand_over(segment)).confirmed
    assert not list((rig.root / "data" / "uploads").glob("*.data"))


async def test_what_was_begun_for_a_file_that_came_by_another_upload_is_swept(rig, http, clock):
    segment, other = rig.segment(0), rig.segment(1)
    for offered in (segment, other):
        await rig.offer(offered.offer)
    left_over = []
    for number in (b"0", b"1"):
        name = f"session bWF0Y2gtMQ==,node bGVmdA==,sequence {base64.b64encode(number).decode()},part dmlkZW8="
        headers = {**TUS, "Upload-Length": "300000", "Upload-Metadata": name}
        async with http.post(f"{rig.url}/api/v1/uploads", headers=headers) as answer:
            left_over.append(answer.headers["Location"])
    await rig.hand_over(segment)
    clock.time_ns += 3601 * 10**9
    found = []
    for location in left_over:
        async with http.head(rig.url + location, headers=TUS) as answer:
            found.append(answer.status)
    assert found == [404, 200], "what is still wanted must stay"


async def test_a_dropped_line_keeps_what_arrived(rig):
    segment = rig.segment(size=4 << 20)
    await rig.offer(segment.offer)
    host, port = rig.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    metadata = "session bWF0Y2gtMQ==,node bGVmdA==,sequence MA==,part dmlkZW8="
    head = (
        f"POST /api/v1/uploads HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer rig-token\r\nTus-Resumable: 1.0.0\r\n"
        f"Upload-Length: {4 << 20}\r\nUpload-Metadata: {metadata}\r\n"
    )
    writer.write((head + "\r\n").encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    location = next(line.split(": ")[1] for line in answer.splitlines() if line.startswith("Location"))
    writer.write(
        f"PATCH {location} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer rig-token\r\nTus-Resumable: 1.0.0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: 4194304\r\n\r\n".encode()
        + segment.video.read_bytes()[: 3 << 20]
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    steps = []
    async with asyncio.timeout(5):
        await rig.client().upload(
            segment.video, {}, resume_url=rig.url + location, progress=lambda sent, _: steps.append(sent)
        )
    assert steps[0] > 0
    assert not (await rig.receipt(segment.offer.key)).video_wanted


class Cut(Exception):
    """The power, at one exact step."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", ["publish", "hold", "complete"])
async def test_a_cut_at_any_step_of_the_acceptance_is_made_good(rig, clock, monkeypatch, step, after):
    holder, name = {
        "publish": (ingest_module, "publish"),
        "hold": (Ledger, "hold"),
        "complete": (UploadStore, "complete"),
    }[step]
    real = getattr(holder, name)

    def cut(*arguments):
        if after:
            real(*arguments)
        raise Cut

    segment = rig.segment()
    await rig.offer(segment.offer)
    await rig.send(segment, "tracks")
    with monkeypatch.context() as patch:
        patch.setattr(holder, name, cut)
        with pytest.raises(UploadFailed):
            await rig.send(segment, "video", attempts=2)

    async def on_confirmed(key, offer):
        rig.confirmed.append((key, offer))

    restarted = Ingest(rig.root / "data", "rig-token", clock.now_ns, on_confirmed)
    try:
        await restarted.sweep()
        assert (await restarted.receipt(segment.offer.key)).confirmed
        assert restarted.shelf.held("match-1", "left") == {0}
        assert [key for key, _ in rig.confirmed] in ([segment.offer.key], [])
        assert bool(rig.confirmed) != (step == "hold" and after), "only a cut right after the row may swallow the call"
        assert shelf_file(rig, segment, ".mp4").read_bytes() == segment.video.read_bytes()
        assert not list((rig.root / "data" / "uploads").glob("*.data"))
    finally:
        restarted.close()


@pytest.mark.slow
async def test_a_hub_killed_at_any_moment_loses_nothing_and_takes_nothing_twice(process, rig_of_process):
    rig = rig_of_process
    segments = [rig.segment(number, size=3 << 20, last=number == 4) for number in range(5)]
    chance = random.Random(secrets.randbits(32))
    kills = 0

    async def node():
        for segment in segments:
            receipt = None
            urls = {}
            while receipt is None or not receipt.confirmed:
                try:
                    receipt = await rig.offer(segment.offer)
                    for part in ("video", "tracks"):
                        metadata = {"session": "match-1", "node": "left", "sequence": str(segment.offer.key.sequence)}
                        if getattr(receipt, f"{part}_wanted"):
                            await rig.client(chunk_bytes=1 << 20).upload(
                                segment.file(part),
                                {**metadata, "part": part},
                                resume_url=urls.get(part),
                                on_created=lambda url, part=part, urls=urls: urls.__setitem__(part, url),
                                progress=lambda *_: moved.set(),
                            )
                    receipt = await rig.receipt(segment.offer.key)
                except (UploadFailed, OSError):
                    await alive.wait()

    moved, alive = asyncio.Event(), asyncio.Event()
    alive.set()
    handing = asyncio.create_task(node())
    while not handing.done() and kills < 3:
        for _ in range(chance.randrange(1, 6)):
            moved.clear()
            waiting = asyncio.create_task(moved.wait())
            await asyncio.wait((waiting, handing), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        if handing.done():
            break
        alive.clear()
        await process.kill()
        kills += 1
        await process.start()
        alive.set()
    await handing
    assert kills >= 2
    for segment in segments:
        for suffix, part in ((".mp4", "video"), (".tracks", "tracks")):
            assert shelf_file(rig, segment, suffix).read_bytes() == segment.file(part).read_bytes()
    files = [path for path in (process.data / "segments").rglob("*") if path.is_file()]
    assert len(files) == 10
    told = process.told.read_text().split()
    assert len(told) == len(set(told)), "a segment must not be confirmed twice"
