"""Answering with a file or a part of it."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from anyio import to_thread
from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.response import Stream

from viewer.media.folder import read_file
from viewer.media.ranges import Span, Unsatisfiable, may_range, not_changed, wanted_span
from viewer.media.types import media_type

_PAGES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


def answer_file(request: Request[Any, Any, Any], path: Path, etag: str, headers: Mapping[str, str]) -> Response[Any]:
    """One of the pages' own files, as `answer_bytes` does."""
    try:
        size = path.stat().st_size
    except OSError as fault:
        raise NotFoundException from fault
    told = {"Content-Type": _PAGES.get(path.suffix) or media_type(path.name), **headers}
    return answer_bytes(request, size, lambda part: read_file(path, part.first, part.end), etag, told)


def answer_bytes(
    request: Request[Any, Any, Any],
    size: int,
    read: Callable[[Span], Iterator[bytes]],
    etag: str,
    headers: Mapping[str, str],
) -> Response[Any]:
    """`size` bytes, or the part that `Range` asks for; 304, 206, 416 and HEAD as RFC 9110 says.

    `Range` counts with GET alone (RFC 9110 section 14.2): HEAD tells of the whole file and that parts can be had.
    `etag` names the content, quotes excluded; `headers` say the content type.
    """
    tag = f'"{etag}"'
    common = {**headers, "ETag": tag, "Accept-Ranges": "bytes"}
    if not_changed(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=common)
    ranged = request.method == "GET" and may_range(request.headers.get("if-range"), tag)
    span = wanted_span(request.headers.get("range") if ranged else None, size)
    if isinstance(span, Unsatisfiable):
        return Response(None, status_code=416, headers={**common, "Content-Range": f"bytes */{size}"})
    status, part = (200, Span(0, size)) if span is None else (206, span)
    if span is not None:
        common["Content-Range"] = f"bytes {part.first}-{part.end - 1}/{size}"
    common["Content-Length"] = str(part.end - part.first)
    body = _nothing() if request.method == "HEAD" else _pieces(read(part))
    return Stream(body, status_code=status, headers=common, media_type=common["Content-Type"])


async def _pieces(read: Iterator[bytes]) -> AsyncIterator[bytes]:
    # Reading waits for a disk or a bucket: in a thread.
    while piece := await to_thread.run_sync(next, read, b""):
        yield piece


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
