"""A portal that people reach over HTTPS, through a server in front of it."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

PUBLIC = "https://touchline.example.org"
A_YEAR_S = 365 * 24 * 3600
pytestmark = pytest.mark.slow


@pytest.fixture
def behind_https(portal_with_match) -> Iterator[str]:
    """The address of the server behind one that speaks HTTPS."""
    portal = replace(portal_with_match, port=free_port())
    server = portal.start("serve", "--public-url", PUBLIC)
    try:
        portal.wait_for(lambda: up(portal.url), "the start of the portal behind HTTPS")
        yield portal.url
    finally:
        server.terminate()
        server.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def sign_in(url: str, who: tuple[str, str]) -> httpx.Response:
    return httpx.post(f"{url}/sign-in", data={"mail": who[0], "password": who[1]})


def test_the_cookie_goes_over_https_only_and_to_this_host_only(behind_https, portal_with_match):
    answer = sign_in(behind_https, portal_with_match.parent)
    (cookie,) = answer.headers.get_list("set-cookie")
    name, attributes = cookie.split("=", 1)[0], {part.strip().lower() for part in cookie.split(";")[1:]}
    assert name.startswith("__Host-")
    # What browsers demand of a `__Host-` cookie: Secure, the whole site, no Domain.
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes
    assert not any(part.startswith("domain") for part in attributes)
    page = httpx.get(f"{behind_https}/", headers={"Cookie": cookie.split(";")[0]})
    assert page.status_code == 200


def test_browsers_are_told_to_come_back_over_https_only_for_a_year(behind_https, portal_with_match):
    for path in ("/", "/sign-in", "/healthz", "/nowhere"):
        told = httpx.get(behind_https + path).headers["strict-transport-security"]
        assert int(re.fullmatch(r"max-age=(\d+)", told)[1]) >= A_YEAR_S, path
        assert "strict-transport-security" not in httpx.get(portal_with_match.url + path).headers, path


def test_a_cookie_of_the_plain_portal_opens_nothing_over_https(behind_https, portal_with_match):
    (cookie,) = sign_in(portal_with_match.url, portal_with_match.parent).headers.get_list("set-cookie")
    assert "secure" not in cookie.lower()
    assert httpx.get(f"{behind_https}/", headers={"Cookie": cookie.split(";")[0]}).status_code in (303, 401)
