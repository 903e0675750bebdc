"""The board's log, switch and software over HTTP."""

import pytest

from firmware.errors import NotSetUp, PowerFault
from firmware.updates import UpdateNews
from wire.message import decode, encode
from wire.session import StartRecording

AUTHORISED = {"Authorization": "Bearer open-sesame"}


@pytest.fixture
async def recording(make_client, video, make_eyes, zero_ns):
    eyes = make_eyes(blocks_at=5)
    client = await make_client(f"file:{video}", eyes)
    order = encode(StartRecording(session="s1", start_ns=zero_ns))
    assert (await client.post("/api/v1/record/start", data=order, headers=AUTHORISED)).status == 200
    yield client
    eyes.released.set()


async def test_the_newest_lines_of_the_log_are_told(client, log):
    for number in range(700):
        log.event("counted", number=number)
    lines = (await (await client.get("/api/v1/logs?lines=3", headers=AUTHORISED)).text()).splitlines()
    assert [line.rsplit("=", 1)[1] for line in lines] == ["697", "698", "699"]
    assert len((await (await client.get("/api/v1/logs", headers=AUTHORISED)).text()).splitlines()) == 200
    assert len((await (await client.get("/api/v1/logs?lines=500", headers=AUTHORISED)).text()).splitlines()) == 500


@pytest.mark.parametrize("lines", ["0", "-1", "501", "many", "1e9", "\u0663"])
async def test_a_number_of_lines_that_is_none_is_refused(client, lines):
    answer = await client.get("/api/v1/logs", params={"lines": lines}, headers=AUTHORISED)
    assert (answer.status, await answer.text()) == (400, "lines is a number from 1 to 500")


async def test_a_node_that_rests_is_switched_off(client, power):
    answer = await client.post("/api/v1/shutdown", headers=AUTHORISED)
    assert (answer.status, power.switched_off) == (204, 1)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/shutdown"), ("POST", "/api/v1/update"), ("GET", "/api/v1/update")]
)
async def test_a_recording_is_not_cut_off(recording, power, method, path):
    answer = await recording.request(method, path, headers=AUTHORISED)
    assert (answer.status, await answer.text()) == (409, "node left is recording session s1: stop it first")
    assert power.switched_off == 0


@pytest.mark.parametrize(("fault", "status"), [(NotSetUp("not set up"), 501), (PowerFault("it does not agree"), 500)])
async def test_a_board_that_does_not_go_down_says_why(client, power, fault, status):
    power.fault = fault
    answer = await client.post("/api/v1/shutdown", headers=AUTHORISED)
    assert (answer.status, await answer.text()) == (status, str(fault))


async def test_without_an_updater_there_is_no_news_and_nothing_to_apply(client):
    news = decode(await (await client.get("/api/v1/update", headers=AUTHORISED)).read(), UpdateNews)
    assert news.version is None
    assert news.sentence.startswith("updates are not set up")
    answer = await client.post("/api/v1/update", headers=AUTHORISED)
    assert (answer.status, await answer.text()) == (501, news.sentence)
