"""A hub is paired by a code, keeps its key to itself, stays with the club whose matches it holds, and says it is on."""

import asyncio
import io
import json
import re
import stat
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from firmware.clock import SystemClock
from firmware.log import Log
from hub.errors import NotPaired
from hub.portal import EACH_S, FILE, Pairing, SignsOfLife, kept

CODE = "K7QM-4TXP"


class Viewer:
    """A portal with one club: it pairs for one code, and hears who is on."""

    def __init__(self, club: int = 1) -> None:
        self.club, self.asked, self.wanted = club, [], ""

    async def pair(self, request):
        self.asked.append(await request.json())
        if self.asked[-1]["code"] != CODE:
            return web.json_response({"fault": "This code is not known here."}, status=403)
        key = f"key {len(self.asked)}"
        told = {"device": "hub", "team": "U12", "club": f"Club {self.club}", "club_id": self.club, "key": key}
        return web.json_response(told, status=201)

    async def hear(self, request):
        self.asked.append((request.headers["Authorization"], await request.json()))
        return web.json_response({"device": "hub", "team": "U12", "wanted_version": self.wanted})


@asynccontextmanager
async def at(viewer):
    app = web.Application()
    app.router.add_post("/api/v1/pairing", viewer.pair)
    app.router.add_post("/api/v1/devices/me", viewer.hear)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def paired(data, url, code=CODE, *, holds_matches=False):
    async with aiohttp.ClientSession() as http:
        return await Pairing(data, url, holds_matches, http).take(code, "1.4")


async def test_a_hub_keeps_the_key_that_it_got_for_the_code(tmp_path):
    viewer = Viewer()
    async with at(viewer) as url:
        portal = await paired(tmp_path, url)
    assert viewer.asked == [{"code": CODE, "version": "1.4"}]
    assert (portal.url, portal.device, portal.team, portal.club, portal.key) == (url, "hub", "U12", "Club 1", "key 1")
    assert kept(tmp_path) == portal
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


async def test_a_refused_code_is_told_in_the_portals_words_and_leaves_the_older_key(tmp_path):
    async with at(Viewer()) as url:
        before = await paired(tmp_path, url)
        with pytest.raises(NotPaired, match=r"does not pair this hub: This code is not known here\.$"):
            await paired(tmp_path, url, "AAAA-AAAA")
    assert kept(tmp_path) == before


async def test_a_portal_that_is_away_is_named(tmp_path, unused_tcp_port):
    with pytest.raises(NotPaired, match=f"127.0.0.1:{unused_tcp_port} cannot be reached"):
        await paired(tmp_path, f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(NotPaired, match="cannot be reached"):
        await paired(tmp_path, "http://")
    assert kept(tmp_path) is None


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"status": 201, "text": "<html>"}, "is not a portal's"),
        ({"status": 201, "text": json.dumps({"key": "k"})}, "is not a portal's"),
        ({"status": 502, "text": "<html>"}, "it answers 502"),
        ({"status": 301, "headers": {"Location": "https://portal.test/"}}, "only points to https://portal.test/"),
    ],
)
async def test_what_does_not_answer_as_a_portal_pairs_nobody(tmp_path, answer, says):
    class Stranger(Viewer):
        async def pair(self, request):
            return web.Response(**answer)

    async with at(Stranger()) as url:
        with pytest.raises(NotPaired, match=says):
            await paired(tmp_path, url)
    assert kept(tmp_path) is None


async def test_pairing_again_with_the_same_club_gets_a_new_key_also_with_matches(tmp_path):
    async with at(Viewer()) as url:
        await paired(tmp_path, url)
        assert (await paired(tmp_path, url, holds_matches=True)).key == "key 2"


async def test_a_hub_with_matches_is_not_paired_with_another_club(tmp_path):
    viewer = Viewer()
    async with at(viewer) as url:
        before = await paired(tmp_path, url)
        viewer.club = 2
        with pytest.raises(NotPaired, match="holds matches of Club 1: give the hub a new --data folder"):
            await paired(tmp_path, url, holds_matches=True)
        assert kept(tmp_path) == before
        assert (await paired(tmp_path, url)).club == "Club 2", "one without matches is"


async def test_a_hub_with_matches_does_not_even_ask_another_portal(tmp_path):
    other = Viewer()
    async with at(Viewer()) as url, at(other) as elsewhere:
        before = await paired(tmp_path, url)
        with pytest.raises(NotPaired, match="holds matches of Club 1"):
            await paired(tmp_path, elsewhere, holds_matches=True)
        assert (other.asked, kept(tmp_path)) == ([], before)
        assert (await paired(tmp_path, elsewhere)).url == elsewhere, "one without matches does"


async def test_a_key_that_cannot_be_kept_is_told_and_leaves_the_older_one(tmp_path, monkeypatch):
    def full(*_told, **_more):
        raise OSError(28, "No space left on device")

    async with at(Viewer()) as url:
        before = await paired(tmp_path, url)
        monkeypatch.setattr("hub.portal.write_durably", full)
        with pytest.raises(NotPaired, match=r"cannot be kept in .* \(No space left on device\): .*new code"):
            await paired(tmp_path, url)
    assert kept(tmp_path) == before


def test_a_pairing_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(NotPaired, match=r"portal\.json cannot be read .*: pair this hub again"):
        kept(tmp_path)


async def test_a_pairing_that_cannot_be_read_is_mended_by_pairing_again(tmp_path):
    (tmp_path / FILE).write_text("{")
    async with at(Viewer()) as url:
        await paired(tmp_path, url)
    assert kept(tmp_path).key == "key 1"


async def told(url, rounds, between=lambda: None):
    """Let a hub say so many times that it is on; returns its log and its pauses."""
    said, pauses = io.StringIO(), []

    async def sleep(seconds):
        pauses.append(seconds)
        between()
        if len(pauses) == rounds:
            raise asyncio.CancelledError

    async with aiohttp.ClientSession() as http:
        life = SignsOfLife(http, url, "key", "1.4", Log(said, SystemClock()), sleep)
        with pytest.raises(asyncio.CancelledError):
            await life.run()
    return said.getvalue(), pauses


async def test_a_hub_says_each_minute_that_it_is_on_and_with_which_program():
    viewer = Viewer()
    async with at(viewer) as url:
        said, pauses = await told(url, 2)
    assert viewer.asked == [("Bearer key", {"version": "1.4"})] * 2
    assert pauses == [EACH_S, EACH_S] == [60, 60]
    assert said == ""


async def test_an_update_that_is_wanted_is_told_once():
    viewer = Viewer()
    viewer.wanted = "2.0"
    async with at(viewer) as url:
        said, _ = await told(url, 3)
    assert said.count("event=update-wanted") == 1
    assert "runs=1.4" in said
    assert "wanted=2.0" in said


async def test_a_hub_that_runs_what_is_wanted_has_nothing_to_tell():
    viewer = Viewer()
    viewer.wanted = "1.4"
    async with at(viewer) as url:
        assert (await told(url, 2))[0] == ""


async def test_a_portal_that_comes_and_goes_does_not_end_the_signs_of_life():
    class Moody(Viewer):
        async def hear(self, request):
            if not self.asked:
                self.asked.append("nonsense")
                return web.Response(text="<html>")
            if len(self.asked) == 1:
                self.asked.append("refused")
                return web.Response(status=401)
            return await super().hear(request)

    viewer = Moody()
    async with at(viewer) as url:
        said, _ = await told(url, 3)
    assert said.count("event=portal-silent") == 2
    assert re.search(r'event=portal-silent reason="?401', said)
    assert viewer.asked[-1] == ("Bearer key", {"version": "1.4"})
