"""What every answer of a running portal keeps to: a device's key opens no page, no file leaves its match, headers."""

import re

import httpx
import pytest

SESSION = "1795344000-0a1b2c3d4e"


@pytest.mark.slow
def test_a_device_key_opens_no_page_and_a_revoked_one_opens_nothing(portal_with_match):
    portal = portal_with_match
    own = {"Authorization": f"Bearer {portal.run('device-key', '--name', 'spare', '--club', 'touchline-fc').strip()}"}
    assert httpx.get(f"{portal.url}/", headers=own).status_code == 401
    assert httpx.get(f"{portal.url}/api/v1/packages/none", headers=own).status_code == 404
    portal.run("device-key", "--name", "spare", "--club", "touchline-fc", "--revoke")
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
            assert re.findall(r'(?:src|href|action)="(?!/(?![/\\]))[^#"]*"', page) == [], path
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
