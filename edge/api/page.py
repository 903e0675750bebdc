"""Routes of the node's own page: files that need nothing from anywhere else."""

from pathlib import Path

from aiohttp import web

from edge.api.route import Route

FOLDER = Path(__file__).parents[1] / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src blob: data:; media-src 'self' blob:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # A node's software changes while phones keep its page.
    "Cache-Control": "no-cache",
}


def page_routes() -> list[Route]:
    """The page and its files, for everybody: they tell nothing of anybody."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in _TYPES)
    return [_route(path) for path in files]


def _route(path: Path) -> Route:
    where = "/" if path.name == "index.html" else f"/static/{path.name}"
    what = "the node's page" if where == "/" else "a file of the node's page"
    kind, raw = _TYPES[path.suffix], path.read_bytes()

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=raw, headers={"Content-Type": kind, **_HEADERS})

    return Route("GET", where, what, answer, gives=kind, open=True)
