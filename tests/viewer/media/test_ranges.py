"""Parts of files: as RFC 9110 says, by the rule and over HTTP."""

import hashlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.media.ranges import Span, Unsatisfiable, wanted_span

SESSION = "1795344000-0a1b2c3d4e"
VIDEO = f"/matches/{SESSION}/media/panorama.mp4"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("", None),
        ("bytes=0-99", Span(0, 100)),
        ("bytes=900-", Span(900, 1000)),
        ("bytes=-100", Span(900, 1000)),
        ("bytes=-5000", Span(0, 1000)),
        ("bytes=500-5000", Span(500, 1000)),
        ("bytes=999-999", Span(999, 1000)),
        ("bytes=1000-", Unsatisfiable()),
        ("bytes=-0", Unsatisfiable()),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("lines=0-9", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_a_range_means_what_the_rfc_says(header, wanted):
    assert wanted_span(header, 1000) == wanted


@given(st.text(max_size=30) | st.from_regex(r"bytes=\d{0,5}-\d{0,5}", fullmatch=True), st.integers(0, 2000))
def test_no_range_ever_leaves_the_file(header, size):
    span = wanted_span(header, size)
    if isinstance(span, Span):
        assert 0 <= span.first < span.end <= size


@pytest.mark.slow
def test_the_video_comes_whole_in_parts_or_not_at_all(portal_with_match, made_package):
    whole = made_package.files["panorama.mp4"]
    size = len(whole)
    with portal_with_match.signed_in(portal_with_match.parent) as browser:

        def ask(method: str = "GET", **headers: str) -> httpx.Response:
            return browser.request(method, VIDEO, headers={k.replace("_", "-"): v for k, v in headers.items()})

        full = ask()
        assert full.status_code == 200
        assert full.content == whole
        assert full.headers["content-type"] == "video/mp4"
        assert full.headers["accept-ranges"] == "bytes"
        tag = full.headers["etag"]

        part = ask(Range="bytes=100-299")
        assert part.status_code == 206
        assert part.content == whole[100:300]
        assert part.headers["content-range"] == f"bytes 100-299/{size}"

        assert ask(Range="bytes=-50").content == whole[-50:]
        late = ask(Range=f"bytes={size}-")
        assert late.status_code == 416
        assert late.headers["content-range"] == f"bytes */{size}"

        assert ask(Range="bytes=0-9", If_Range=tag).status_code == 206
        assert ask(Range="bytes=0-9", If_Range='"another"').content == whole
        assert ask(Range="bytes=0-9,20-29").content == whole
        kept = ask(If_None_Match=tag)
        assert kept.status_code == 304
        assert kept.content == b""


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [None, "bytes=0-9", "bytes=-5", "bytes=999999999-", "bytes=a-b"])
def test_head_tells_of_the_whole_file_whatever_range_it_asks_for(portal_with_match, made_package, wanted):
    with portal_with_match.signed_in(portal_with_match.parent) as browser:
        head = browser.head(VIDEO, headers={"Range": wanted} if wanted else {})
        kept = browser.head(VIDEO, headers={"Range": "bytes=0-9", "If-None-Match": head.headers["etag"]})
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(made_package.files["panorama.mp4"]))
    assert head.headers["accept-ranges"] == "bytes"
    assert "content-range" not in head.headers
    assert head.content == b""
    assert kept.status_code == 304


@pytest.mark.slow
def test_pieces_put_together_are_the_file(portal_with_match, made_package):
    whole = made_package.files["panorama.mp4"]
    step = len(whole) // 7 + 1
    with portal_with_match.signed_in(portal_with_match.parent) as browser:
        pieces = [
            browser.get(VIDEO, headers={"Range": f"bytes={at}-{at + step - 1}"}).content
            for at in range(0, len(whole), step)
        ]
    assert hashlib.sha256(b"".join(pieces)).digest() == hashlib.sha256(whole).digest()
