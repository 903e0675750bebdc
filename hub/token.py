"""Whether a request shows the rig's token."""

import hmac

from aiohttp import web


def shows_token(request: web.Request, token: str) -> bool:
    """Compared in constant time, whatever bytes the request shows instead."""
    given = request.headers.get("Authorization", "")
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), f"Bearer {token}".encode())


def authorise(request: web.Request, token: str) -> None:
    """Raises `HTTPUnauthorized` unless the request shows the token."""
    if not shows_token(request, token):
        raise web.HTTPUnauthorized(text="this needs the rig's token", headers={"WWW-Authenticate": "Bearer"})
