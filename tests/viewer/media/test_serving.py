"""Files of matches are sent by whoever can do it best, and only to those who may have them."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import event

from tests.viewer.world import FILES, OURS, THEIRS, make_world
from viewer.media.serving import file_name

VIDEO = f"/matches/{OURS}/media/panorama.mp4"
WHOLE = FILES["panorama.mp4"]


@pytest.fixture
def nginx_world(database, settings):
    """The world behind an nginx that sends the files."""
    return make_world(database, replace(settings, x_accel="/_media/"))


@pytest.fixture
def streamed_world(s3_world):
    """The world with a bucket whose files go through the portal."""
    s3_world.portal.settings = replace(s3_world.portal.settings, stream=True)
    return s3_world


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("where", ["world", "streamed_world"])
def test_the_portal_sends_the_file_or_a_part(request, where):
    with request.getfixturevalue(where).client("parent") as browser:
        full = browser.get(VIDEO)
        assert (full.status_code, full.content) == (200, WHOLE)
        assert full.headers["content-type"] == "video/mp4"
        assert full.headers["content-disposition"] == "inline"
        assert full.headers["cache-control"].startswith("private")
        part = browser.get(VIDEO, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, WHOLE[10:20])
        assert browser.get(VIDEO, headers={"Range": "bytes=-7"}).content == WHOLE[-7:]
        assert browser.get(VIDEO, headers={"Range": f"bytes={len(WHOLE)}-"}).status_code == 416
        assert browser.get(VIDEO, headers={"If-None-Match": full.headers["etag"]}).status_code == 304
        for more in ({}, {"Range": "bytes=10-19"}, {"Range": "bytes=10-19", "If-Range": full.headers["etag"]}):
            head = browser.head(VIDEO, headers=more)
            assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(WHOLE)), b"")
            assert "content-range" not in head.headers


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("where", ["world", "s3_world", "streamed_world", "nginx_world"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nobody_else_gets_a_byte_or_an_address(request, where, method):
    world = request.getfixturevalue(where)
    for who, status in ((None, 401), ("their_parent", 404), ("u14_parent", 404), ("platform_admin", 403)):
        with world.client(who, html=False) as browser:
            answer = browser.request(method, VIDEO)
            assert answer.status_code == status, who
            assert "location" not in answer.headers
            assert "x-accel-redirect" not in answer.headers
            assert b"panorama" not in answer.content


def test_a_bucket_sends_the_file_itself_for_some_minutes(s3_world):
    with s3_world.client("parent") as browser:
        answer = browser.get(VIDEO, headers={"Range": "bytes=0-1"})
    assert answer.status_code == 307
    assert answer.headers["referrer-policy"] == "no-referrer"
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    # Ten minutes, and as long as the recording plays.
    assert asked["X-Amz-Expires"] == ["620"]
    kept_s = int(answer.headers["cache-control"].removeprefix("private, max-age="))
    assert 0 < kept_s < 620
    assert httpx.get(answer.headers["location"]).content == WHOLE


def test_a_bucket_is_not_asked_for_what_the_browser_has(s3_world):
    with s3_world.client("parent") as browser:
        head = browser.head(VIDEO, headers={"Range": "bytes=0-9"})
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(WHOLE)))
        assert browser.get(VIDEO, headers={"If-None-Match": head.headers["etag"]}).status_code == 304


def test_pages_may_load_pictures_and_videos_from_the_bucket_and_nothing_else(s3_world):
    origin = s3_world.portal.media.origin
    with s3_world.client("parent") as browser:
        rules = dict(rule.split(" ", 1) for rule in browser.get("/").headers["content-security-policy"].split("; "))
    assert {name for name, value in rules.items() if origin in value} == {"img-src", "media-src"}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("where", ["world", "streamed_world"])
def test_pages_load_nothing_from_elsewhere_where_the_portal_sends_all(request, where):
    with request.getfixturevalue(where).client("parent") as browser:
        assert "http" not in browser.get("/").headers["content-security-policy"]


def test_nginx_is_told_which_file_to_send(nginx_world):
    with nginx_world.client("parent") as browser:
        answer = browser.get(VIDEO)
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["x-accel-redirect"] == f"/_media/{OURS}/0123456789abcdef/panorama.mp4"
    assert answer.headers["content-type"] == "video/mp4"


def test_a_file_that_is_gone_is_not_found(world):
    for file in world.portal.settings.media.rglob("panorama.mp4"):
        file.unlink()
    with world.client("parent") as browser:
        assert browser.get(VIDEO).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "package.json",
        "..%2f..%2f..%2fportal.db",
        "../../../portal.db",
        "%2e%2e/%2e%2e/portal.db",
        "..%5c..%5cportal.db",
        "%2fetc%2fpasswd",
        "panorama.mp4%00.jpg",
        f"..%2f..%2f{THEIRS}%2f0123456789abcdef%2fpanorama.mp4",
        "clips%2f..%2fpanorama.mp4",
        "PANORAMA.MP4",
    ],
)
def test_only_what_the_package_listed_is_ever_sent(world, path):
    with world.client("coach") as browser:
        assert browser.get(f"/matches/{OURS}/media/{path}").status_code in (400, 404)


def test_a_file_sets_no_cookie_and_asks_the_database_four_things(world):
    asked = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    with world.client("parent") as browser:
        browser.get(VIDEO)
        asked.clear()
        answer = browser.get(VIDEO, headers={"Range": "bytes=0-1"})
    statements = [words.split()[0] for words in asked if not words.startswith(("BEGIN", "COMMIT", "ROLLBACK"))]
    # Whose browser it is, what they may see, whose recording it is, and the file.
    assert statements == ["SELECT"] * 4
    assert "set-cookie" not in answer.headers


def test_static_files_ask_the_database_nothing(world):
    asked = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    with world.client("parent") as browser:
        asked.clear()
        answer = browser.get(world.portal.assets.url("css/base.css"))
    assert answer.status_code == 200
    assert asked == []
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("Riverside - Hillside", "2026-11-22", "minute 7"), "Riverside - Hillside, 2026-11-22, minute 7.mp4"),
        (("FC Köln - Malmö FF", ""), "FC Köln - Malmö FF.mp4"),
        (('a"; filename="evil.exe', "x"), "a filename evil.exe, x.mp4"),
        (("../../etc/passwd\r\nX: y",), "etc passwd X y.mp4"),
        (("", ""), "match.mp4"),
        (("x" * 500,), "x" * 120 + ".mp4"),
    ],
)
def test_a_name_to_save_under_is_safe_whatever_teams_are_called(words, name):
    assert file_name(*words, suffix=".mp4") == name
