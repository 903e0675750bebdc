"""Routes by which an operator signs in with the node's PIN, and out again."""

import asyncio

from aiohttp import web

from edge.api.access import COOKIE, SESSION_S, Access, SignInRefused, is_own_page
from edge.api.route import Route, body_of
from wire.message import Message


class SignIn(Message, frozen=True, kw_only=True):
    """The PIN of the node's operator."""

    KIND = "sign-in"
    VERSION = 1

    pin: str


def sign_in_routes(access: Access) -> list[Route]:
    """Signing in and out, for the node's own pages."""
    # One PIN is tried at a time, so that many at once are counted one by one.
    trying = asyncio.Lock()

    async def sign_in(request: web.Request) -> web.Response:
        if not is_own_page(request):
            raise SignInRefused("an operator signs in on the node's own page")
        given: SignIn = await body_of(request, SignIn)
        async with trying:
            secret = await asyncio.to_thread(access.sign_in, given.pin)
        answer = web.Response(status=204)
        answer.set_cookie(COOKIE, secret, max_age=SESSION_S, httponly=True, samesite="Strict")
        return answer

    async def sign_out(request: web.Request) -> web.Response:
        access.sign_out(request)
        answer = web.Response(status=204)
        answer.del_cookie(COOKIE, httponly=True, samesite="Strict")
        return answer

    return [
        Route(
            "POST",
            "/api/v1/sign-in",
            "sign in with the node's PIN, for a cookie",
            sign_in,
            takes=SignIn,
            open=True,
            refusals={
                400: "the order cannot be read",
                403: "a wrong PIN, or not from the node's own page",
                429: "too many wrong PINs: nobody signs in for a minute",
            },
        ),
        Route("POST", "/api/v1/sign-out", "end the operator's session", sign_out),
    ]
