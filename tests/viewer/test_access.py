"""Who reaches what: every route is walked as nobody, as a stranger of another team, and as a member."""

import re

import httpx
import pytest
from litestar import Litestar

from viewer.accounts.people import make_user
from viewer.clock import now
from viewer.clubs.rosters import make_organization, make_parent, make_player, make_team
from viewer.db import Database
from viewer.sealing import Seal
from viewer.settings import Settings
from viewer.web.app import build_app
from viewer.web.portal import Portal

SESSION = "1795344000-0a1b2c3d4e"
PUBLIC = {"/sign-in", "/healthz", "/mailbox", "/static/{version}/{path}", "/unsubscribe/{reader}/{kind}/{signature}"}
DEVICE = {"/api/v1/uploads", "/api/v1/uploads/{upload}", "/api/v1/packages/{package_session}"}
FILL = {"match_session": SESSION, "path": "panorama.mp4", "track": "1", "upload": "0" * 32, "package_session": SESSION}


def routes(folder) -> list[tuple[str, str]]:
    settings = Settings(data=folder, demo_mailbox=True)
    settings.make_folders()
    app: Litestar = build_app(Portal(settings, Database(settings.database_url), lambda: None, Seal(b"a secret")))
    return sorted((re.sub(r":\w+}", "}", r.path_format), m) for r in app.routes for m in r.methods if m != "OPTIONS")


def filled(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda name: FILL.get(name[1], "x"), path)


@pytest.mark.slow
def test_nobody_gets_anything_but_the_public_pages(portal_with_match, tmp_path):
    walked = 0
    for path, method in routes(tmp_path):
        if path in PUBLIC:
            continue
        answer = httpx.request(method, portal_with_match.url + filled(path), headers={"Tus-Resumable": "1.0.0"})
        assert answer.status_code == 401, (method, path, answer.status_code)
        assert b"Riverside" not in answer.content
        walked += 1
    assert walked >= 10


@pytest.mark.slow
def test_a_parent_of_another_team_sees_no_trace_of_the_match(portal_with_match, tmp_path):
    database = Database(Settings(data=portal_with_match.data).database_url)
    stranger = ("stranger@example.org", "other pitch 33")
    with database.writing() as session:
        team = make_team(session, make_organization(session, "Other club", now()), "Riverside Rovers", now())
        user = make_user(session, *stranger[:1], "Stranger", stranger[1], now())
        make_parent(session, user, make_player(session, team, "Sam", "Strange", now().date(), now()), "parent", now())
    database.close()
    with portal_with_match.signed_in(stranger) as browser:
        walked = 0
        for path, method in routes(tmp_path):
            if "{match_session}" in path:
                answer = browser.request(method, filled(path))
                assert answer.status_code == 404, (method, path)
                assert "Riverside" not in answer.text
                walked += 1
            elif path in DEVICE:
                answer = browser.request(method, filled(path), headers={"Tus-Resumable": "1.0.0"})
                assert answer.status_code == 401, (method, path)
        assert walked >= 4
        assert SESSION not in browser.get("/").text


@pytest.mark.slow
def test_a_member_reaches_every_page_of_the_match(portal_with_match, tmp_path):
    with portal_with_match.signed_in(portal_with_match.coach) as browser:
        for path, method in routes(tmp_path):
            if "{match_session}" in path:
                assert browser.request(method, filled(path)).status_code == 200, (method, path)


@pytest.mark.slow
def test_a_device_key_opens_no_page_and_a_revoked_one_opens_nothing(portal_with_match):
    portal = portal_with_match
    own = {"Authorization": f"Bearer {portal.run('device-key', '--name', 'spare').strip()}"}
    assert httpx.get(f"{portal.url}/", headers=own).status_code == 401
    assert httpx.get(f"{portal.url}/api/v1/packages/none", headers=own).status_code == 404
    portal.run("device-key", "--name", "spare", "--revoke")
    assert httpx.get(f"{portal.url}/api/v1/packages/none", headers=own).status_code == 401


@pytest.mark.slow
def test_a_file_outside_the_package_is_never_served(portal_with_match):
    with portal_with_match.signed_in(portal_with_match.parent) as browser:
        for path in ("package.json", "..%2f..%2f..%2fportal.db", "../../../portal.db", "%2e%2e/%2e%2e/portal.db"):
            assert browser.get(f"/matches/{SESSION}/media/{path}").status_code == 404, path
    for path in ("../viewer/cli.py", "..%2fcli.py", "%2e%2e%2fcli.py"):
        assert httpx.get(f"{portal_with_match.url}/static/x/{path}").status_code == 404


@pytest.mark.slow
def test_every_answer_carries_the_security_headers(portal_with_match):
    for path in ("/", "/sign-in", "/healthz", "/nowhere", f"/matches/{SESSION}"):
        headers = httpx.get(portal_with_match.url + path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store", path


@pytest.mark.slow
def test_pages_refer_to_no_outside_host(portal_with_match):
    with portal_with_match.signed_in(portal_with_match.parent) as browser:
        for path in ("/", f"/matches/{SESSION}", "/sign-in", "/nowhere"):
            page = browser.get(path).text
            assert re.findall(r'(?:src|href|action)="(?!/)[^#"]*"', page) == [], path
            for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
                assert browser.get(asset).status_code == 200, asset


@pytest.mark.slow
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({}, 303),
    ],
)
def test_only_the_portals_own_pages_may_sign_somebody_out(portal_with_match, headers, status):
    with portal_with_match.signed_in(portal_with_match.parent) as browser:
        assert browser.post("/sign-out", headers=headers).status_code == status
        assert browser.get("/").status_code == (303 if status == 303 else 200)


@pytest.mark.slow
def test_health_answers_get_and_head_without_a_cookie(portal_with_match):
    for method in ("GET", "HEAD"):
        answer = httpx.request(method, f"{portal_with_match.url}/healthz")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
