"""A node's condition and figures over HTTP."""

import asyncio

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from edge.condition import FRESH_S, Conditions, NodeCondition
from edge.gates.checks import passed
from edge.record.shelf import Shelf
from edge.storage import Storage
from firmware.clock import ClockReading, ClockSource
from firmware.health import Battery, HealthReading, Supply
from wire.message import decode, encode
from wire.readiness import GateReport, Verdict
from wire.rigtime import MILLISECOND
from wire.session import NodeStatus, SegmentState, StartRecording

AUTHORISED = {"Authorization": "Bearer open-sesame"}
SUPPLY = Supply(
    under_voltage=False,
    frequency_capped=False,
    throttled=True,
    soft_temperature_limit=False,
    under_voltage_before=False,
    throttled_before=True,
)


async def figures(client) -> dict:
    answer = await client.get("/api/v1/metrics", headers=AUTHORISED)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = [s for family in text_string_to_metric_families(await answer.text()) for s in family.samples]
    return {
        " ".join((sample.name.removeprefix("touchline_"), *sample.labels.values())): sample.value for sample in samples
    }


@pytest.fixture
async def recorded(client, zero_ns):
    """A node that has recorded its five seconds, 125 frames in three segments."""
    order = encode(StartRecording(session="s1", start_ns=zero_ns))
    assert (await client.post("/api/v1/record/start", data=order, headers=AUTHORISED)).status == 200
    async with asyncio.timeout(20):
        while decode(await (await client.get("/api/v1/status")).read(), NodeStatus).recording:  # noqa: ASYNC110 - another process would have to ask, too
            await asyncio.sleep(0.02)
    return client


async def test_the_condition_tells_of_disk_clock_and_board(client, health, clock, disk):
    health.reading = HealthReading(temperature_c=61.5, supply=SUPPLY)
    told = decode(await (await client.get("/api/v1/condition", headers=AUTHORISED)).read(), NodeCondition)
    assert told.storage.free_bytes == disk.free
    assert (told.clock, told.board, told.at_ns) == (clock.reading, health.reading, clock.ns)


@pytest.mark.parametrize(
    ("bound_ms", "hub_is_here", "verdict"),
    [(1, False, Verdict.PASS), (10, False, Verdict.WARN), (16_000, False, Verdict.FAIL), (16_000, True, Verdict.PASS)],
)
async def test_the_condition_judges_the_clock_as_its_gate_does(
    make_node, make_api, ledger, video, clock, bound_ms, hub_is_here, verdict
):
    clock.reading = msgspec.structs.replace(clock.reading, uncertainty_ns=bound_ms * MILLISECOND)
    node = make_node(f"file:{video}", ledger, hub_is_here=hub_is_here)
    async with TestClient(TestServer(make_api(node, ledger))) as client:
        told = decode(await (await client.get("/api/v1/condition", headers=AUTHORISED)).read(), NodeCondition)
        report = decode(await (await client.get("/api/v1/gates", headers=AUTHORISED)).read(), GateReport)
    assert told.clock_verdict is verdict
    assert [gate.verdict for gate in report.gates if gate.code == "clock"] == [verdict]


async def test_the_figures_tell_what_was_recorded(recorded, disk):
    told = await figures(recorded)
    assert (told["frames_total"], told["detections_total"], told["frames_dropped"]) == (125, 125, 0)
    assert told["frames_unseen"] == 0
    assert told["free_bytes"] == disk.free
    assert told["events_total recording-started"] == 1
    assert (told["detector_passes_total"], told["detector_faults_total"]) == (125, 0)
    assert {name for name in told if name.startswith("segments")} == {f"segments {state}" for state in SegmentState}
    assert told["segments closed"] == 3
    assert told["clock_offset_seconds"] == pytest.approx(0.0002)


async def test_faults_of_detector_and_tracker_are_counted(client, log):
    log.event("detector-fault", fault="the chip is silent")
    log.event("eyes-fault", fault="a speck of dust")
    log.event("coder-fault", fault="another one's")
    assert (await figures(client))["detector_faults_total"] == 2


async def test_the_boards_figures_are_told_where_it_has_them_and_left_out_where_not(client, health, clock):
    health.reading = HealthReading(temperature_c=61.5, supply=SUPPLY, battery=Battery(percent=80, discharging=True))
    told = await figures(client)
    assert (told["temperature_celsius"], told["throttled"], told["under_voltage"]) == (61.5, 1, 0)
    assert told["battery_percent"] == 80


async def test_what_is_not_known_is_no_figure(client, clock):
    clock.reading = ClockReading(source=ClockSource.KERNEL, reference="", offset_ns=None, uncertainty_ns=9)
    told = await figures(client)
    assert not {"temperature_celsius", "throttled", "battery_percent", "clock_offset_seconds"} & set(told)
    assert told["clock_uncertainty_seconds"] == pytest.approx(9e-9)


async def test_however_many_ask_the_board_is_asked_once_in_a_while(tmp_path, ledger, log, disk, clock, now):
    asked = []

    class Counting:
        def read(self):
            asked.append(now.s)
            return HealthReading()

    storage = Storage(Shelf(tmp_path), ledger, log, statvfs=disk)
    conditions = Conditions("left", storage, clock, Counting(), ledger, lambda _reading: passed("clock", ""), now)
    first, second = await asyncio.gather(conditions.read(), conditions.read())
    assert first is second
    now.s += FRESH_S - 0.1
    assert await conditions.read() is first
    now.s += 0.1
    assert await conditions.read() is not first
    assert len(asked) == 2
