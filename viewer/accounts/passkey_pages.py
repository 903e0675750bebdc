"""Passkeys: the page that lists them, and what the pages' script asks for."""

import logging
from dataclasses import dataclass, field
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from viewer.accounts import passkeys
from viewer.accounts.credentials import user_of
from viewer.accounts.mails import tell
from viewer.accounts.pages import FORM, Asked, Visit, go, inside, keep_sign_in, show
from viewer.accounts.passkeys import Site
from viewer.accounts.service import new_sign_in, note_own, renewed
from viewer.accounts.sign_in_pages import Next
from viewer.accounts.throttle import Trial, count_try, forget_tries
from viewer.errors import BadPasskey, Throttled, ViewerError
from viewer.web.access import PUBLIC, SET_UP, Access, open_to
from viewer.web.portal import Portal, portal_of

log = logging.getLogger("viewer.accounts")
_PAGE = "/account/passkeys"
_MAKE = open_to(Access.SET_UP, proven=True)
_CHANGE = open_to(Access.SIGNED_IN, proven=True)


@dataclass
class Shown:
    """What a browser says of a passkey, with the page to go to and, for a new one, its name."""

    credential: dict[str, Any]
    next: str = "/"
    name: str = ""


@dataclass
class NameForm:
    """A passkey's new name."""

    name: str = field(default="")


@post("/sign-in/passkey/options", opt=PUBLIC, status_code=200, sync_to_thread=True)
def sign_in_options(request: Asked, state: State) -> Response[Any]:
    """What the browser needs to show a passkey."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.writing() as session:
            count_try(session, visit.address, visit.address, now, Trial.PASSKEY)
            return Response(passkeys.request(session, _site(portal), now))
    except Throttled as fault:
        log.warning("passkey throttled address=%s", visit.address)
        return _no(fault, 429)


@post("/sign-in/passkey", opt=PUBLIC, status_code=200, sync_to_thread=True)
def take_passkey(request: Asked, state: State, data: JSONBody[Shown]) -> Response[Any]:
    """Sign in by a passkey with a fresh cookie; the second factor counts as shown."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.writing() as session:
            user = passkeys.owner_of(session, _site(portal), data.credential, now)
            forget_tries(session, visit.address, visit.address, Trial.PASSKEY)
            note_own(session, "sign-in", user, now, visit.address, by="passkey")
            key = new_sign_in(
                session,
                user.id,
                now,
                replaces=visit.cookie,
                strong_at=now,
                address=visit.address,
                browser=visit.browser,
            )
    except BadPasskey as fault:
        log.warning("passkey refused address=%s", visit.address)
        return _no(fault, 403)
    log.info("signed in mail=%r address=%s by=passkey", user.mail, visit.address)
    return _on(portal, data.next, key)


@post("/account/prove/passkey", opt=SET_UP, status_code=200, sync_to_thread=True)
def prove_by_passkey(request: Asked, state: State, data: JSONBody[Shown]) -> Response[Any]:
    """Show a passkey again, for what asks for it."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.writing() as session:
            user = passkeys.owner_of(session, _site(portal), data.credential, now)
            if user.id != request.user.id:
                raise BadPasskey("This passkey is of another account.")
            note_own(session, "prove", user, now, visit.address, by="passkey")
            key = renewed(session, request.user.sign_in, now, proven=True, strong=True)
    except BadPasskey as fault:
        log.warning("passkey refused mail=%r address=%s", request.user.mail, visit.address)
        return _no(fault, 403)
    return _on(portal, data.next, key)


@get(_PAGE, opt=_MAKE, sync_to_thread=True)
def passkeys_page(request: Asked, state: State, wanted: Next = _PAGE) -> Template:
    """The person's passkeys."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        mine = passkeys.passkeys_of(session, request.user.id)
    possible = Site.of(portal.settings) is not None
    return show(request, "passkeys", passkeys=mine, possible=possible, next=inside(wanted))


@post(f"{_PAGE}/options", opt=_MAKE, status_code=200, sync_to_thread=True)
def registration_options(request: Asked, state: State) -> Response[Any]:
    """What the browser needs to make a passkey."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        user = user_of(session, request.user.sign_in)
        return Response(passkeys.registration(session, _site(portal), user, portal.clock()))


@post(_PAGE, opt=_MAKE, status_code=200, sync_to_thread=True)
def take_registration(request: Asked, state: State, data: JSONBody[Shown]) -> Response[Any]:
    """Keep the passkey that the browser made; making it has shown a second factor."""
    portal = portal_of(state)
    now = portal.clock()
    try:
        with portal.database.writing() as session:
            user = user_of(session, request.user.sign_in)
            made = passkeys.register(session, _site(portal), user, data.credential, data.name, now)
            key = renewed(session, request.user.sign_in, now, strong=True)
            words = f"the passkey “{made.name}” was made for your account just now."
            tell(session, user, "A passkey was made", words, now, portal.settings.url)
    except BadPasskey as fault:
        return _no(fault, 400)
    portal.wake()
    log.info("second factor set up mail=%r by=passkey", request.user.mail)
    return _on(portal, data.next, key)


@post(_PAGE + "/{passkey_id:int}/rename", opt=_CHANGE, status_code=200, sync_to_thread=True)
def take_name(request: Asked, state: State, passkey_id: FromPath[int], data: Annotated[NameForm, FORM]) -> Redirect:
    """Give a passkey another name."""
    with portal_of(state).database.writing() as session:
        if not passkeys.rename(session, request.user.id, passkey_id, data.name):
            raise NotFoundException
    return go(_PAGE)


@post(_PAGE + "/{passkey_id:int}/remove", opt=_CHANGE, status_code=200, sync_to_thread=True)
def take_removal(request: Asked, state: State, passkey_id: FromPath[int]) -> Redirect:
    """End a passkey."""
    portal = portal_of(state)
    now = portal.clock()
    with portal.database.writing() as session:
        user = user_of(session, request.user.sign_in)
        if not passkeys.remove(session, user, passkey_id, now):
            raise NotFoundException
        words = "a passkey of your account was removed just now."
        tell(session, user, "A passkey was removed", words, now, portal.settings.url)
    portal.wake()
    log.info("second factor removed mail=%r by=passkey", request.user.mail)
    return go(_PAGE)


def _site(portal: Portal) -> Site:
    site = Site.of(portal.settings)
    if site is None:
        raise NotFoundException("Passkeys need the portal to be reached over HTTPS, by a name.")
    return site


def _no(fault: ViewerError, status: int) -> Response[Any]:
    return Response({"fault": str(fault)}, status_code=status)


def _on(portal: Portal, wanted: str, key: str) -> Response[Any]:
    answer: Response[Any] = Response({"to": inside(wanted)})
    keep_sign_in(answer, portal, key)
    return answer


ROUTES: list[ControllerRouterHandler] = [
    *(sign_in_options, take_passkey, prove_by_passkey),
    *(passkeys_page, registration_options, take_registration, take_name, take_removal),
]
