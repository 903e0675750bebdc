"""What every answer carries, and which requests of other sites are refused."""

from functools import cache
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import MutableScopeHeaders, State
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data:{elsewhere}",
        "media-src 'self'{elsewhere}",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
ANY_SITE = "any_site"
"""Key in a route's `opt`: its address itself is the proof, so that a page of another site may call it."""
_HARMLESS = {"GET", "HEAD", "OPTIONS"}


@cache
def content_security_policy(media_origin: str) -> str:
    """What pages may load: the portal's own, and pictures and videos from the bucket that has them, if one does."""
    return _POLICY.format(elsewhere=f" {media_origin}" if media_origin else "")


@cache
def _headers(media_origin: str, https: bool) -> tuple[tuple[bytes, bytes], ...]:
    headers = {**_HEADERS, "Content-Security-Policy": content_security_policy(media_origin)}
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    # As they go over the wire: each answer carries them, and setting them one by one searches all others each time.
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


async def add_headers(message: Message, scope: Scope) -> None:
    """Put the security headers on the answer, errors included; pages are not kept unless they say otherwise."""
    if message["type"] != "http.response.start":
        return
    portal = scope["app"].state.portal
    own = _headers("" if portal.settings.stream else portal.media.origin, portal.settings.https)
    message["headers"] = [*message["headers"], *own]
    MutableScopeHeaders.from_message(message).setdefault("Cache-Control", "no-store")


class SameSite(ASGIMiddleware):
    """Refuses what a page of another site makes a browser send (CSRF), without tokens.

    Browsers say where a request comes from in Sec-Fetch-Site, on plain HTTP at least in Origin (simonw/datasette
    `csrf.py`, Filippo Valsorda "Cross-Site Request Forgery", 2025). Programs send neither and carry no cookie.
    """

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = ANY_SITE

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request through, or raise `PermissionDeniedException`."""
        if scope.get("method") not in _HARMLESS and not _own(Request(scope)):
            raise PermissionDeniedException("This request came from another site.")
        await next_app(scope, receive, send)


def _own(request: Request[object, object, State]) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
