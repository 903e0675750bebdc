"""Routes that belong to no domain: static files, health, and the description of the API."""

from pathlib import Path
from typing import Any

from litestar import HttpMethod, MediaType, Request, Response, get, route
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from sqlalchemy import text

from viewer.media.files import answer_file
from viewer.web.access import PUBLIC
from viewer.web.portal import portal_of

_DOCUMENT = (Path(__file__).parent / "openapi.json").read_bytes()
_BOTH = [HttpMethod.GET, HttpMethod.HEAD]


@route("/static/{version:str}/{path:path}", http_method=_BOTH, opt=PUBLIC, status_code=200, sync_to_thread=True)
def static_file(
    request: Request[Any, Any, Any], state: State, version: FromPath[str], path: FromPath[str]
) -> Response[Any]:
    """A file of the pages; its address changes with its content, so browsers keep it."""
    assets = portal_of(state).assets
    file = assets.file(str(path)) if version == assets.version else None
    if file is None:
        raise NotFoundException
    return answer_file(request, file, assets.version, {"Cache-Control": "public, max-age=31536000, immutable"})


@route("/healthz", http_method=_BOTH, opt=PUBLIC, status_code=200, sync_to_thread=True)
def health(request: Request[Any, Any, Any], state: State) -> dict[str, str] | None:
    """Whether the portal answers and reaches its database."""
    with portal_of(state).database.glancing() as session:
        session.execute(text("SELECT 1"))
    return None if request.method == "HEAD" else {"status": "ok"}


@get("/api/v1/openapi.json", opt=PUBLIC, media_type=MediaType.JSON, sync_to_thread=False)
def api_document() -> bytes:
    """What hubs and the match page may ask, as OpenAPI 3.1; a test asks the portal all that it allows."""
    return _DOCUMENT


ROUTES: list[ControllerRouterHandler] = [static_file, health, api_document]
