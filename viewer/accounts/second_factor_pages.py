"""Setting the second factor up and taking it off."""

import logging
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from viewer.accounts import second_factor
from viewer.accounts.credentials import user_of
from viewer.accounts.mails import tell
from viewer.accounts.models import Totp
from viewer.accounts.pages import FORM, Asked, Visit, go, inside, keep_sign_in, refuse, show
from viewer.accounts.passkeys import Site, passkeys_of
from viewer.accounts.second_factor import SetUp
from viewer.accounts.service import renewed
from viewer.accounts.sign_in_pages import Next
from viewer.accounts.throttle import Trial, count_try, forget_tries
from viewer.errors import Throttled, WrongCode
from viewer.web.access import Access, open_to
from viewer.web.portal import Portal, portal_of

log = logging.getLogger("viewer.accounts")
_PAGE = "/account/second-factor"


@dataclass
class SetUpForm:
    """The app's first code, with the sealed secret that the page showed."""

    code: str
    sealed: str
    next: str = "/account"


@get(_PAGE, opt=open_to(Access.SET_UP, proven=True), sync_to_thread=True)
def second_factor_page(request: Asked, state: State, wanted: Next = "/account") -> Template:
    """What there is of a second factor, and a fresh secret for an authenticator app where there is none."""
    portal = portal_of(state)
    fresh = SetUp.fresh(portal.seal, request.user.id, request.user.mail, portal.clock())
    return show(request, "second_factor", **_around(request, portal, wanted, fresh))


@post(_PAGE, opt=open_to(Access.SET_UP, proven=True), status_code=200, sync_to_thread=True)
def take_set_up(request: Asked, state: State, data: Annotated[SetUpForm, FORM]) -> Response[Any]:
    """Keep the app when its code is right, and show the recovery codes this one time."""
    portal = portal_of(state)
    visit, now, person = Visit.of(request, portal), portal.clock(), request.user
    try:
        with portal.database.writing() as session:
            count_try(session, person.id, visit.address, now, Trial.CODE)
        set_up = SetUp.again(portal.seal, person.id, person.mail, data.sealed, now)
    except (Throttled, WrongCode) as fault:
        fresh = SetUp.fresh(portal.seal, person.id, person.mail, now)
        return refuse(request, "second_factor", fault, **_around(request, portal, data.next, fresh))
    try:
        with portal.database.writing() as session:
            user = user_of(session, person.sign_in)
            codes = second_factor.confirm(session, portal.seal, user, set_up, data.code, now)
            key = renewed(session, person.sign_in, now, strong=True)
            forget_tries(session, person.id, visit.address, Trial.CODE)
            words = "an authenticator app was set up for your account just now."
            tell(session, user, "A second factor was set up", words, now, portal.settings.url)
    except WrongCode as fault:
        return refuse(request, "second_factor", fault, 400, **_around(request, portal, data.next, set_up))
    portal.wake()
    log.info("second factor set up mail=%r by=app", person.mail)
    answer = show(request, "recovery_codes", codes=codes, next=inside(data.next))
    keep_sign_in(answer, portal, key)
    return answer


@post(f"{_PAGE}/remove", opt=open_to(Access.SIGNED_IN, proven=True), status_code=200, sync_to_thread=True)
def take_removal(request: Asked, state: State) -> Redirect:
    """End the authenticator app; an admin or coach without another factor is led back to set one up."""
    portal = portal_of(state)
    now = portal.clock()
    with portal.database.writing() as session:
        user = user_of(session, request.user.sign_in)
        second_factor.remove_app(session, user, now)
        words = "the authenticator app of your account was removed just now."
        tell(session, user, "A second factor was removed", words, now, portal.settings.url)
    portal.wake()
    log.info("second factor removed mail=%r by=app", request.user.mail)
    return go(_PAGE)


@post("/account/recovery-codes", opt=open_to(Access.SIGNED_IN, proven=True), status_code=200, sync_to_thread=True)
def take_new_codes(request: Asked, state: State) -> Template | Redirect:
    """Show a fresh set of recovery codes this one time; the old set ends."""
    portal = portal_of(state)
    if not request.user.rights.second_factor:
        return go(_PAGE)
    with portal.database.writing() as session:
        user = user_of(session, request.user.sign_in)
        codes = second_factor.new_codes(session, portal.seal, user, portal.clock())
    log.info("new recovery codes mail=%r", request.user.mail)
    return show(request, "recovery_codes", codes=codes, next="/account")


def _around(request: Asked, portal: Portal, wanted: str, set_up: SetUp) -> dict[str, Any]:
    person = request.user
    with portal.database.reading() as session:
        app = session.get(Totp, person.id)
        return {
            "next": inside(wanted),
            "set_up": set_up,
            "app_since": app.confirmed_at if app else None,
            "passkeys": len(passkeys_of(session, person.id)),
            "passkeys_work": Site.of(portal.settings) is not None,
            "codes_left": second_factor.codes_left(session, person.id),
            "compulsory": person.rights.must_prove_twice,
            "has_one": person.rights.second_factor,
        }


ROUTES: list[ControllerRouterHandler] = [second_factor_page, take_set_up, take_removal, take_new_codes]
