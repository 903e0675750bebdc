"""What a scanner would try on the whole portal at once: headers, other sites, redirects, names with code in them."""

import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from sqlalchemy import event, func, select

from tests.viewer.walking import filled, fitting, routes, values, walking
from tests.viewer.world import OURS, PASSWORD
from viewer.accounts.models import Role, User
from viewer.accounts.throttle import MOST_PER_ADDRESS
from viewer.clubs.models import Organization, Player, Team, Venue
from viewer.db.models import metadata
from viewer.games.models import Game, Recording
from viewer.mail.models import Mail

CODE = "<script>alert(1)</script>\"'{{1337*7331}}"
WORKED_OUT = "9801547"
"""What a template would make of it."""
HOSTILE = (
    "//evil.example",
    "/\\evil.example",
    "https://evil.example/",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/\tevil",
    "http:evil.example",
    "%2f%2fevil.example",
    "/\r\nX-Planted: 1",
)
HTML = {"Accept": "text/html"}


def pages(world, *, method: str = "GET"):
    """Addresses of every page, with things of our club."""
    for verb, path, opt in routes(world):
        if verb == method and opt["access"] != "device":
            yield filled(path, fitting(world, path, values(world, ""))), opt


@pytest.mark.slow
def test_every_answer_is_fenced_in_and_no_page_is_kept(full, monkeypatch):
    full.portal.settings = replace(full.portal.settings, public_url="https://portal.example")
    with walking(full, monkeypatch) as walker:
        for where, opt in pages(full):
            for who in ("club_admin", "platform_admin", "parent", None):
                headers = walker.ask(who, "GET", where, **HTML).headers
                policy = headers["content-security-policy"]
                assert "default-src 'none'" in policy, where
                assert "frame-ancestors 'none'" in policy, where
                assert "unsafe" not in policy, where
                assert headers["x-content-type-options"] == "nosniff", where
                assert headers["referrer-policy"] == "no-referrer", where
                assert headers["cross-origin-opener-policy"] == "same-origin", where
                assert headers["strict-transport-security"] == "max-age=31536000", where
                assert not headers.keys() & {"server", "x-powered-by", "access-control-allow-origin"}, where
                if "text/html" in headers.get("content-type", ""):
                    assert headers["cache-control"] == "no-store", where
                elif opt["access"] != "public":
                    assert "public" not in headers["cache-control"], where


@pytest.mark.slow
def test_no_form_is_taken_from_a_page_of_another_site(full, monkeypatch):
    foreign = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.local.evil.example"},
    )
    with walking(full, monkeypatch) as walker:
        for method, path, _ in routes(full):
            if method in ("GET", "HEAD") or path.startswith("/unsubscribe/"):
                # Leaving the mails is one click in a mail program: its address is signed.
                continue
            where = filled(path, fitting(full, path, values(full, "")))
            for headers in foreign:
                for who in ("club_admin", None):
                    answer = walker.ask(who, method, where, **headers)
                    assert answer.status_code == 403, (method, where, headers)
                    assert method == "HEAD" or b"another site" in answer.content, where
                    assert "set-cookie" not in answer.headers


@pytest.mark.slow
def test_other_methods_mean_nothing_and_no_page_allows_other_sites(full, monkeypatch):
    known = {(method, path) for method, path, _ in routes(full)}
    with walking(full, monkeypatch) as walker:
        for path in {path for _, path in known}:
            where = filled(path, values(full, ""))
            for method in ("PUT", "TRACE", "OPTIONS", "PROPFIND", "CONNECT"):
                answer = walker.ask("club_admin", method, where, Origin="http://testserver.local")
                assert answer.status_code in (401, 403, 405), (method, where, answer.status_code)
                assert "access-control-allow-origin" not in answer.headers


def led_to(answer) -> str:
    where = answer.headers.get("location", "/")
    assert "x-planted" not in answer.headers
    return where


@pytest.mark.parametrize("wanted", HOSTILE)
def test_no_parameter_leads_out_of_the_portal(people, world, wanted):
    mail = "parent@example.org"
    with world.client() as browser:
        signed = browser.post("/sign-in", data={"mail": mail, "password": PASSWORD, "next": wanted})
        assert signed.status_code == 303
        proved = browser.post("/account/prove", data={"password": PASSWORD, "next": wanted})
        assert proved.status_code == 303
        shown = browser.get(f"/account/prove?next={quote(wanted)}")
        back = browser.get(f"/teams/1{quote('/../' + wanted, safe='')}")
    for answer in (signed, proved, back):
        where = led_to(answer)
        assert re.match(r"/(?![/\\])", where), where
        assert not re.search(r"[\r\n\t\\]", where)
    for address in re.findall(r'(?:href|action|value)="([^"]*)"', shown.text):
        assert "evil" not in address or re.match(r"/(?![/\\])", address), address


def test_links_in_mails_never_come_from_the_host_that_was_asked(people, world):
    planted = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    with world.client() as browser:
        browser.post("/sign-in/forgotten", data={"mail": "parent@example.org"}, headers=planted)
    with world.client("club_admin") as browser:
        form = {"mail": "new@example.org", "role": "coach", "team_id": str(world.ids["u12"])}
        invited = browser.post("/clubs/riverside-rovers/people/invitations", data=form, headers=planted)
        assert invited.status_code == 303
        assert "evil" not in invited.headers["location"]
    people.work()
    for to in ("parent@example.org", "new@example.org"):
        assert "http://127.0.0.1:8080/" in people.mails(to)[-1].text
        assert "evil.example" not in people.mails(to)[-1].text


@pytest.mark.parametrize("path", ["/reset/", "/invitation/", "/mail-change/", "/s/", "/media/", "/nowhere/", "/teams/"])
def test_a_line_break_in_an_address_plants_no_header(world, path):
    with world.client() as browser:
        answer = browser.get(f"{path}a%0d%0aSet-Cookie:%20planted=1%0d%0aX-Planted:%201")
    assert "x-planted" not in answer.headers
    assert "planted" not in browser.cookies
    assert answer.status_code in (303, 403, 404)


@pytest.mark.slow
def test_no_page_loads_anything_from_another_host_or_leads_a_form_there(full, monkeypatch):
    seen = 0
    with walking(full, monkeypatch) as walker:
        for where, _ in pages(full):
            for who in ("club_admin", "platform_admin", "coach", "parent", None):
                text = walker.ask(who, "GET", where, **HTML).text
                for address in re.findall(r'\b(?:src|srcset|href|action|formaction|poster|data)="([^"]*)"', text):
                    assert re.match(r"/(?![/\\])|[#?]|data:image/|mailto:|$", address), (where, address)
                    seen += 1
                assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", text), where
    assert seen > 1000


CHANGING = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", re.I)
WRITTEN_BY_LOOKING = {"audit_entry", "sign_in"}
"""That somebody looked, and that they are still there."""


@pytest.mark.slow
def test_a_get_changes_nothing_but_the_log_of_who_looked(full, monkeypatch):
    changed: set[tuple[str, str]] = set()
    where = ""

    def note(_connection, _cursor, statement, *_more) -> None:
        if found := CHANGING.match(statement):
            changed.add((where, found[1].lower()))

    event.listen(full.database.engine, "before_cursor_execute", note)
    try:
        with walking(full, monkeypatch) as walker:
            for path, _ in pages(full):
                where = path
                for who in ("club_admin", "platform_admin", "coach", "parent", None):
                    walker.ask(who, "GET", path, **HTML)
    finally:
        event.remove(full.database.engine, "before_cursor_execute", note)
    assert ("/matches/" + OURS, "audit_entry") in changed
    assert {found for found in changed if found[1] not in WRITTEN_BY_LOOKING} == set()


@pytest.mark.parametrize(
    "attack", ["' OR '1'='1", "') OR 1=1 --", "x%' OR name LIKE '%", "%", "__", "\\", "'; DROP TABLE team; --"]
)
def test_what_is_searched_for_is_data_whatever_it_says(full, attack):
    searches = (
        ("platform_admin", "/platform/users", "q", "coach@example.org"),
        ("platform_admin", "/platform/clubs", "q", "Riverside"),
        ("club_admin", "/clubs/riverside-rovers/people", "q", "club_admin@example.org"),
        ("club_admin", "/clubs/riverside-rovers/players", "q", "Robin"),
    )

    def rows() -> dict[str, int]:
        with full.database.reading() as session:
            tables = (table for table in metadata.sorted_tables if table.name != "audit_entry")
            return {table.name: session.scalar(select(func.count()).select_from(table)) for table in tables}

    before = rows()
    for who, path, name, known in searches:
        with full.client(who) as browser:
            assert f">{known}" in browser.get(path).text or known in browser.get(path).text, path
            answer = browser.get(path, params={name: attack})
        assert answer.status_code == 200, path
        main = answer.text.partition("<main")[2]
        assert known not in main, path
    assert sum(before.values()) > 50
    after = rows()
    # Each reader signed in once for all four pages.
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]}.keys() <= {"sign_in"}


@pytest.mark.slow
def test_names_with_code_in_them_are_shown_as_they_are_on_every_page(full, monkeypatch):
    with full.database.writing() as session:
        for table, fields in (
            (Organization, ("name",)),
            (Team, ("name",)),
            (Player, ("first_name", "last_name")),
            (User, ("name",)),
            (Venue, ("name", "address")),
            (Game, ("opponent", "title")),
            (Recording, ("home", "away")),
            (Mail, ("subject", "fault")),
        ):
            for row in session.scalars(select(table)):
                for field in fields:
                    setattr(row, field, f"{CODE}{row.id}")
    shown = 0
    with walking(full, monkeypatch) as walker:
        for where, _ in pages(full):
            for who in ("club_admin", "platform_admin", "coach", "parent"):
                answer = walker.ask(who, "GET", where, **HTML)
                if "text/html" not in answer.headers.get("content-type", ""):
                    continue
                assert "<script>alert" not in answer.text, where
                assert "\"'{{1337*7331}}" not in answer.text, where
                assert WORKED_OUT not in answer.text, where
                shown += "&lt;script&gt;alert(1)" in answer.text
    assert shown > 40


def test_what_breaks_tells_its_reader_nothing(world, monkeypatch):
    def broken(*_a, **_k):
        raise RuntimeError("secret of /srv/portal.db")

    monkeypatch.setattr("viewer.clubs.clubs.overview", broken)
    for html in (True, False):
        with world.client("club_admin", html=html) as browser:
            answer = browser.get("/clubs/riverside-rovers")
        assert answer.status_code == 500
        assert not re.search("secret|Traceback|RuntimeError|portal.db|viewer|litestar|\\.py", answer.text, re.I)


def test_fields_that_a_form_does_not_have_change_nothing(world):
    more = {"role": "platform_admin", "mail": "x@example.org", "id": "1", "user_id": "1", "disabled_at": "2026-01-01"}
    more |= {"organization_id": str(world.ids["theirs"]), "password_hash": "x", "demo": "1", "code": "AAAA"}
    with world.client("parent") as browser:
        form = {"name": "Renamed", "time_zone": "UTC", "notify": "never"}
        assert browser.post("/account", data={**more, **form}).status_code == 303
    with world.client("coach") as browser:
        player = {"first_name": "Noa", "last_name": "New", "joined_on": "2026-10-01"}
        added = browser.post(f"/teams/{world.ids['u12']}/roster/new", data={**more, **player})
        assert added.status_code == 303, added.text
    with world.database.reading() as session:
        user = session.get_one(User, world.users["parent"])
        assert (user.name, user.mail, user.role) == ("Renamed", "parent@example.org", Role.PARENT)
        assert (user.password_hash, user.disabled_at) == (None, None)
        noa = session.scalars(select(Player).where(Player.first_name == "Noa")).one()
        assert (noa.organization_id, noa.user_id) == (world.ids["ours"], None)


def told(answer) -> tuple:
    """All that an answer tells, without what it was asked."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
    return answer.status_code, headers, re.sub(r"[\w.]+@example\.org", "MAIL", answer.text)


def test_known_and_unknown_people_get_the_same_answer_in_every_header(people, world):
    known, unknown = "parent@example.org", "nobody.here@example.org"
    for page, form in (
        ("/sign-in", {"password": "wrong wrong 1"}),
        ("/sign-in/forgotten", {}),
    ):
        with world.client() as browser:
            one, other = (browser.post(page, data={"mail": mail, **form}) for mail in (known, unknown))
        assert told(one) == told(other), page
    with world.client("coach") as browser:
        one, other = (browser.post("/account/mail", data={"mail": mail}) for mail in (known, unknown))
        assert told(one) == told(other)
        page = "/clubs/riverside-rovers/people/invitations"
    with world.client("club_admin") as browser:
        form = {"role": "coach", "team_id": str(world.ids["u12"])}
        one, other = (browser.post(page, data={"mail": mail, **form}) for mail in ("their_parent@example.org", unknown))
        assert told(one) == told(other)


@pytest.mark.parametrize("page", ["/reset", "/invitation", "/mail-change"])
def test_made_up_links_are_all_told_the_same(world, page):
    with world.client() as browser:
        answers = []
        for secret in ("a" * 43, "b", "x" * 500):
            browser.get(f"{page}/{secret}")
            answers.append(told(browser.get(page)))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 410


def test_writing_another_address_before_ones_own_gives_no_more_tries(people, world, monkeypatch):
    monkeypatch.setattr("viewer.accounts.throttle.MOST_PER_ADDRESS", 5)
    assert MOST_PER_ADDRESS > 5
    with world.client() as browser:
        for n in range(8):
            headers = {"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.9", "X-Real-IP": f"198.51.100.{n}"}
            form = {"mail": f"m{n}@example.org", "password": "wrong wrong 1"}
            answer = browser.post("/sign-in", data=form, headers=headers)
    assert answer.status_code == 429


@pytest.mark.parametrize("header", ["Cookie", "X-Forwarded-For", "User-Agent", "Accept", "Range", "If-None-Match"])
def test_a_huge_header_is_answered_like_any_other(world, header):
    with world.client("parent") as browser:
        for value in ("," * 8000, "bytes=" + "0-1," * 2000, "a=" + "b" * 8000, "((((" * 2000):
            assert browser.get("/", headers={header: value}).status_code in (200, 303, 400)


@pytest.mark.parametrize("name", ["../../evil.csv", "/etc/passwd", "a\x00b.csv", "<script>.csv", "x" * 5000])
def test_the_name_of_an_uploaded_table_is_used_for_nothing(world, name):
    before = {path for path in world.portal.settings.data.rglob("*")}
    table = b"first_name,last_name,team\nNoa,New,U12\n"
    with world.client("club_admin") as browser:
        answer = browser.post(
            "/clubs/riverside-rovers/imports/tables", data={"sheet": "players"}, files={"file": (name, table)}
        )
    assert answer.status_code in (303, 400, 422)
    assert name not in answer.text
    assert {path for path in world.portal.settings.data.rglob("*") if path.suffix == ".csv"} <= before


def test_over_https_every_cookie_that_comes_or_goes_is_secure_and_bound(people, world):
    world.portal.settings = replace(world.portal.settings, public_url="https://portal.example")
    mail = "parent@example.org"
    with world.client() as browser:
        browser.post("/sign-in/forgotten", data={"mail": mail})
        people.work()
        link = re.findall(r"https://portal\.example(/reset/\S+)", people.mails(mail)[-1].text)[0]
        browser.base_url = "https://testserver.local"
        answers = [browser.get(link), browser.post("/reset", data={"password": "another green field 5"})]
        answers.append(browser.post("/sign-in", data={"mail": mail, "password": "another green field 5"}))
        answers.append(browser.post("/sign-out"))
        assert not browser.cookies
    said = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
    assert [cookie.partition("=")[0] for cookie in said] == [
        *("__Secure-touchline-reset", "__Secure-touchline-reset"),
        *("__Host-touchline", "__Host-touchline"),
    ]
    for cookie in said:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax"} <= attributes, cookie
        assert not any(part.startswith("domain") for part in attributes)
