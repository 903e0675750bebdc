"""Answering with a file or a part of it."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from anyio import to_thread
from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.response import Stream

from viewer.media.ranges import Span, Unsatisfiable, may_range, not_changed, wanted_span

_CHUNK = 512 << 10
_TYPES = {
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


def answer_file(request: Request[Any, Any, Any], path: Path, etag: str, headers: Mapping[str, str]) -> Response[Any]:
    """The file, or the part that `Range` asks for; 304, 206, 416 and HEAD as RFC 9110 says.

    `etag` names the content, quotes excluded. Raises `NotFoundException` when the file is gone. Blocks for one stat:
    call it in a thread.
    """
    try:
        size = path.stat().st_size
    except OSError as fault:
        raise NotFoundException from fault
    tag = f'"{etag}"'
    common = {**headers, "ETag": tag, "Accept-Ranges": "bytes"}
    if not_changed(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=common)
    common["Content-Type"] = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    asked = request.headers.get("range") if may_range(request.headers.get("if-range"), tag) else None
    span = wanted_span(asked, size)
    if isinstance(span, Unsatisfiable):
        return Response(None, status_code=416, headers={**common, "Content-Range": f"bytes */{size}"})
    status, part = (200, Span(0, size)) if span is None else (206, span)
    if span is not None:
        common["Content-Range"] = f"bytes {part.first}-{part.end - 1}/{size}"
    common["Content-Length"] = str(part.end - part.first)
    body = _nothing() if request.method == "HEAD" else _bytes(path, part)
    return Stream(body, status_code=status, headers=common, media_type=common["Content-Type"])


async def _bytes(path: Path, part: Span) -> AsyncIterator[bytes]:
    source = await to_thread.run_sync(lambda: path.open("rb"))
    try:
        source.seek(part.first)
        left = part.end - part.first
        while left and (chunk := await to_thread.run_sync(source.read, min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk
    finally:
        source.close()


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
