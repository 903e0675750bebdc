"""Settings over HTTP: checked, kept for the next start or taken up at once, and never changed under a recording."""

import json

import msgspec
import pytest

from edge.config import ConfigReport, NodeConfig
from wire.message import decode, encode
from wire.session import StartRecording

AUTHORISED = {"Authorization": "Bearer open-sesame"}


async def report(client) -> ConfigReport:
    return decode(await (await client.get("/api/v1/config", headers=AUTHORISED)).read(), ConfigReport)


def put(client, config: NodeConfig, **changes):
    body = {**msgspec.to_builtins(config), **changes}
    order = {"kind": "node-config", "version": 1, "body": {name: v for name, v in body.items() if v is not ...}}
    return client.put("/api/v1/config", data=json.dumps(order), headers=AUTHORISED)


async def test_without_a_change_the_next_run_is_like_this_one(client, running):
    assert await report(client) == ConfigReport(running=running, next=running)


async def test_a_change_is_kept_for_the_next_start(client, running, tmp_path):
    answer = await put(client, running, delete_confirmed=True, sound="alsa:hw:1")
    changed = msgspec.structs.replace(running, delete_confirmed=True, sound="alsa:hw:1")
    assert decode(await answer.read(), ConfigReport) == ConfigReport(running=running, next=changed)
    assert await report(client) == ConfigReport(running=running, next=changed)
    assert decode((tmp_path / "config.json").read_bytes(), NodeConfig) == changed
    assert [path.name for path in tmp_path.glob("config*")] == ["config.json"]


async def test_the_offloads_bandwidth_changes_at_once_and_nothing_else_does(client, running, bandwidth):
    for mbit, bytes_per_s in ((2.5, 312_500), (0.1, 12_500), (None, None)):
        answer = await put(client, running, offload_mbit=mbit, delete_confirmed=True)
        now = msgspec.structs.replace(running, offload_mbit=mbit)
        after = msgspec.structs.replace(now, delete_confirmed=True)
        assert decode(await answer.read(), ConfigReport) == ConfigReport(running=now, next=after)
        assert await report(client) == ConfigReport(running=now, next=after)
        assert bandwidth.bytes_per_s == bytes_per_s


async def test_a_bandwidth_that_cannot_be_kept_is_not_taken_up(client, running, bandwidth, tmp_path):
    (tmp_path / "config.json").mkdir()
    assert (await put(client, running, offload_mbit=2.5)).status == 500
    assert bandwidth.bytes_per_s is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"passes_per_second": 0}, "passes_per_second"),
        ({"poses_per_second": -1}, "poses_per_second"),
        ({"detector": "guess"}, "detector"),
        ({"sound": "loud"}, "sound"),
        ({"offload_mbit": 0}, "offload_mbit"),
        ({"delete_confirmed": ...}, "missing required field `delete_confirmed`"),
    ],
)
async def test_settings_that_cannot_be_are_refused_in_words_and_nothing_is_kept(
    client, running, tmp_path, changes, words
):
    answer = await put(client, running, **changes)
    assert answer.status == 400
    assert words in await answer.text()
    assert not (tmp_path / "config.json").exists()


async def test_settings_that_cannot_be_read_are_said_and_may_be_replaced(client, running, tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    answer = await client.get("/api/v1/config", headers=AUTHORISED)
    assert answer.status == 500
    assert "cannot be read" in await answer.text()
    assert (await put(client, running)).status == 200
    assert (await report(client)).next == running


async def test_a_recording_is_gone_on_with_as_it_began(make_client, video, make_eyes, zero_ns, running, tmp_path):
    eyes = make_eyes(blocks_at=5)
    client = await make_client(f"file:{video}", eyes)
    order = encode(StartRecording(session="s1", start_ns=zero_ns))
    assert (await client.post("/api/v1/record/start", data=order, headers=AUTHORISED)).status == 200
    assert (await put(client, running, delete_confirmed=True)).status == 409
    assert not (tmp_path / "config.json").exists()
    eyes.released.set()


async def test_the_schema_tells_every_setting(client, running):
    answer = await client.get("/api/v1/config/schema", headers=AUTHORISED)
    assert answer.content_type == "application/schema+json"
    [schema] = [shape for shape in (await answer.json(content_type=None))["$defs"].values() if "properties" in shape]
    assert set(schema["required"]) == set(msgspec.structs.asdict(running))
    assert schema["properties"]["detector"]["enum"] == ["hailo", "motion", "onnx"]
