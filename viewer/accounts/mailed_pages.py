"""Where mailed links lead: to a new password and to another mail address.

Mail scanners open links, so opening one changes nothing: the page behind it has a button.
"""

import logging
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from viewer.accounts.credentials import ask_reset, confirm_mail_change, reset_password
from viewer.accounts.models import Purpose
from viewer.accounts.pages import FORM, Asked, Visit, carried, carry, drop, go, refuse, show
from viewer.accounts.passwords import SHORTEST
from viewer.accounts.tickets import VALID, look_at
from viewer.errors import AddressTaken, LinkSpent, Throttled, WeakPassword
from viewer.web.access import PUBLIC
from viewer.web.portal import portal_of

log = logging.getLogger("viewer.accounts")
_RESET, _MAIL = "/reset", "/mail-change"


@dataclass
class ForgottenForm:
    """Whose password is forgotten."""

    mail: str


@dataclass
class ResetForm:
    """The new password."""

    password: str


@get("/sign-in/forgotten", opt=PUBLIC, sync_to_thread=False)
def forgotten_page(request: Asked) -> Template:
    """Asks for the address of the account."""
    return show(request, "forgotten", asked=False)


@post("/sign-in/forgotten", opt=PUBLIC, status_code=200, sync_to_thread=True)
def take_forgotten(request: Asked, state: State, data: Annotated[ForgottenForm, FORM]) -> Template:
    """Say that a mail is on its way if there is such an account; the same for everybody."""
    portal = portal_of(state)
    visit = Visit.of(request, portal)
    try:
        with portal.database.writing() as session:
            ask_reset(session, data.mail, visit.address, portal.clock())
    except Throttled as fault:
        log.warning("new password throttled mail=%r address=%s", data.mail[:320], visit.address)
        return refuse(request, "forgotten", fault, asked=False)
    portal.wake()
    log.info("new password asked mail=%r address=%s", data.mail[:320], visit.address)
    return show(request, "forgotten", asked=True, minutes=VALID[Purpose.RESET].seconds // 60)


@get("/reset/{secret:str}", opt=PUBLIC, sync_to_thread=False)
def reset_link(state: State, secret: FromPath[str]) -> Redirect:
    """The link of the mail."""
    return carry(portal_of(state), secret, _RESET, VALID[Purpose.RESET].seconds)


@get("/reset", opt=PUBLIC, sync_to_thread=True)
def reset_page(request: Asked, state: State) -> Template:
    """Asks for the new password."""
    portal = portal_of(state)
    try:
        with portal.database.reading() as session:
            look_at(session, carried(request, _RESET), Purpose.RESET, portal.clock())
    except LinkSpent as fault:
        return refuse(request, "spent", fault, 410, again="/sign-in/forgotten")
    return show(request, "reset", shortest=SHORTEST)


@post("/reset", opt=PUBLIC, status_code=200, sync_to_thread=True)
def take_reset(request: Asked, state: State, data: Annotated[ResetForm, FORM]) -> Response[Any]:
    """Set the new password; the person signs in with it, second factor and all."""
    portal = portal_of(state)
    visit, now, url = Visit.of(request, portal), portal.clock(), portal.settings.url
    try:
        with portal.database.writing() as session:
            reset_password(session, carried(request, _RESET), data.password, now, url=url, address=visit.address)
    except WeakPassword as fault:
        return refuse(request, "reset", fault, 400, shortest=SHORTEST)
    except LinkSpent as fault:
        return refuse(request, "spent", fault, 410, again="/sign-in/forgotten")
    portal.wake()
    log.info("password reset address=%s", visit.address)
    answer = go("/sign-in")
    drop(answer, portal, _RESET)
    return answer


@get("/mail-change/{secret:str}", opt=PUBLIC, sync_to_thread=False)
def mail_change_link(state: State, secret: FromPath[str]) -> Redirect:
    """The link of the mail."""
    return carry(portal_of(state), secret, _MAIL, VALID[Purpose.CHANGE_MAIL].seconds)


@get("/mail-change", opt=PUBLIC, sync_to_thread=True)
def mail_change_page(request: Asked, state: State) -> Template:
    """Asks whether the account shall really use the new address."""
    portal = portal_of(state)
    try:
        with portal.database.reading() as session:
            ticket = look_at(session, carried(request, _MAIL), Purpose.CHANGE_MAIL, portal.clock())
    except LinkSpent as fault:
        return refuse(request, "spent", fault, 410, again="/account/mail")
    return show(request, "mail_change", mail=ticket.detail)


@post("/mail-change", opt=PUBLIC, status_code=200, sync_to_thread=True)
def take_mail_change(request: Asked, state: State) -> Response[Any]:
    """Use the new address from now on."""
    portal = portal_of(state)
    visit, now, url = Visit.of(request, portal), portal.clock(), portal.settings.url
    try:
        with portal.database.writing() as session:
            user = confirm_mail_change(session, carried(request, _MAIL), now, url=url, address=visit.address)
    except (LinkSpent, AddressTaken) as fault:
        return refuse(request, "spent", fault, 410, again="/account/mail")
    portal.wake()
    log.info("mail address changed mail=%r address=%s", user.mail, visit.address)
    answer = go("/account")
    drop(answer, portal, _MAIL)
    return answer


ROUTES: list[ControllerRouterHandler] = [
    *(forgotten_page, take_forgotten),
    *(reset_link, reset_page, take_reset),
    *(mail_change_link, mail_change_page, take_mail_change),
]
