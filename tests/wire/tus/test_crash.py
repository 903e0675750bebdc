"""Lines that drop and bend bytes, servers that are killed: what was acknowledged stays, what is accepted is right."""

import asyncio
import hashlib
import random
import secrets

import pytest

from wire.tus import store as store_module
from wire.tus.client import TusClient
from wire.tus.protocol import TusRequest

MIB = 1 << 20
TUS = {"Tus-Resumable": "1.0.0"}


def file_of(tmp_path, size):
    path = tmp_path / "segment.mp4"
    path.write_bytes(random.Random(size).randbytes(size))
    return path


@pytest.mark.parametrize("checksum", [None, "sha256"])
async def test_a_line_that_drops_costs_nothing_but_time(http, site, bad_line, no_pause, checksum):
    file = file_of(site.root, 12 * MIB)

    async def cut(_block):
        return None

    chance = random.Random(7)
    bad_line.faults = {chance.randrange(20_000, 14 * MIB): cut for _ in range(6)}
    client = TusClient(http, bad_line.url, {}, checksum=checksum, chunk_bytes=2 * MIB, sleep=no_pause)
    url = await client.upload(file, {})
    assert bad_line.hit >= 5
    assert site.accepted(url) == file.read_bytes()


async def test_bent_bytes_are_sent_again(http, site, bad_line, tmp_path, no_pause):
    file = file_of(tmp_path, 12 * MIB)

    async def bend(block):
        middle = len(block) // 2
        return block[:middle] + bytes([block[middle] ^ 4]) + block[middle + 1 :]

    # Well inside a chunk's body, so that no header is hit.
    bad_line.faults = {at * 2 * MIB + MIB: bend for at in (0, 2, 5)}
    client = TusClient(http, bad_line.url, {}, checksum="sha1", chunk_bytes=2 * MIB, sleep=no_pause)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    url = await client.upload(file, {"sha256": digest})
    assert bad_line.hit == 3
    assert site.accepted(url) == file.read_bytes()
    assert len(site.created) == 1, "a bent chunk must not cost the whole upload"


async def test_a_new_request_takes_the_upload_over_from_a_dead_line(http, site):
    async with http.post(site.url, headers={**TUS, "Upload-Length": "10"}) as answer:
        url = str(answer.url.join(answer.url.with_path(answer.headers["Location"])))
    arrived = asyncio.Event()

    async def stuck():
        yield b"01234"
        arrived.set()
        await asyncio.Event().wait()

    headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    request = TusRequest("PATCH", url.rsplit("/", 1)[1], headers, stuck())
    dead = asyncio.create_task(site.protocol.handle(request))
    await arrived.wait()
    async with asyncio.timeout(5), http.head(url, headers=TUS) as answer:
        assert answer.headers["Upload-Offset"] == "5"
    assert (await dead).status == 409


async def test_a_body_that_brings_nothing_is_given_up(site):
    site.protocol._idle_s = 0.01

    async def stuck():
        yield b"01234"
        await asyncio.Event().wait()

    headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Length": "10"}
    answer = await asyncio.wait_for(site.protocol.handle(TusRequest("POST", "", headers, stuck())), 5)
    assert answer.headers["Upload-Offset"] == "5"


async def test_a_request_that_cannot_get_its_turn_is_told_to_come_again(http, site):
    async with http.post(site.url, headers={**TUS, "Upload-Length": "10"}) as answer:
        url = str(answer.url.with_path(answer.headers["Location"]))
    site.protocol._lock_wait_s = 0.01
    async with site.protocol._locks.hold(url.rsplit("/", 1)[1], 1), http.head(url, headers=TUS) as answer:
        assert answer.status == 423
    async with http.head(url, headers=TUS) as answer:
        assert answer.status == 200


async def test_another_process_at_the_same_upload_is_kept_out(site):
    record = site.store.create(10, {}, "")
    with site.store.open(record.id):
        answer = await site.protocol.handle(TusRequest("HEAD", record.id, TUS))
    assert answer.status == 423


async def test_two_clients_on_one_upload_end_with_one_right_file(http, site, tmp_path):
    file = file_of(tmp_path, 6 * MIB)
    async with http.post(site.url, headers={**TUS, "Upload-Length": str(6 * MIB)}) as answer:
        url = str(answer.url.with_path(answer.headers["Location"]))
    clients = [
        TusClient(http, site.url, {}, chunk_bytes=MIB, attempts=100, pause_s=0.01, longest_pause_s=0.05) for _ in "ab"
    ]
    async with asyncio.timeout(60):
        urls = await asyncio.gather(*(client.upload(file, {}, resume_url=url) for client in clients))
    assert set(urls) == {url}
    assert site.accepted(url) == file.read_bytes()
    assert len(site.completed) == 1


async def test_a_cancelled_request_keeps_what_arrived_and_leaves_no_writer_behind(site):
    record = site.store.create(10, {}, "")
    arrived = asyncio.Event()

    async def body():
        yield b"01234"
        arrived.set()
        await asyncio.Event().wait()

    headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    task = asyncio.create_task(site.protocol.handle(TusRequest("PATCH", record.id, headers, body())))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answer = await site.protocol.handle(TusRequest("HEAD", record.id, TUS))
    assert (answer.status, answer.headers["Upload-Offset"]) == (200, "5")


async def test_no_offset_is_told_before_its_bytes_are_durable(site, monkeypatch):
    durable: dict[int, int] = {}
    real_sync, real_write = store_module.os.fdatasync, store_module.os.pwrite
    worst = 0

    def sync(fd):
        real_sync(fd)
        durable[store_module.os.fstat(fd).st_ino] = store_module.os.fstat(fd).st_size

    def write(fd, data, at):
        nonlocal worst
        done = real_write(fd, data, at)
        worst = max(worst, at + done - durable.get(store_module.os.fstat(fd).st_ino, 0))
        return done

    monkeypatch.setattr(store_module.os, "fdatasync", sync)
    monkeypatch.setattr(store_module.os, "pwrite", write)
    size = 80 * MIB
    record = site.store.create(size + 1, {}, "")
    inode = site.store.root.joinpath(f"{record.id}.data").stat().st_ino

    async def body():
        for _ in range(size // MIB):
            yield bytes(MIB)

    headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    answer = await site.protocol.handle(TusRequest("PATCH", record.id, headers, body()))
    assert answer.headers["Upload-Offset"] == str(size)
    assert durable[inode] == size
    assert 16 * MIB < worst <= 33 * MIB
    durable.clear()
    answer = await site.protocol.handle(TusRequest("HEAD", record.id, TUS))
    assert answer.headers["Upload-Offset"] == str(size)
    assert durable[inode] == size, "a HEAD after a restart must not trust what is only in memory"


async def test_a_full_disk_is_told_and_keeps_what_was_written(site, monkeypatch):
    record = site.store.create(10, {}, "")

    def full(*_):
        raise OSError(28, "No space left on device")

    async def body():
        yield b"01234"

    headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    with monkeypatch.context() as patch:
        patch.setattr(store_module.os, "pwrite", full)
        answer = await site.protocol.handle(TusRequest("PATCH", record.id, headers, body()))
        assert (answer.status, b"disk is full" in answer.body) == (507, True)
    answer = await site.protocol.handle(TusRequest("PATCH", record.id, headers, body()))
    assert answer.headers["Upload-Offset"] == "5"


@pytest.mark.slow
@pytest.mark.parametrize("checksum", [None, "sha256"])
async def test_a_server_killed_at_random_bytes_ends_with_the_right_file(
    http, process, line_to_process, no_pause, checksum
):
    file = file_of(process.root, 64 * MIB)
    chance = random.Random(secrets.randbits(32))

    async def kill(_block):
        await process.kill_and_start()

    line_to_process.faults = {chance.randrange(1, 64 * MIB): kill for _ in range(4)}
    print("killed at bytes", sorted(line_to_process.faults))
    steps = []
    client = TusClient(http, line_to_process.url, {}, checksum=checksum, sleep=no_pause)
    digest = await asyncio.to_thread(lambda: hashlib.sha256(file.read_bytes()).hexdigest())
    url = await client.upload(file, {"sha256": digest}, progress=lambda sent, _: steps.append(sent))
    assert process.kills >= 3
    assert steps == sorted(steps), "an acknowledged offset must never decrease"
    assert hashlib.sha256(process.accepted(url)).hexdigest() == digest
