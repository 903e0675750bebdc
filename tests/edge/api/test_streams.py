"""Moving pictures and live events: what onlookers get, how many there may be, and that they end with the node."""

import asyncio
from itertools import pairwise

import cv2
import numpy as np
import pytest
from aiohttp import MultipartReader

from edge.api import pictures, streams, watching
from edge.condition import NodeCondition
from edge.errors import CameraFault
from edge.node import Node
from wire.message import decode, encode
from wire.session import NodeStatus, StartRecording

AUTHORISED = {"Authorization": "Bearer open-sesame"}
MOVING, EVENTS = "/api/v1/preview.mjpeg", "/api/v1/events"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Streams in a hurry; the rules are the same."""
    monkeypatch.setattr(pictures, "EVERY_S", 0.01)
    monkeypatch.setattr(watching, "EVERY_S", 0.01)


@pytest.fixture
async def look(client):
    """Begins to look at a stream, and lets go of it when the test has ended."""
    answers = []

    async def begin(path):
        answers.append(await client.get(path, headers=AUTHORISED))
        return answers[-1]

    yield begin
    for answer in answers:
        answer.close()


async def shown(reader: MultipartReader) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(await (await reader.next()).read(), np.uint8), cv2.IMREAD_COLOR)


async def heard(answer) -> tuple[str, bytes]:
    """The next event's name and data."""
    async with asyncio.timeout(20):
        name = (await answer.content.readline()).removeprefix(b"event: ").strip().decode()
        data = (await answer.content.readline()).removeprefix(b"data: ").strip()
        assert await answer.content.readline() == b"\n"
    return name, data


async def test_the_pictures_follow_one_another(look):
    answer = await look(MOVING)
    assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
    reader = MultipartReader(answer.headers, answer.content)
    for _ in range(3):
        assert (await shown(reader)).shape == (180, 320, 3)


async def test_a_picture_is_taken_once_for_all_who_look_on(look, monkeypatch):
    monkeypatch.setattr(pictures, "EVERY_S", 60)
    taken = []

    async def preview(_self):
        taken.append(len(taken))
        return b"a picture"

    monkeypatch.setattr(Node, "preview", preview)
    for answer in [await look(MOVING) for _ in range(pictures.VIEWERS)]:
        part = await MultipartReader(answer.headers, answer.content).next()
        assert await part.read() == b"a picture"
    assert taken == [0]


@pytest.mark.parametrize(("path", "most"), [(MOVING, pictures.VIEWERS), (EVENTS, watching.LISTENERS)])
async def test_one_more_than_may_look_on_is_refused_until_a_place_is_free(look, path, most):
    answers = [await look(path) for _ in range(most)]
    refused = await look(path)
    assert (refused.status, await refused.text()) == (503, f"{most} look on already: close one of them")
    answers[0].close()
    statuses = []
    async with asyncio.timeout(20):
        while 200 not in statuses:
            statuses.append((await look(path)).status)
    assert set(statuses) <= {503, 200}


async def test_a_camera_that_cannot_be_opened_is_said_instead(make_client, tmp_path):
    client = await make_client(f"virtual:{tmp_path}/none.sock")
    answer = await client.get(MOVING, headers=AUTHORISED)
    assert answer.status == 503
    assert "no virtual camera answers" in await answer.text()


async def test_a_camera_that_fails_later_ends_the_pictures_and_is_logged(look, monkeypatch, log_text):
    async def preview(_self, taken=[]):  # noqa: B006 - it remembers
        taken.append(None)
        if len(taken) > 2:
            raise CameraFault("the cable is loose")
        return b"a picture"

    monkeypatch.setattr(Node, "preview", preview)
    answer = await look(MOVING)
    assert (await answer.read()).count(b"a picture") == 2
    assert (
        'event=stream-ended path=/api/v1/preview.mjpeg fault="CameraFault: the cable is loose"' in log_text.getvalue()
    )


async def test_a_slow_onlooker_misses_pictures_instead_of_seeing_old_ones(look, monkeypatch):
    taken = []

    async def preview(_self):
        taken.append(None)
        return b"%06d" % len(taken) + bytes(4 << 20)

    monkeypatch.setattr(Node, "preview", preview)
    slow = await look(MOVING)
    while len(taken) < 40:
        quick = await look(MOVING)
        await (await MultipartReader(quick.headers, quick.content).next()).read()
        quick.close()
    reader = MultipartReader(slow.headers, slow.content)
    numbers = [int((await (await reader.next()).read())[:6]) for _ in range(6)]
    assert numbers[-1] > 40, "it is shown what was taken long ago"


async def test_an_onlooker_who_takes_nothing_loses_the_place(look, monkeypatch):
    monkeypatch.setattr(streams, "STALLED_S", 0.05)
    left = asyncio.Event()
    ended = streams.Streams._go_on

    async def go_on(*args):
        await ended(*args)
        left.set()

    async def preview(_self):
        return bytes(8 << 20)

    monkeypatch.setattr(streams.Streams, "_go_on", go_on)
    monkeypatch.setattr(Node, "preview", preview)
    await look(MOVING)
    async with asyncio.timeout(20):
        await left.wait()


async def test_a_listener_hears_status_and_condition_at_once(look):
    answer = await look(EVENTS)
    assert answer.content_type == "text/event-stream"
    name, data = await heard(answer)
    assert (name, decode(data, NodeStatus).recording) == ("node-status", None)
    name, data = await heard(answer)
    assert (name, decode(data, NodeCondition).node) == ("node-condition", "left")


async def test_a_listener_hears_of_a_change_and_not_of_what_has_not_changed(look, client, zero_ns):
    answer = await look(EVENTS)
    for _ in range(2):
        await heard(answer)
    order = encode(StartRecording(session="s1", start_ns=zero_ns))
    assert (await client.post("/api/v1/record/start", data=order, headers=AUTHORISED)).status == 200
    told = [decode((await heard(answer))[1], NodeStatus)]
    while told[-1].recording or told[-1].segments_waiting < 3:
        told.append(decode((await heard(answer))[1], NodeStatus))
    assert all(a != b for a, b in pairwise(told))
    assert "s1" in {status.recording for status in told}


@pytest.mark.parametrize("path", [MOVING, EVENTS])
async def test_whoever_looks_on_is_let_go_when_the_node_ends(look, client, path, monkeypatch):
    monkeypatch.setattr(pictures, "EVERY_S", 60)
    monkeypatch.setattr(watching, "EVERY_S", 60)
    answer = await look(path)
    await answer.content.readline()
    await client.server.app.shutdown()
    async with asyncio.timeout(20):
        # A clean end: what is cut off would raise.
        await answer.read()
