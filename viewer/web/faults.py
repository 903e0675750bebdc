"""Faults as answers: a page in plain words for people, a sentence as JSON for programs."""

import logging
from typing import Any
from urllib.parse import quote

from litestar import MediaType, Request, Response
from litestar.exceptions import ClientException, HTTPException, NotAuthorizedException, NotFoundException
from litestar.response import Redirect, Template
from sqlalchemy.exc import DataError

from viewer.errors import BadEntry, NotThere, WrongSignIn
from viewer.web.access import ProofNeeded, SecondFactorNeeded

log = logging.getLogger("viewer.web")
_WORDS = {
    400: ("That did not work", "The portal could not understand this request."),
    401: ("Please sign in", "This page is only for members of the team."),
    403: ("Not allowed", "This is not open to you."),
    404: ("Nothing here", "There is no such page, or it is not one of your team's."),
    405: ("That did not work", "This page cannot be used that way."),
    413: ("Too large", "What was sent is too large."),
    429: ("Too many tries", "Wait a little and try again."),
    500: ("Something broke", "That was our fault, not yours. Try again in a moment."),
}

_UNFIT = (DataError, OverflowError)
"""What databases say to a NUL in a text, or to a number that no column holds."""

SECRET_PATHS = frozenset({"invitation", "mail-change", "media", "reset", "s", "unsubscribe"})
"""First parts of addresses that are keys themselves: whoever reads the rest of one in a log could use it."""


def told_path(path: str) -> str:
    """A path as logs may have it."""
    first = path.lstrip("/").split("/", 1)[0]
    return f"/{first}/…" if first in SECRET_PATHS else path


def answer_fault(request: Request[Any, Any, Any], fault: Exception) -> Response[Any]:
    """The one place where faults become HTTP; what broke goes to the log, never to the reader."""
    if isinstance(fault, NotThere):
        fault = NotFoundException(str(fault))
    elif isinstance(fault, BadEntry):
        fault = ClientException(str(fault), status_code=422)
    elif isinstance(fault, WrongSignIn):
        fault = NotAuthorizedException(str(fault))
    status = fault.status_code if isinstance(fault, HTTPException) else 400 if isinstance(fault, _UNFIT) else 500
    if status >= 500:
        log.error("request failed method=%s path=%s", request.method, told_path(request.url.path), exc_info=fault)
    else:
        log.info("request refused method=%s path=%s status=%d", request.method, told_path(request.url.path), status)
    said = fault.detail if isinstance(fault, HTTPException) and status < 500 else ""
    headers = dict(fault.headers or {}) if isinstance(fault, HTTPException) else {}
    if not _for_people(request):
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        words = said or _WORDS.get(status, _WORDS[500])[1]
        return Response({"fault": words}, status_code=status, media_type=MediaType.JSON, headers=headers)
    if status == 401:
        return Redirect(f"/sign-in?next={quote(request.url.path, safe='/')}", status_code=303)
    if isinstance(fault, SecondFactorNeeded | ProofNeeded):
        # What was sent by a form cannot be sent again after the proof.
        back = request.url.path if request.method == "GET" else "/account"
        return Redirect(f"{_proof_page(fault)}?next={quote(back, safe='/')}", status_code=303)
    title, words = _WORDS.get(status, _WORDS[500 if status >= 500 else 400])
    return Template(
        "fault.html",
        context={"title": title, "words": words, "status": status},
        status_code=status,
        headers=headers,
        media_type=MediaType.HTML,
    )


def _proof_page(fault: SecondFactorNeeded | ProofNeeded) -> str:
    if isinstance(fault, ProofNeeded):
        return "/account/prove"
    return "/sign-in/second" if fault.has_one else "/account/second-factor"


def _for_people(request: Request[Any, Any, Any]) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
