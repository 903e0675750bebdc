"""Answering with a match's file: by the portal, by nginx, or by the bucket that has it."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from viewer.media.files import answer_bytes
from viewer.media.ranges import not_changed
from viewer.media.types import media_type
from viewer.web.portal import Portal, portal_of

KEPT_S = 3600
"""How long a browser may keep a file; its address changes with its content."""
FEWEST_MINUTES = timedelta(minutes=10)
"""How long a bucket's address lasts at the least."""
_UNSAFE = re.compile(r"[^\w .,()-]+")
_LONGEST_NAME = 120


@dataclass(frozen=True)
class MediaFile:
    """A file in the store as the database knows it; `sha256` names its content.

    `seconds` is how long somebody watches it: a browser comes back for parts of a video as long as it plays.
    """

    path: str
    bytes: int
    sha256: str
    seconds: float = 0.0

    @property
    def is_video(self) -> bool:
        """Whether it moves."""
        return media_type(self.path).startswith("video/")


def answer_media(
    request: Request[Any, Any, Any], file: MediaFile, *, save_as: str = "", lasting: bool = True
) -> Response[Any]:
    """The file, whole or in part, to look at or, with a name, to save; who may have it has been checked.

    Unless `lasting`, nothing of it outlives this answer: no bucket's address, and browsers keep no copy.
    """
    portal = portal_of(request.app.state)
    headers = {
        "Cache-Control": f"private, max-age={KEPT_S}" if lasting else "private, no-store",
        "Content-Disposition": _disposition(save_as),
        "Content-Type": media_type(file.path),
    }
    etag = file.sha256[:32]
    if portal.settings.x_accel:
        told = {**headers, "X-Accel-Redirect": quote(portal.settings.x_accel + file.path)}
        return Response(b"", status_code=200, headers=told, media_type=headers["Content-Type"])
    kept = not_changed(request.headers.get("if-none-match"), f'"{etag}"')
    if lasting and not save_as and request.method == "GET" and not kept:
        link = _link(portal, file)
        if link is not None:
            # Kept for less long than the address lasts.
            brief = {"Cache-Control": f"private, max-age={int(FEWEST_MINUTES.total_seconds() / 2)}"}
            return Redirect(link, status_code=307, headers=brief)
    try:
        size = portal.media.size(file.path)
    except FileNotFoundError as fault:
        raise NotFoundException("This file is gone.") from fault
    return answer_bytes(request, size, lambda part: portal.media.read(file.path, part.first, part.end), etag, headers)


def file_name(*words: str, suffix: str) -> str:
    """A name for a file that somebody saves: letters, digits and little else, whatever teams are called."""
    said = ", ".join(
        filter(None, (_UNSAFE.sub(" ", unicodedata.normalize("NFC", word)).strip(" .,") for word in words))
    )
    return f"{' '.join(said.split())[:_LONGEST_NAME].strip(' .,') or 'match'}{suffix}"


def _link(portal: Portal, file: MediaFile) -> str | None:
    if portal.settings.stream:
        return None
    return portal.media.view_link(file.path, FEWEST_MINUTES + timedelta(seconds=file.seconds))


def _disposition(save_as: str) -> str:
    if not save_as:
        return "inline"
    plain = unicodedata.normalize("NFKD", save_as).encode("ascii", "ignore").decode()
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(save_as, safe='')}"
