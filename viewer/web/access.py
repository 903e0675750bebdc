"""Who may reach what: nothing is open unless its route says so."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.handlers.base import BaseRouteHandler
from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import Account
from viewer.accounts.service import mark_seen, signed_in
from viewer.devices.keys import device_of
from viewer.matches.models import Match, MatchTeam
from viewer.teams.models import Membership
from viewer.web.portal import Portal

PUBLIC = {"access": "public"}
"""For routes that anybody may call: sign-in, static files, health."""
DEVICE = {"access": "device"}
"""For routes that a device key opens, and nothing else."""


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of every route: an account that is signed in and, where the path names a match, linked to one of its teams.

    A match of somebody else answers like one that does not exist.
    """
    access = handler.opt.get("access")
    if access == "public":
        return
    portal: Portal = connection.app.state.portal
    if access == "device":
        _device(connection, portal)
        return
    key = connection.cookies.get(cookie_name(portal), "")
    now = portal.clock()
    with portal.database.reading() as session:
        account = signed_in(session, key, now)
        if account is None:
            raise NotAuthorizedException("Please sign in.")
        connection.scope["user"] = account
        name = connection.path_params.get("match_session")
        if name is not None and not may_see(session, account, str(name)):
            raise NotFoundException("There is no such match, or it is not one of your team's.")
    mark_seen(portal.database, key, now)


def may_see(session: Session, account: Account, match_session: str) -> bool:
    """Whether the account is a member of one of the match's teams."""
    linked = (
        select(Match.id)
        .join(MatchTeam, MatchTeam.match_id == Match.id)
        .join(Membership, Membership.team_id == MatchTeam.team_id)
        .where(Match.session == match_session, Membership.account_id == account.id)
    )
    return session.scalar(linked.limit(1)) is not None


def cookie_name(portal: Portal) -> str:
    """The session cookie; over HTTPS its name binds it to this very host (OWASP ASVS 5.0 3.3.1)."""
    return "__Host-touchline" if portal.settings.https else "touchline"


def _device(connection: ASGIConnection[Any, Any, Any, Any], portal: Portal) -> None:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    with portal.database.reading() as session:
        device = device_of(session, key.strip()) if scheme.lower() == "bearer" and key else None
    if device is None:
        raise NotAuthorizedException("This device key is not known here, or was revoked.")
    connection.scope["user"] = device
