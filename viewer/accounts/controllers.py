"""Routes for signing in and out."""

import logging
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from viewer.accounts.service import LONGEST_STAY, mail_address, sign_in, sign_out
from viewer.errors import Throttled, WrongSignIn
from viewer.web.access import HALF, PUBLIC, cookie_name
from viewer.web.address import client_address
from viewer.web.portal import portal_of

log = logging.getLogger("viewer.accounts")


@dataclass
class SignInForm:
    """What the sign-in form sends."""

    mail: str
    password: str
    next: str = "/"


@get("/sign-in", opt=PUBLIC, sync_to_thread=False)
def sign_in_page(state: State, wanted: Annotated[str, QueryParameter(name="next", max_length=500)] = "/") -> Template:
    """The form; `next` is the page to come back to."""
    return _form(state, inside(wanted))


@post("/sign-in", opt=PUBLIC, status_code=200, sync_to_thread=True)
def take_sign_in(
    request: Request[Any, Any, Any],
    state: State,
    data: Annotated[SignInForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Sign in with a fresh cookie and go on, or show the form again with what went wrong."""
    portal = portal_of(state)
    address = client_address(request)
    cookie = cookie_name(portal)
    try:
        held = request.cookies.get(cookie, "")
        browser = request.headers.get("user-agent", "")
        now = portal.clock()
        key = sign_in(portal.database, data.mail, data.password, address, now, replaces=held, browser=browser)
    except Throttled as fault:
        log.warning("sign-in throttled mail=%r address=%s", mail_address(data.mail), address)
        page = _form(state, inside(data.next), str(fault), data.mail, status=429)
        page.headers["Retry-After"] = str(fault.wait_s)
        return page
    except WrongSignIn as fault:
        log.warning("sign-in refused mail=%r address=%s", mail_address(data.mail), address)
        return _form(state, inside(data.next), str(fault), data.mail, status=403)
    log.info("signed in mail=%r address=%s", mail_address(data.mail), address)
    answer = Redirect(inside(data.next), status_code=303)
    answer.set_cookie(
        cookie,
        key,
        max_age=int(LONGEST_STAY.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=portal.settings.https,
    )
    return answer


@post("/sign-out", opt=HALF, status_code=200, sync_to_thread=True)
def take_sign_out(request: Request[Any, Any, Any], state: State) -> Redirect:
    """End this browser's sign-in."""
    portal = portal_of(state)
    cookie = cookie_name(portal)
    sign_out(portal.database, request.cookies.get(cookie, ""))
    log.info("signed out mail=%r", request.user.mail)
    answer = Redirect("/sign-in", status_code=303)
    answer.delete_cookie(cookie, path="/")
    return answer


def inside(page: str) -> str:
    """`page` when it is a path of this portal, else the home page: no redirect ever leaves the portal."""
    parts = urlsplit(page)
    plain = page.startswith("/") and not page.startswith(("//", "/\\")) and not any(c in page for c in "\\\r\n\t")
    return page if plain and not parts.netloc and not parts.scheme else "/"


def _form(state: State, wanted: str, fault: str = "", mail: str = "", status: int = 200) -> Template:
    mailbox = portal_of(state).settings.demo_mailbox
    context = {"next": wanted, "fault": fault, "mail": mail, "mailbox": mailbox}
    return Template("sign_in.html", context=context, status_code=status)


ROUTES: list[ControllerRouterHandler] = [sign_in_page, take_sign_in, take_sign_out]
