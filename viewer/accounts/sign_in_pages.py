"""Signing in and out, by password and by the second factor."""

import logging
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import QueryParameter
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from viewer.accounts import second_factor
from viewer.accounts.credentials import user_of
from viewer.accounts.pages import FORM, Asked, Visit, forget_sign_in, go, inside, keep_sign_in, refuse, show
from viewer.accounts.passkeys import Site, passkeys_of
from viewer.accounts.service import mail_address, note_own, renewed, sign_in, sign_out
from viewer.errors import Throttled, WrongCode, WrongSignIn
from viewer.web.access import HALF, PUBLIC, cookie_name
from viewer.web.portal import Portal, portal_of

log = logging.getLogger("viewer.accounts")
Next = Annotated[str, QueryParameter(name="next", max_length=500)]


@dataclass
class SignInForm:
    """What the sign-in form sends."""

    mail: str
    password: str
    next: str = "/"


@dataclass
class CodeForm:
    """A code of the app, or a recovery code."""

    code: str
    next: str = "/"


@get("/sign-in", opt=PUBLIC, sync_to_thread=False)
def sign_in_page(request: Asked, state: State, wanted: Next = "/") -> Template:
    """The form; `next` is the page to come back to."""
    return show(request, "sign_in", **_around(portal_of(state), wanted))


@post("/sign-in", opt=PUBLIC, status_code=200, sync_to_thread=True)
def take_sign_in(request: Asked, state: State, data: Annotated[SignInForm, FORM]) -> Response[Any]:
    """Sign in with a fresh cookie and go on, or show the form again with what went wrong."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        key = sign_in(
            portal.database,
            data.mail,
            data.password,
            visit.address,
            now,
            replaces=visit.cookie,
            browser=visit.browser,
        )
    except (Throttled, WrongSignIn) as fault:
        word = "throttled" if isinstance(fault, Throttled) else "refused"
        log.warning("sign-in %s mail=%r address=%s", word, mail_address(data.mail), visit.address)
        return refuse(request, "sign_in", fault, **_around(portal, data.next, data.mail))
    log.info("signed in mail=%r address=%s", mail_address(data.mail), visit.address)
    answer = go(data.next)
    keep_sign_in(answer, portal, key)
    return answer


@get("/sign-in/second", opt=HALF, sync_to_thread=True)
def second_page(request: Asked, state: State, wanted: Next = "/") -> Template | Redirect:
    """Asks for the second factor; whoever needs none goes on."""
    if request.user.strong or not request.user.rights.second_factor:
        return go(wanted)
    return show(request, "second", **_second(portal_of(state), request.user.id, wanted))


@post("/sign-in/second", opt=HALF, status_code=200, sync_to_thread=True)
def take_second(request: Asked, state: State, data: Annotated[CodeForm, FORM]) -> Response[Any]:
    """Take a code and go on with a fresh cookie."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.reading() as session:
            user = user_of(session, request.user.sign_in)
        second_factor.show(portal.database, portal.seal, user, data.code, visit.address, now)
        with portal.database.writing() as session:
            key = renewed(session, request.user.sign_in, now, strong=True)
    except (Throttled, WrongCode) as fault:
        word = "throttled" if isinstance(fault, Throttled) else "refused"
        log.warning("second factor %s mail=%r address=%s", word, request.user.mail, visit.address)
        return refuse(request, "second", fault, **_second(portal, request.user.id, data.next))
    except WrongSignIn:
        return go("/sign-in")
    log.info("second factor shown mail=%r address=%s", request.user.mail, visit.address)
    answer = go(data.next)
    keep_sign_in(answer, portal, key)
    return answer


@post("/sign-out", opt=HALF, status_code=200, sync_to_thread=True)
def take_sign_out(request: Asked, state: State) -> Redirect:
    """End this browser's sign-in."""
    portal = portal_of(state)
    cookie, now = cookie_name(portal), portal.clock()
    with portal.database.writing() as session:
        note_own(session, "sign-out", user_of(session, request.user.sign_in), now)
    sign_out(portal.database, request.cookies.get(cookie, ""))
    log.info("signed out mail=%r", request.user.mail)
    answer = go("/sign-in")
    forget_sign_in(answer, portal)
    return answer


def _around(portal: Portal, wanted: str, mail: str = "") -> dict[str, Any]:
    settings = portal.settings
    return {
        "next": inside(wanted),
        "mail": mail,
        "mailbox": settings.demo_mailbox,
        "passkeys": Site.of(settings) is not None,
    }


def _second(portal: Portal, user_id: int, wanted: str) -> dict[str, Any]:
    with portal.database.reading() as session:
        return {
            "next": inside(wanted),
            "app": second_factor.has_app(session, user_id),
            "passkeys": Site.of(portal.settings) is not None and bool(passkeys_of(session, user_id)),
        }


ROUTES: list[ControllerRouterHandler] = [sign_in_page, take_sign_in, second_page, take_second, take_sign_out]
