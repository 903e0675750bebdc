"""The gates and the self-test over HTTP."""

import asyncio

import pytest

from edge.api.readiness import SelfTestState
from wire.message import decode, encode
from wire.readiness import GateReport
from wire.session import NodeStatus, StartRecording

AUTHORISED = {"Authorization": "Bearer open-sesame"}


async def state(client, method="GET") -> SelfTestState:
    return decode(await (await client.request(method, "/api/v1/self-test", headers=AUTHORISED)).read(), SelfTestState)


async def ended(client) -> SelfTestState:
    async with asyncio.timeout(60):
        while (now := await state(client)).running:  # noqa: ASYNC110 - another process would have to ask, too
            await asyncio.sleep(0.02)
    return now


async def test_the_gates_are_asked_without_a_start(client, disk, ledger):
    disk.free = 0
    report = decode(await (await client.get("/api/v1/gates", headers=AUTHORISED)).read(), GateReport)
    assert [gate.code for gate in report.closed] == ["disk"]
    assert ledger.sessions() == []


async def test_the_gates_are_asked_for_as_long_as_is_planned(client, disk):
    disk.free = 1 << 30
    answers = {}
    for minutes in ("", "?planned_minutes=45", "?planned_minutes=1440"):
        answer = await client.get(f"/api/v1/gates{minutes}", headers=AUTHORISED)
        answers[minutes] = [gate.code for gate in decode(await answer.read(), GateReport).closed]
    assert answers == {"": [], "?planned_minutes=45": [], "?planned_minutes=1440": ["disk"]}


@pytest.mark.parametrize("minutes", ["0", "-90", "1441", "nan", "inf", "long", ""])
async def test_planned_minutes_that_are_none_are_refused(client, minutes):
    answer = await client.get("/api/v1/gates", params={"planned_minutes": minutes}, headers=AUTHORISED)
    assert (answer.status, await answer.text()) == (400, "planned_minutes is a number above 0 and up to 1440")


async def test_a_self_test_is_begun_answers_at_once_and_is_told_when_it_has_ended(client):
    assert await state(client) == SelfTestState(running=False)
    answer = await client.post("/api/v1/self-test", headers=AUTHORISED)
    assert answer.status == 202
    assert decode(await answer.read(), SelfTestState) == SelfTestState(running=True)
    again = await client.post("/api/v1/self-test", headers=AUTHORISED)
    assert again.status == 409
    told = await ended(client)
    # The recorded camera of this node has five of the ten seconds.
    assert not told.report.passed
    assert next(stage for stage in told.report.stages if stage.code == "camera").sentence.startswith(
        "the camera stopped"
    )
    assert told.fault is None


async def test_a_recording_node_neither_tests_itself_nor_opens_its_camera_for_the_gates(
    make_client, video, make_eyes, zero_ns
):
    eyes = make_eyes(blocks_at=5)
    client = await make_client(f"file:{video}", eyes)
    order = encode(StartRecording(session="s1", start_ns=zero_ns))
    await client.post("/api/v1/record/start", data=order, headers=AUTHORISED)
    assert (await client.post("/api/v1/self-test", headers=AUTHORISED)).status == 409
    assert (await client.get("/api/v1/gates", headers=AUTHORISED)).status == 409
    assert decode(await (await client.get("/api/v1/status")).read(), NodeStatus).recording == "s1"
    assert await state(client) == SelfTestState(running=False)
    eyes.released.set()


@pytest.mark.parametrize("fault", [OSError("the disk is gone"), KeyError()])
async def test_a_self_test_that_cannot_be_made_says_why(make_node, make_client, video, monkeypatch, fault):
    async def fails(_self, _length_s):
        raise fault

    monkeypatch.setattr("edge.selftest.SelfTest.run", fails)
    client = await make_client(f"file:{video}")
    await client.post("/api/v1/self-test", headers=AUTHORISED)
    assert (await ended(client)).fault == (str(fault) or "KeyError")
