"""Where an invitation leads: to a new account, or to being more with the one that somebody has."""

import logging
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from viewer.accounts.models import Role, User
from viewer.accounts.pages import FORM, Asked, Visit, carried, carry, drop, go, keep_sign_in, refuse, show
from viewer.accounts.passwords import SHORTEST, check_new, hash_password
from viewer.accounts.service import new_sign_in, note_own, one_line, signed_in
from viewer.clubs.invitations import VALID, accept, found, offer_of
from viewer.clubs.models import Organization
from viewer.errors import AddressTaken, BadInvitation, LinkSpent, PlayerTaken, WeakPassword
from viewer.web.access import PUBLIC, SIGNED_IN
from viewer.web.portal import Portal, portal_of

log = logging.getLogger("viewer.accounts")
_PAGE, _MINE = "/invitation", "/invitation/mine"
_LOST = (LinkSpent, PlayerTaken, BadInvitation)


@dataclass
class NewAccountForm:
    """Who accepts, and the password they choose."""

    name: str
    password: str


@get("/invitation/{secret:str}", opt=PUBLIC, sync_to_thread=False)
def invitation_link(state: State, secret: FromPath[str]) -> Redirect:
    """The link of the mail."""
    return carry(portal_of(state), secret, _PAGE, int(VALID.total_seconds()))


@get("/invitation", opt=PUBLIC, sync_to_thread=True)
def invitation_page(request: Asked, state: State) -> Template | Redirect:
    """Shows what somebody is invited to, with a form for a new account or the way to sign in."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.reading() as session:
            if signed_in(session, visit.cookie, now) is not None:
                return go(_MINE)
            context = _told(session, request, portal)
    except _LOST as fault:
        return refuse(request, "spent", fault, 410, again="")
    return show(request, "invitation", **context)


@post("/invitation", opt=PUBLIC, status_code=200, sync_to_thread=True)
def take_invitation(request: Asked, state: State, data: Annotated[NewAccountForm, FORM]) -> Response[Any]:
    """Make the account and what it is invited to be; whoever has an account already signs in instead."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.writing() as session:
            user = _new_user(session, carried(request, _PAGE), data, portal, visit.address)
            key = new_sign_in(
                session, user.id, now, replaces=visit.cookie, address=visit.address, browser=visit.browser
            )
    except (WeakPassword, AddressTaken) as fault:
        with portal.database.reading() as session:
            return refuse(request, "invitation", fault, 400, **{**_told(session, request, portal), "name": data.name})
    except _LOST as fault:
        return refuse(request, "spent", fault, 410, again="")
    log.info("signed up mail=%r address=%s", user.mail, visit.address)
    answer = go("/")
    keep_sign_in(answer, portal, key)
    drop(answer, portal, _PAGE)
    return answer


@get("/invitation/mine", opt=SIGNED_IN, sync_to_thread=True)
def my_invitation_page(request: Asked, state: State) -> Template:
    """Asks whether the person who is signed in accepts."""
    portal = portal_of(state)
    try:
        with portal.database.reading() as session:
            context = _told(session, request, portal)
    except _LOST as fault:
        return refuse(request, "spent", fault, 410, again="")
    return show(request, "my_invitation", **context)


@post("/invitation/mine", opt=SIGNED_IN, status_code=200, sync_to_thread=True)
def take_my_invitation(request: Asked, state: State) -> Response[Any]:
    """Make the person who is signed in what they are invited to be."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.writing() as session:
            user = session.get_one(User, request.user.id)
            accept(session, found(session, carried(request, _PAGE), now), user, now, visit.address)
    except _LOST as fault:
        return refuse(request, "spent", fault, 410, again="")
    log.info("invitation accepted mail=%r address=%s", user.mail, visit.address)
    answer = go("/")
    drop(answer, portal, _PAGE)
    return answer


def _told(session: Session, request: Asked, portal: Portal) -> dict[str, Any]:
    invitation = found(session, carried(request, _PAGE), portal.clock())
    offer = offer_of(session, invitation)
    known = session.scalar(select(User.id).where(User.mail == invitation.mail)) is not None
    return {
        "becomes": offer.becomes,
        "club": session.get_one(Organization, offer.organization_id).name,
        "mail": invitation.mail,
        "known": known,
        "name": "",
        "shortest": SHORTEST,
    }


def _new_user(session: Session, secret: str, data: NewAccountForm, portal: Portal, address: str) -> User:
    now = portal.clock()
    invitation = found(session, secret, now)
    if session.scalar(select(User.id).where(User.mail == invitation.mail)) is not None:
        raise AddressTaken("There is an account with this address already: sign in to accept.")
    name = one_line(data.name, 200)
    if not name:
        raise WeakPassword("Tell the team your name.")
    check_new(data.password, invitation.mail)
    club = session.get_one(Organization, offer_of(session, invitation).organization_id)
    user = User(
        mail=invitation.mail,
        name=name,
        role=Role(invitation.role),
        password_hash=hash_password(data.password),
        time_zone=club.time_zone,
        made_at=now,
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError as fault:
        raise AddressTaken("There is an account with this address by now: sign in to accept.") from fault
    note_own(session, "sign-up", user, now, address)
    accept(session, invitation, user, now, address)
    return user


ROUTES: list[ControllerRouterHandler] = [
    *(invitation_link, invitation_page, take_invitation),
    *(my_invitation_page, take_my_invitation),
]
