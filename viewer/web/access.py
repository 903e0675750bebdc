"""Who may reach what: nothing is open unless its route says so."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Any

from litestar import HttpMethod
from litestar.connection import ASGIConnection
from litestar.exceptions import (
    MethodNotAllowedException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
)
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler
from litestar.routes import BaseRoute, HTTPRoute
from sqlalchemy.orm import Session

from viewer.accounts.service import mark_seen, outstayed, signed_in
from viewer.clubs.rights import Rights, Standing, rights_of
from viewer.devices.keys import device_of
from viewer.devices.presence import ASKED_EVERY, heard
from viewer.errors import UnguardedRoute
from viewer.web.person import Person
from viewer.web.portal import Portal
from viewer.web.subjects import SUBJECTS

PROVEN_FOR = timedelta(minutes=15)
"""How long the password or passkey counts for acts that ask for it again (OWASP ASVS 5.0 7.5.1)."""


class Access(StrEnum):
    """What a route asks of whoever calls it; from MEMBER on, towards everything that its path names."""

    PUBLIC = "public"
    DEVICE = "device"
    HALF = "half"
    SET_UP = "set_up"
    SIGNED_IN = "signed_in"
    MEMBER = "member"
    FAMILY = "family"
    NEAR = "near"
    CARE = "care"
    STAFF = "staff"
    COACH = "coach"
    CLUB = "club"
    OWN_CLUB = "own_club"
    PLATFORM = "platform"


_NEEDED = {
    Access.MEMBER: {Standing.MEMBER, Standing.FAMILY, Standing.STAFF, Standing.COACH, Standing.CLUB},
    Access.FAMILY: {Standing.FAMILY},
    # Whom a child's own page is for: the family and the team's staff, not the families of team-mates.
    Access.NEAR: {Standing.FAMILY, Standing.STAFF, Standing.COACH, Standing.CLUB},
    # Who may ask for a child's data, or that it be erased.
    Access.CARE: {Standing.FAMILY, Standing.CLUB},
    Access.STAFF: {Standing.STAFF, Standing.COACH, Standing.CLUB},
    Access.COACH: {Standing.COACH, Standing.CLUB},
    Access.CLUB: {Standing.CLUB, Standing.PLATFORM},
    # What names children, or decides for one: the platform's admin, who runs every club, is a stranger to them.
    Access.OWN_CLUB: {Standing.CLUB},
    Access.PLATFORM: {Standing.PLATFORM},
}
_WITHOUT_SUBJECT = {Access.PUBLIC, Access.DEVICE, Access.HALF, Access.SET_UP, Access.SIGNED_IN, Access.PLATFORM}


class SecondFactorNeeded(PermissionDeniedException):
    """The person has not shown a second factor in this browser; `has_one` is whether they can, or must set one up."""

    def __init__(self, has_one: bool) -> None:
        super().__init__("Show your second factor." if has_one else "Admins and coaches need a second factor.")
        self.has_one = has_one


class ProofNeeded(PermissionDeniedException):
    """The act asks for the password or passkey again."""


def open_to(access: Access, *, proven: bool = False) -> dict[str, Any]:
    """A route's `opt`: who may call it, and whether they must have shown their password or passkey just now."""
    return {"access": access, "proven": proven}


PUBLIC = open_to(Access.PUBLIC)
"""For routes that anybody may call: sign-in, static files, health."""
DEVICE = open_to(Access.DEVICE)
"""For routes that a device key opens, and nothing else."""
HALF = open_to(Access.HALF)
"""For what somebody needs who is signed in but has not shown the second factor yet."""
SET_UP = open_to(Access.SET_UP)
"""For setting up a second factor: by whoever has none yet, or has shown theirs; a password alone replaces none."""
SIGNED_IN = open_to(Access.SIGNED_IN)
"""For what belongs to the signed-in person alone."""
MEMBER = open_to(Access.MEMBER)


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of every route. A thing of somebody else answers like one that does not exist."""
    access = handler.opt.get("access")
    if access is None:
        # Litestar's own answer to OPTIONS, which only pages of other sites ask for.
        raise MethodNotAllowedException
    portal: Portal = connection.app.state.portal
    if access is Access.PUBLIC:
        return
    if access is Access.DEVICE:
        _device(connection, portal)
        return
    key = connection.cookies.get(cookie_name(portal), "")
    now = portal.clock()
    with portal.database.glancing() as session:
        sign_in = signed_in(session, key, now)
        if sign_in is None:
            raise NotAuthorizedException("Please sign in.")
        user, rights = sign_in.user, rights_of(session, sign_in.user)
        connection.scope["user"] = Person(
            user.id,
            user.name,
            user.mail,
            user.time_zone,
            rights,
            sign_in.key_hash,
            sign_in.proven_at,
            sign_in.strong_at is not None,
        )
        if rights.must_prove_twice and outstayed(sign_in, now):
            raise NotAuthorizedException("Please sign in.")
        # A demo demands no second factor, but asks for one that somebody set up.
        asked = rights.second_factor or (rights.must_prove_twice and not portal.settings.demo_mailbox)
        weak = sign_in.strong_at is None and asked
        if weak and access is not Access.HALF and (access is not Access.SET_UP or rights.second_factor):
            raise SecondFactorNeeded(rights.second_factor)
        if access not in (Access.HALF, Access.SET_UP, Access.SIGNED_IN):
            check(session, rights, access, connection.path_params)
    if handler.opt.get("proven") and now - sign_in.proven_at > PROVEN_FOR:
        raise ProofNeeded("Show your password or passkey again.")
    mark_seen(portal.database, sign_in, now)


def check(session: Session, rights: Rights, access: Access, path: dict[str, Any]) -> None:
    """Raise `NotFoundException` or `PermissionDeniedException` unless `access` is met to all that the path names."""
    if access is Access.PLATFORM and not rights.platform_admin:
        raise NotFoundException
    for name, value in path.items():
        if isinstance(value, int) and not 0 <= value < 1 << 63:
            raise NotFoundException
        load = SUBJECTS.get(name)
        if load is None:
            continue
        subject = load(session, value)
        standing = Standing.NOBODY if subject is None else rights.standing(subject)
        if standing is Standing.NOBODY:
            raise NotFoundException("There is no such thing, or it is not one of your team's.")
        # A coach whose own child plays in the team is that child's family as well.
        family = subject is not None and Standing.FAMILY in _NEEDED[access] and rights.stands_for(subject)
        if standing not in _NEEDED[access] and not family:
            raise PermissionDeniedException("This is not open to you.")
        if subject is not None and subject.withheld and standing < Standing.STAFF:
            raise PermissionDeniedException("This match is held back until somebody in it has been blurred.")


def check_routes(routes: Iterable[BaseRoute]) -> None:
    """Raise `UnguardedRoute` for a route that does not say who may call it, or names nothing that could be checked."""
    for route in routes:
        if not isinstance(route, HTTPRoute):
            raise UnguardedRoute(f"{route.path} is no plain HTTP route")
        for handler in route.route_handlers:
            _check_handler(route, handler)


def _check_handler(route: HTTPRoute, handler: HTTPRouteHandler) -> None:
    if handler.http_methods == {HttpMethod.OPTIONS}:
        return
    access = handler.opt.get("access")
    if access is None:
        raise UnguardedRoute(f"{route.path} does not say who may call it")
    if access not in _WITHOUT_SUBJECT and not set(route.path_parameters) & set(SUBJECTS):
        raise UnguardedRoute(f"{route.path} is for {access} of something that its path does not name")


def cookie_name(portal: Portal) -> str:
    """The session cookie; over HTTPS its name binds it to this very host (OWASP ASVS 5.0 3.3.1)."""
    return "__Host-touchline" if portal.settings.https else "touchline"


def _device(connection: ASGIConnection[Any, Any, Any, Any], portal: Portal) -> None:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    with portal.database.glancing() as session:
        device = device_of(session, key.strip()) if scheme.lower() == "bearer" and key else None
    if device is None:
        raise NotAuthorizedException("This device key is not known here, or was revoked.")
    heard(portal.database, device, None, portal.clock(), every=ASKED_EVERY)
    connection.scope["user"] = device
