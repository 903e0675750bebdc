import asyncio

import cv2
import msgspec
import numpy as np
import pytest

from edge.cost import NodeCost
from edge.ledger import SessionRow
from wire.message import decode, encode
from wire.readiness import GateReport
from wire.session import NodeStatus, SegmentState, StartRecording

TOKEN = "open-sesame"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}


async def start(client, zero_ns, session="s1"):
    return await client.post(
        "/api/v1/record/start", data=encode(StartRecording(session=session, start_ns=zero_ns)), headers=AUTHORISED
    )


async def status(client) -> NodeStatus:
    return decode(await (await client.get("/api/v1/status")).read(), NodeStatus)


async def reached(client, condition) -> NodeStatus:
    async with asyncio.timeout(20):
        while not condition(now := await status(client)):  # noqa: ASYNC110 - another process would have to ask, too
            await asyncio.sleep(0.01)
    return now


async def ended(client) -> NodeStatus:
    return await reached(client, lambda now: now.recording is None)


async def test_status_is_told_to_anyone(client):
    told = await status(client)
    assert (told.node, told.recording, told.segments_waiting, told.fault) == ("left", None, 0, None)
    assert told.software.startswith("touchline ")


async def test_a_recording_runs_to_the_end_of_its_source(client, ledger, zero_ns):
    answer = await start(client, zero_ns)
    assert answer.status == 200
    told = decode(await answer.read(), NodeStatus)
    assert (told.recording, told.width_px, told.height_px, told.frames_per_second) == ("s1", 320, 180, 25)
    assert told.detector == "one-ball"
    after = await ended(client)
    assert (after.segments_waiting, after.fault) == (3, None)
    assert [row.offer.last for row in ledger.segments(SegmentState.CLOSED)] == [False, False, True]


async def test_a_second_start_is_refused_while_recording(make_client, video, make_eyes, zero_ns):
    eyes = make_eyes(blocks_at=5)
    client = await make_client(f"file:{video}", eyes)
    await start(client, zero_ns)
    answer = await start(client, zero_ns, "s2")
    assert answer.status == 409
    assert await answer.text() == "node left is already recording session s1"
    eyes.released.set()
    await ended(client)


async def test_a_session_id_is_not_used_twice(client, zero_ns):
    await start(client, zero_ns)
    await ended(client)
    answer = await start(client, zero_ns)
    assert answer.status == 409
    assert "give the next one a new id" in await answer.text()


async def test_stop_answers_when_the_last_segment_is_safe(make_client, virtual_camera, make_eyes, ledger, zero_ns):
    eyes = make_eyes(blocks_at=60)
    client = await make_client(f"virtual:{virtual_camera(125).path}", eyes)
    await start(client, zero_ns)
    await reached(client, lambda now: now.frames >= 60)
    eyes.released.set()
    answer = await client.post("/api/v1/record/stop", headers=AUTHORISED)
    assert decode(await answer.read(), NodeStatus).recording is None
    rows = ledger.segments()
    assert {row.state for row in rows} == {SegmentState.CLOSED}
    assert rows[-1].offer.last
    assert ledger.sessions()[0].finished


async def test_stop_overtaking_a_slow_start_leaves_nothing_recording(make_client, video, held_eyes, zero_ns, ledger):
    client = await make_client(f"file:{video}", eyes_for=held_eyes)
    starting = asyncio.create_task(start(client, zero_ns))
    assert await asyncio.to_thread(held_eyes.loading.wait, 20)
    assert (await status(client)).recording == "s1"
    stopping = asyncio.create_task(client.post("/api/v1/record/stop", headers=AUTHORISED))
    # An answer to a later question shows that the order to stop has arrived.
    await status(client)
    assert not stopping.done()
    held_eyes.loaded.set()
    assert (await starting).status == 200
    assert (await stopping).status == 200
    assert (await status(client)).recording is None
    assert ledger.sessions()[0].finished


async def test_stopping_what_does_not_run_is_refused(client):
    answer = await client.post("/api/v1/record/stop", headers=AUTHORISED)
    assert (answer.status, await answer.text()) == (409, "node left is not recording")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not a readable start-recording"),
        (b'{"kind":"node-status","version":1,"body":{}}', "expected a start-recording"),
        (b'{"kind":"start-recording","version":9,"body":{}}', "update it first"),
    ],
)
async def test_an_order_that_cannot_be_read_is_refused_in_words(client, body, words):
    answer = await client.post("/api/v1/record/start", data=body, headers=AUTHORISED)
    assert answer.status == 400
    assert words in await answer.text()


async def test_an_order_of_absurd_size_is_refused(client):
    answer = await client.post("/api/v1/record/start", data=b" " * 100_000, headers=AUTHORISED)
    assert answer.status == 413


async def test_a_session_id_that_is_a_path_is_refused(client, zero_ns):
    order = {"kind": "start-recording", "version": 1, "body": {"session": "../../outside", "start_ns": zero_ns}}
    answer = await client.post("/api/v1/record/start", json=order, headers=AUTHORISED)
    assert answer.status == 400
    assert "not a session id" in await answer.text()


async def test_a_camera_that_is_not_there_is_said(make_client, tmp_path, zero_ns, ledger):
    client = await make_client(f"virtual:{tmp_path}/none.sock")
    answer = await start(client, zero_ns)
    assert answer.status == 409
    [closed] = decode(await answer.read(), GateReport).closed
    assert closed.code == "camera"
    assert "no virtual camera answers" in closed.sentence
    assert ledger.sessions() == []
    assert (await status(client)).recording is None


async def test_preview_of_an_idle_node_opens_its_camera(client):
    answer = await client.get("/api/v1/preview.jpg", headers=AUTHORISED)
    assert answer.content_type == "image/jpeg"
    picture = cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (180, 320, 3)
    assert (await status(client)).width_px == 320


async def test_preview_of_a_recording_node_is_its_latest_frame(make_client, video, make_eyes, zero_ns, picture):
    eyes = make_eyes(blocks_at=5)
    client = await make_client(f"file:{video}", eyes)
    await start(client, zero_ns)
    # Five frames looked at, one in the eyes, two that wait; the camera holds the next one.
    frames = (await reached(client, lambda now: now.frames >= 8)).frames
    answer = await client.get("/api/v1/preview.jpg", headers=AUTHORISED)
    grey = cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_GRAYSCALE).astype(int)
    expected = cv2.cvtColor(picture(frames - 1), cv2.COLOR_YUV2GRAY_I420)
    other = cv2.cvtColor(picture(0), cv2.COLOR_YUV2GRAY_I420)
    bar = (expected > 200) & (other < 200)
    assert grey[bar].mean() > 200
    eyes.released.set()
    await ended(client)


async def test_sessions_and_cost_tell_of_a_recording(client, zero_ns):
    await start(client, zero_ns)
    await ended(client)
    rows = msgspec.json.decode(
        await (await client.get("/api/v1/sessions", headers=AUTHORISED)).read(), type=list[SessionRow]
    )
    assert [(row.session, row.finished, row.detector) for row in rows] == [("s1", True, "one-ball")]
    cost = decode(await (await client.get("/api/v1/cost", headers=AUTHORISED)).read(), NodeCost)
    assert (cost.frames, cost.segments, cost.detections) == (125, 3, 125)
