"""How TeamSnap is asked: tokens, pages, waiting, and everything that goes wrong there; no database."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from tests.fakes.teamsnap import FakeTeamSnap, running_fake
from viewer.errors import NotConnected, NotShown, TeamSnapBusy, TeamSnapFault
from viewer.imports.teamsnap import collection
from viewer.imports.teamsnap.collection import Reader
from viewer.imports.teamsnap.reading import read_teamsnap

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


class Tokens:
    """Gives the fake's tokens; a refused one is replaced by another while there are any."""

    def __init__(self, fake: FakeTeamSnap) -> None:
        self.fake = fake
        self.given = [fake._new_tokens()["access_token"]]

    def __call__(self, refused: str) -> str:
        if refused == self.given[-1]:
            self.given.append(self.fake._new_tokens()["access_token"])
        return self.given[-1]


@pytest.fixture(scope="module")
def service():
    with running_fake(FakeTeamSnap()) as fake:
        yield fake


@pytest.fixture
def fake(service):
    service.page_size, service.retry_after, service.lasting_s = 20, "1", 7200
    service.statuses.clear()
    service.forbidden.clear()
    service.asked.clear()
    return service


@pytest.fixture
def slept():
    return []


@pytest.fixture
def reader(fake, slept):
    reader = Reader(f"{fake.url}/v3/", Tokens(fake), slept.append, lambda: NOW)
    yield reader
    reader.close()


def members(reader):
    [me] = reader.from_root("me")
    teams = reader.follow(me.links, "teams")
    return reader.follow(next(t for t in teams if t.text("id") == "101").links, "members")


def test_everything_is_found_from_the_root_by_relations(reader, fake):
    assert len(members(reader)) == 17
    assert fake.asked[0] == "/v3/"


@pytest.mark.parametrize("size", [1, 5, 17, 18])
def test_every_page_is_read_whatever_its_size(reader, fake, size):
    fake.page_size = size
    assert [m.text("id") for m in members(reader)] == [str(101_000 + n) for n in (*range(14), 500, 501, 502)]


def test_a_busy_teamsnap_is_left_alone_as_long_as_it_asks(reader, fake, slept):
    fake.statuses, fake.retry_after = [429], "7"
    assert members(reader)
    assert slept == [7.0]


def test_a_date_to_come_back_at_is_understood_too(reader, fake, slept):
    fake.statuses, fake.retry_after = [429], "Tue, 24 Nov 2026 10:00:12 GMT"
    members(reader)
    assert slept == [12.0]


@pytest.mark.parametrize("said", [None, "soon", "-3"])
def test_without_a_usable_time_the_pauses_grow(reader, fake, slept, said):
    fake.statuses, fake.retry_after = [429, 429], said
    if said != "-3":
        members(reader)
        assert slept == [2.0, 4.0]
    else:
        members(reader)
        assert all(seconds > 0 for seconds in slept)


def test_a_long_wait_is_for_the_job_and_not_for_the_worker(reader, fake, slept):
    fake.statuses, fake.retry_after = [429], "3600"
    with pytest.raises(TeamSnapBusy) as busy:
        members(reader)
    assert busy.value.wait_s == 3600
    assert slept == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1000", 1000), ("1000000", 86_400), ("9" * 400, 86_400), ("Fri, 01 Jan 2999 00:00:00 GMT", 86_400)],
)
def test_no_wait_is_longer_than_a_day(reader, fake, slept, said, seconds):
    fake.statuses, fake.retry_after = [429], said
    with pytest.raises(TeamSnapBusy) as busy:
        members(reader)
    assert busy.value.wait_s == seconds
    assert slept == []


class Cleared(dict):
    """Kept addresses that another thread forgets as soon as one of them was looked at."""

    def __contains__(self, rel) -> bool:
        found = super().__contains__(rel)
        self.clear()
        return found

    def get(self, rel, default=None):
        found = super().get(rel, default)
        self.clear()
        return found


def test_addresses_that_another_thread_forgets_meanwhile_are_no_fault(fake, slept):
    kept = Cleared(me=f"{fake.url}/v3/me")
    reader = Reader(f"{fake.url}/v3/", Tokens(fake), slept.append, lambda: NOW, kept)
    assert reader.from_root("me")
    assert reader.from_root("me")
    reader.close()


def test_a_teamsnap_that_stays_busy_is_given_up_for_now(reader, fake):
    fake.statuses = [429] * 10
    with pytest.raises(TeamSnapBusy):
        members(reader)


def test_a_token_that_ends_on_the_way_is_replaced_once(reader, fake):
    members(reader)
    fake.end_tokens()
    assert members(reader)
    assert len(reader._token.given) == 2


def test_a_token_that_is_refused_again_ends_in_connecting_anew(fake, slept):
    reader = Reader(f"{fake.url}/v3/", lambda _refused: "of nobody", slept.append, lambda: NOW)
    with pytest.raises(NotConnected, match="connect the club again"):
        reader.from_root("me")
    assert len(fake.asked) == 2
    reader.close()


@pytest.mark.parametrize("statuses", [[500], [503, 502], [500, 500, 500]])
def test_a_broken_teamsnap_is_asked_again(reader, fake, slept, statuses):
    fake.statuses = list(statuses)
    assert members(reader)
    assert len(slept) == len(statuses)


def test_a_teamsnap_that_stays_broken_is_a_fault_that_may_pass(reader, fake):
    fake.statuses = [500] * 20
    with pytest.raises(TeamSnapFault, match="could not be reached") as fault:
        members(reader)
    assert not isinstance(fault.value, NotConnected | NotShown)


def test_nobody_there_is_the_same(slept):
    reader = Reader("http://127.0.0.1:9/v3/", lambda _: "t", slept.append, lambda: NOW)
    with pytest.raises(TeamSnapFault, match="could not be reached"):
        reader.from_root("me")
    reader.close()


def test_404_is_what_is_kept_from_us(reader, fake):
    fake.forbidden.add((101, "members"))
    with pytest.raises(NotShown):
        members(reader)


def test_a_relation_that_is_not_offered_is_kept_from_us_too(reader):
    [me] = reader.from_root("me")
    with pytest.raises(NotShown):
        reader.follow(me.links, "secrets")


def test_kept_addresses_spare_the_root_and_are_forgotten_when_they_fail(fake, slept):
    kept: dict[str, str] = {}
    tokens = Tokens(fake)
    reader = Reader(f"{fake.url}/v3/", tokens, slept.append, lambda: NOW, kept)
    reader.from_root("me")
    fake.asked.clear()
    reader.from_root("me")
    assert fake.asked == ["/v3/me"]
    kept["me"] = f"{fake.url}/v3/me/of/old"
    assert reader.from_root("me")
    assert kept["me"] == f"{fake.url}/v3/me"
    reader.close()


def served(answer) -> web.Application:
    app = web.Application()
    app.router.add_get("/v3/{rest:.*}", answer)
    return app


class Served(FakeTeamSnap):
    """A TeamSnap that answers everything alike."""

    def __init__(self, answer) -> None:
        super().__init__(records={})
        self.answer = answer

    def app(self) -> web.Application:
        return served(self.answer)


def asked_of(answer, slept):
    with running_fake(Served(answer)) as service:
        reader = Reader(f"{service.url}/v3/", lambda _: "t", slept.append, lambda: NOW)
        try:
            return reader.from_root("me")
        finally:
            reader.close()


def document(**collection):
    return web.json_response({"collection": {"version": "3.0", **collection}})


@pytest.mark.parametrize("href", ["http://evil.example/v3/me", "//evil.example/me", "https://127.0.0.1/v3/me"])
def test_the_token_goes_to_no_other_host(slept, href):
    async def answer(_request):
        return document(links=[{"rel": "me", "href": href}])

    with pytest.raises(TeamSnapFault, match="another host"):
        asked_of(answer, slept)


def test_a_redirect_is_not_followed(slept):
    async def answer(_request):
        raise web.HTTPFound("http://127.0.0.1:9/")

    with pytest.raises(TeamSnapFault, match="302"):
        asked_of(answer, slept)


def test_pages_in_a_circle_end(slept):
    async def answer(request):
        links = [{"rel": "me", "href": "/v3/a"}, {"rel": "next", "href": "/v3/b" if "a" in request.path else "/v3/a"}]
        return document(links=links)

    with pytest.raises(TeamSnapFault, match="circle"):
        asked_of(answer, slept)


def test_an_endless_answer_is_cut_off(slept, monkeypatch):
    monkeypatch.setattr(collection, "MOST_BYTES", 100_000)

    async def answer(_request):
        return web.Response(body=b" " * 200_000)

    with pytest.raises(TeamSnapFault, match="larger"):
        asked_of(answer, slept)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"collection": 3}', b'{"collection": {"items": {}}}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_collection_is_a_fault_in_words(slept, body):
    async def answer(_request):
        return web.Response(body=body)

    with pytest.raises(TeamSnapFault, match="does not understand"):
        asked_of(answer, slept)


def test_an_error_inside_of_an_answer_is_told(slept):
    async def answer(_request):
        return document(error={"message": "closed for\nmaintenance"})

    with pytest.raises(TeamSnapFault, match="closed for maintenance"):
        asked_of(answer, slept)


def test_a_snapshot_holds_what_stands_there_and_nulls_are_blanks(reader, fake):
    snapshot = read_teamsnap(reader)
    assert [team.id for team in snapshot.teams] == ["101", "102"]
    players = {player.id: player for player in snapshot.players}
    assert players["101000"].jersey_number == "00"
    assert players["101001"].jersey_number == ""
    assert players["101004"].birth_year is None
    assert players["101005"].mails == ("family.101@example.org",)
    assert {coach.duty for coach in snapshot.coaches} == {"coach", "manager"}
    assert len([g for g in snapshot.games if g.team == "101"]) == 5
    assert all(game.starts_at.utcoffset() == timedelta(0) for game in snapshot.games)
    assert all(parent.mails == tuple(m.lower() for m in parent.mails) for parent in snapshot.parents)


def test_the_fakes_bulk_load_holds_the_same_members(reader, fake):
    page = list(reader._pages(f"{fake.url}/v3/bulk_load?team_id=101&types=member"))
    assert [item.text("id") for item in page] == [item.text("id") for item in members(reader)]
