"""Addresses that are keys stay out of logs, ours and nginx's."""

import logging
import re
from pathlib import Path

import pytest

from tests.viewer.walking import routes
from viewer.web.faults import SECRET_PATHS

NGINX = Path(__file__).parents[3] / "images" / "viewer" / "nginx.conf"
KEYS = {"secret", "token", "signature"}


def keyed(world) -> set[str]:
    """Paths of routes that have a key in them, with the key filled in."""
    found = {path for _, path, _ in routes(world) if KEYS & set(re.findall(r"{(\w+)", path))}
    return {re.sub(r"{[^}]+}", "SECRETKEY7", path) for path in found}


def test_every_route_with_a_key_in_its_address_is_known_to_the_logs(world):
    assert {path.split("/")[1] for path in keyed(world)} == SECRET_PATHS


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST"])
def test_what_is_logged_of_a_refusal_has_no_secret_in_it(world, caplog, method):
    caplog.set_level(logging.DEBUG, logger="viewer")
    with world.client() as browser:
        for path in sorted(keyed(world)):
            browser.request(method, path, headers={"Sec-Fetch-Site": "cross-site"})
    assert caplog.records
    assert "SECRETKEY7" not in caplog.text


def test_nginx_logs_no_address_with_a_key_and_all_others(world):
    quiet = [re.compile(words) for words in re.findall(r"^\s*~(\S+) 0;", NGINX.read_text(), re.M)]
    for path in [*keyed(world), "/imports/teamsnap/callback?code=SECRETKEY7&state=x"]:
        assert any(pattern.match(path) for pattern in quiet), path
    for path in ("/", "/matches/1795344000-0a1b2c3d4e", "/sign-in", "/static/1/app.js", "/api/v1/uploads", "/settings"):
        assert not any(pattern.match(path) for pattern in quiet), path


def test_nginx_logs_nothing_of_what_came_to_it_without_tls():
    plain = NGINX.read_text().split("listen 80;")[1].split("server {")[0]
    assert "access_log off;" in plain
