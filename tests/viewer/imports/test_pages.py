"""The import pages: who may, the whole way from connecting to applying, and tables; in a browser-like client."""

import re
from datetime import timedelta

import pytest

from tests.viewer.imports.conftest import allow
from viewer.audit.models import AuditEntry
from viewer.clubs.models import Player, Team
from viewer.imports.change import Effect
from viewer.imports.models import ImportRun, OAuthConnection
from viewer.jobs.models import Job

SLUG, THEIRS = "riverside-rovers", "hillside-united"
BASE = f"/clubs/{SLUG}/imports"
PLAYERS = b"team;first name;last name;number\r\nU12;Robin;Example;7\r\nU12;Mika;Novak;00\r\n"


def links_of(text: str) -> list[str]:
    return [link.replace("&amp;", "&") for link in re.findall(r'href="(http[^"]+)"', text)]


def connect(teamsnap, browser, **how):
    page = browser.post(f"{BASE}/teamsnap/connect")
    assert page.status_code == 200
    [address] = links_of(page.text)
    return allow(address, **how)


def test_the_whole_way_from_connecting_to_applying(teamsnap):
    world = teamsnap.world
    with world.client("club_admin") as browser:
        assert "Connect TeamSnap" in browser.get(BASE).text
        back = browser.get("/imports/teamsnap/callback", params=connect(teamsnap, browser))
        assert back.status_code == 303
        assert back.headers["location"] == f"{BASE}?told=connected"
        assert "Being looked at" in browser.get(BASE).text
        teamsnap.work()
        listed = browser.get(BASE).text
        [run] = re.findall(rf'href="{BASE}/(\d+)"', listed)
        page = browser.get(f"{BASE}/{run}").text
        assert "Riverside U12" in page
        ticks = re.findall(r'name="tick" value="(\w+)" checked', page)
        invitations = re.findall(r"act-invite.*?\n.*?\n\s+<input[^>]*>", page)
        assert invitations
        assert not any("checked" in box for box in invitations)
        done = browser.post(f"{BASE}/{run}/apply", data={"tick": ticks})
        assert done.status_code == 303, done.text
        assert f"{len(ticks)} of" in browser.get(f"{BASE}/{run}").text
        assert browser.post(f"{BASE}/{run}/apply", data={"tick": ticks}).status_code == 409
    with world.database.reading() as session:
        assert session.query(Team).filter_by(name="Riverside U12").count() == 1
        acts = [entry.act for entry in session.query(AuditEntry).order_by(AuditEntry.id)]
        assert [act for act in acts if act in ("connect-teamsnap", "import")] == ["connect-teamsnap", "import"]


def test_tokens_are_nowhere_in_the_database_as_they_are(teamsnap):
    with teamsnap.world.client("club_admin") as browser:
        browser.get("/imports/teamsnap/callback", params=connect(teamsnap, browser))
    connection = teamsnap.connection()
    for token in (*teamsnap.fake._access, *teamsnap.fake._refresh):
        assert token not in connection.sealed_access_token + connection.sealed_refresh_token
    assert teamsnap.world.portal.seal.unseal(connection.sealed_access_token) in teamsnap.fake._access


def test_an_answer_is_good_once_for_minutes_and_in_the_sign_in_that_asked(teamsnap):
    world = teamsnap.world
    with world.client("club_admin") as browser, world.client("club_admin") as another, world.client("parent") as parent:
        given = connect(teamsnap, browser)
        for other in (another, parent):
            assert other.get("/imports/teamsnap/callback", params=given).status_code == 403
        assert browser.get("/imports/teamsnap/callback", params={**given, "state": "guessed"}).status_code == 403
        assert browser.get("/imports/teamsnap/callback", params=given).status_code == 303
        assert browser.get("/imports/teamsnap/callback", params=given).status_code == 403
        late = connect(teamsnap, browser)
        world.clock.now += timedelta(minutes=10, seconds=1)
        assert browser.get("/imports/teamsnap/callback", params=late).status_code == 403


def test_a_code_of_somebody_elses_sign_in_is_worth_nothing(teamsnap):
    with teamsnap.world.client("club_admin") as browser, teamsnap.world.client("their_admin") as thief:
        stolen = connect(teamsnap, browser)["code"]
        page = thief.post(f"/clubs/{THEIRS}/imports/teamsnap/connect")
        own = allow(links_of(page.text)[0])
        # PKCE: the verifier of the thief's own sign-in does not fit the stolen code.
        answer = thief.get("/imports/teamsnap/callback", params={**own, "code": stolen})
        assert answer.status_code == 502
    with teamsnap.world.database.reading() as session:
        assert session.query(OAuthConnection).count() == 0


def test_whoever_is_no_admin_any_more_connects_nothing(teamsnap):
    from viewer.clubs.models import OrganizationAdmin

    with teamsnap.world.client("club_admin") as browser:
        given = connect(teamsnap, browser)
        with teamsnap.world.database.writing() as session:
            session.query(OrganizationAdmin).filter_by(user_id=teamsnap.world.users["club_admin"]).delete()
        assert browser.get("/imports/teamsnap/callback", params=given).status_code == 404
    assert teamsnap.connection() is None


def test_denying_at_teamsnap_connects_nothing_and_says_so(teamsnap):
    with teamsnap.world.client("club_admin") as browser:
        page = browser.get("/imports/teamsnap/callback", params=connect(teamsnap, browser, deny=True))
        assert "you did not allow it" in page.text
    assert teamsnap.connection() is None


def test_connecting_anew_gives_the_replaced_tokens_back(teamsnap):
    with teamsnap.world.client("club_admin") as browser:
        browser.get("/imports/teamsnap/callback", params=connect(teamsnap, browser))
        first = teamsnap.world.portal.seal.unseal(teamsnap.connection().sealed_access_token)
        assert first in teamsnap.fake._access
        browser.get("/imports/teamsnap/callback", params=connect(teamsnap, browser))
    second = teamsnap.world.portal.seal.unseal(teamsnap.connection().sealed_access_token)
    assert first not in teamsnap.fake._access
    assert second in teamsnap.fake._access


def test_disconnecting_deletes_the_tokens_here_and_there_and_keeps_what_was_imported(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    teamsnap.apply(lambda change: change.ticked and change.tickable)
    with teamsnap.world.client("club_admin") as browser:
        answer = browser.post(f"{BASE}/teamsnap/disconnect")
        assert answer.headers["location"] == f"{BASE}?told=disconnected"
    assert teamsnap.fake.tokens == 0
    with teamsnap.world.database.reading() as session:
        assert session.query(OAuthConnection).count() == 0
        assert session.query(Team).filter_by(name="Riverside U12").count() == 1


def test_asking_twice_queues_one_look(teamsnap):
    teamsnap.let_in()
    with teamsnap.world.client("club_admin") as browser:
        for _ in range(2):
            assert browser.post(f"{BASE}/teamsnap/sync").status_code == 303
    with teamsnap.world.database.reading() as session:
        assert session.query(Job).filter_by(kind="teamsnap-sync").count() == 1


@pytest.mark.parametrize("sheet", ["players", "parents", "games"])
def test_every_example_can_be_uploaded_as_it_is(world, sheet):
    with world.client("club_admin") as browser:
        example = browser.get(f"{BASE}/examples/{sheet}.csv")
        assert example.headers["content-disposition"].startswith("attachment")
        sent = browser.post(f"{BASE}/tables", data={"sheet": sheet}, files={"file": ("x.csv", example.content)})
        assert sent.status_code == 303, sent.text
        assert re.fullmatch(rf"{BASE}/\d+", sent.headers["location"])


def test_a_table_finds_who_is_here_and_adds_who_is_not(world):
    with world.client("club_admin") as browser:
        sent = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", PLAYERS)})
        page = browser.get(sent.headers["location"]).text
        ticks = re.findall(r'value="(\w+)" checked', page)
        assert browser.post(f"{sent.headers['location']}/apply", data={"tick": ticks}).status_code == 303
        again = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", PLAYERS)})
        assert again.headers["location"] == f"{BASE}?told=same"
    with world.database.reading() as session:
        assert session.query(Player).filter_by(first_name="Robin", last_name="Example").count() == 1
        assert session.query(Player).filter_by(first_name="Mika", last_name="Novak").count() == 1


def test_bad_rows_are_told_with_their_lines_and_nothing_is_kept(world):
    table = b"team,first name,last name,birth year\nU12,Ada,,2014\n\nU12,Bo,Berg,soon\n"
    with world.client("club_admin") as browser:
        page = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", table)})
        assert page.status_code == 422
        assert "Line 2: the last name is missing." in page.text
        assert "Line 4: “soon” is no year of birth" in page.text
    with world.database.reading() as session:
        assert session.query(ImportRun).count() == 0


def test_a_table_that_is_too_large_or_missing_is_refused_in_words(world):
    with world.client("club_admin") as browser:
        large = b"team,first name,last name\n" + b"U12,A,B\n" * 270_000
        page = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", large)})
        assert page.status_code in (413, 422)
        empty = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"other": ("x.csv", b"x")})
        assert empty.status_code == 422


def test_a_run_that_is_stale_is_compared_again_and_says_so(world):
    with world.client("club_admin") as browser:
        sent = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", PLAYERS)})
        page = browser.get(sent.headers["location"]).text
        ticks = re.findall(r'value="(\w+)" checked', page)
        with world.database.writing() as session:
            # Meanwhile Robin was renamed by hand: whoever ticked that Robin is here already must look again.
            session.get_one(Player, world.ids["robin"]).first_name = "Robyn"
        stale = browser.post(f"{sent.headers['location']}/apply", data={"tick": ticks})
        assert stale.status_code == 409
        assert "up to date now" in stale.text
        ticks = re.findall(r'value="(\w+)"', stale.text)
        assert browser.post(f"{sent.headers['location']}/apply", data={"tick": ticks}).status_code in (200, 303)


def test_nothing_ticked_and_everything_dropped_change_nothing(world):
    with world.client("club_admin") as browser:
        for act, data in (("apply", {}), ("drop", {"tick": "anything"})):
            sent = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", PLAYERS)})
            assert browser.post(f"{sent.headers['location']}/{act}", data=data).status_code == 303
            assert browser.post(f"{sent.headers['location']}/drop").status_code == 409
    with world.database.reading() as session:
        assert session.query(Player).filter_by(first_name="Mika").count() == 0


WAYS = [
    ("GET", ""),
    ("POST", "/teamsnap/connect"),
    ("POST", "/teamsnap/sync"),
    ("POST", "/teamsnap/disconnect"),
    ("GET", "/examples/players.csv"),
    ("POST", "/tables"),
    ("GET", "/{run}"),
    ("POST", "/{run}/apply"),
    ("POST", "/{run}/drop"),
]


def test_only_the_clubs_admins_reach_anything_of_it(world):
    with world.client("club_admin") as browser:
        sent = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", PLAYERS)})
        run = sent.headers["location"].rsplit("/", 1)[1]
    refused = {"coach": 404, "manager": 404, "parent": 404, "their_admin": 404, "their_coach": 404, None: 401}
    for who, status in refused.items():
        with world.client(who, html=False) as browser:
            for method, path in WAYS:
                answer = browser.request(method, BASE + path.format(run=run))
                assert answer.status_code == status, (who, method, path)
                assert "Novak" not in answer.text
    with world.client("their_admin") as browser:
        # Their own club's address does not open our run.
        for method, path in WAYS[-3:]:
            answer = browser.request(method, f"/clubs/{THEIRS}/imports{path.format(run=run)}")
            assert answer.status_code == 404


def test_the_platforms_admin_sees_that_a_run_waits_and_no_name_in_it(world):
    with world.client("club_admin") as browser:
        sent = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", PLAYERS)})
        run = sent.headers["location"].rsplit("/", 1)[1]
        assert "Novak" in browser.get(f"{BASE}/{run}").text
    with world.client("platform_admin") as browser:
        listed = browser.get(BASE)
        assert listed.status_code == 200
        assert "waits for you" in listed.text
        assert f"{BASE}/{run}" not in listed.text
        assert f"{BASE}/tables" not in listed.text
        for method, path in WAYS[-4:]:
            answer = browser.request(method, BASE + path.format(run=run))
            assert answer.status_code == 403, path
            assert "Novak" not in answer.text
    with world.database.reading() as session:
        assert session.get_one(ImportRun, int(run)).state == "open"


def test_an_admin_of_two_clubs_opens_a_run_only_at_its_own_club(world):
    from viewer.accounts.models import User
    from viewer.clubs.models import Organization
    from viewer.clubs.rosters import make_admin

    with world.database.writing() as session:
        admin = session.get_one(User, world.users["club_admin"])
        make_admin(session, admin, session.get_one(Organization, world.ids["theirs"]), world.clock())
    with world.client("club_admin") as browser:
        sent = browser.post(f"{BASE}/tables", data={"sheet": "players"}, files={"file": ("x.csv", PLAYERS)})
        run = sent.headers["location"].rsplit("/", 1)[1]
        assert browser.get(f"/clubs/{THEIRS}/imports/{run}").status_code == 404
        assert browser.post(f"/clubs/{THEIRS}/imports/{run}/apply", data={"tick": "x"}).status_code == 404


def test_where_the_portal_is_not_registered_tables_work_and_teamsnap_is_not_offered(world):
    with world.client("club_admin") as browser:
        assert "has not registered it" in browser.get(BASE).text
        assert browser.post(f"{BASE}/teamsnap/connect").status_code == 404


def test_what_was_left_out_is_told(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    child = next(c for c in teamsnap.changes() if c.act is Effect.ADD and c.group.value == "player")
    with teamsnap.world.client("club_admin") as browser:
        page = browser.post(f"{BASE}/{teamsnap.run().id}/apply", data={"tick": child.id})
        assert page.status_code == 200
        assert "its team was not ticked" in page.text
