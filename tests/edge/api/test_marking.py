"""Bookmarks over HTTP: durable, in order, and only of what was recorded."""

import asyncio

import msgspec
import pytest

from edge.ledger import Ledger
from edge.record.manifest import SessionManifest
from edge.record.shelf import MANIFEST
from firmware.panel.signals import MARKED
from wire.marks import Mark, MarkRequest
from wire.message import decode, encode
from wire.session import StartRecording

AUTHORISED = {"Authorization": "Bearer open-sesame"}


def mark(client, **asked):
    return client.post("/api/v1/mark", data=encode(MarkRequest(**asked)), headers=AUTHORISED)


async def marks(client, session="s1") -> list[Mark]:
    answer = await client.get(f"/api/v1/sessions/{session}/marks", headers=AUTHORISED)
    return msgspec.json.decode(await answer.read(), type=list[Mark])


@pytest.fixture
async def recording(make_client, video, make_eyes, zero_ns):
    """A client of a node that records session `s1` until `finish` is called."""
    eyes = make_eyes(blocks_at=5)
    client = await make_client(f"file:{video}", eyes)
    order = StartRecording(session="s1", start_ns=zero_ns)
    assert (await client.post("/api/v1/record/start", data=encode(order), headers=AUTHORISED)).status == 200

    async def finish():
        eyes.released.set()
        assert (await client.post("/api/v1/record/stop", headers=AUTHORISED)).status == 200

    client.finish = finish
    yield client
    eyes.released.set()


async def test_a_mark_that_overtakes_a_slow_start_is_kept(make_client, video, held_eyes, zero_ns):
    client = await make_client(f"file:{video}", eyes_for=held_eyes)
    order = StartRecording(session="s1", start_ns=zero_ns)
    starting = asyncio.create_task(client.post("/api/v1/record/start", data=encode(order), headers=AUTHORISED))
    assert await asyncio.to_thread(held_eyes.loading.wait, 20)
    marking = asyncio.create_task(mark(client))
    # An answer to a later question shows that the mark has arrived.
    await client.get("/api/v1/status")
    assert not marking.done()
    held_eyes.loaded.set()
    assert (await starting).status == 200
    assert decode(await (await marking).read(), Mark).session == "s1"
    assert len(await marks(client)) == 1


async def test_a_moment_is_marked_now_heard_and_durable_when_it_is_answered(recording, clock, panel, tmp_path):
    clock.ns += 7
    told = decode(await (await mark(recording, note="what a save")).read(), Mark)
    assert told == Mark(session="s1", node="left", time_ns=clock.ns, note="what a save")
    # Another process would find it now.
    kept = Ledger(tmp_path / "ledger.sqlite")
    assert kept.marks("s1") == [told]
    kept.close()
    assert panel.beeped[-1] == MARKED


async def test_marks_are_listed_in_the_order_of_their_time_and_one_of_the_same_time_is_replaced(recording, zero_ns):
    for ns, note in ((9, "late"), (3, "early"), (9, "later")):
        assert (await mark(recording, time_ns=zero_ns + ns, note=note)).status == 200
    assert [(told.time_ns - zero_ns, told.note) for told in await marks(recording)] == [(3, "early"), (9, "later")]
    assert await marks(recording, "s2") == []


async def test_a_mark_before_the_sessions_zero_is_its_first_moment_when_it_is_now_and_none_when_it_is_not(
    recording, clock, zero_ns
):
    clock.ns -= 5
    assert decode(await (await mark(recording)).read(), Mark).time_ns == zero_ns
    assert (await mark(recording, time_ns=zero_ns - 1)).status == 400


async def test_a_finished_session_is_marked_by_name_and_within_its_time(recording, tmp_path, zero_ns):
    await mark(recording, time_ns=zero_ns + 1)
    await recording.finish()
    assert (await mark(recording, time_ns=zero_ns + 2)).status == 409
    assert (await mark(recording, time_ns=zero_ns + 2, session="s1")).status == 200
    assert (await mark(recording, time_ns=zero_ns + 3600 * 10**9, session="s1")).status == 400
    assert (await mark(recording, session="s2")).status == 404
    assert [told.time_ns - zero_ns for told in await marks(recording)] == [1, 2]
    manifest = decode((tmp_path / "sessions" / "s1" / MANIFEST).read_bytes(), SessionManifest)
    assert [told.time_ns - zero_ns for told in manifest.marks] == [1]


async def test_a_note_is_no_novel(recording):
    assert (await mark(recording, note="x" * 201)).status == 400
    assert await marks(recording) == []
