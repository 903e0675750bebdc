"""Routes of the audit log: a club's acts as a page and as a table."""

from datetime import date
from typing import Annotated, Any

from litestar import Response, get
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream, Template
from litestar.types import ControllerRouterHandler

from viewer.audit.acts import Act
from viewer.audit.models import AuditEntry
from viewer.audit.reading import PAGE, Wanted, as_csv, entries
from viewer.clubs.club_pages import club_page
from viewer.clubs.clubs import club_named
from viewer.web.access import Access, open_to
from viewer.web.pages import Asked, Before, actor_of, next_key, searched
from viewer.web.portal import portal_of

CLUB = open_to(Access.CLUB)
Short = Annotated[str, QueryParameter(max_length=320)]
Day = Annotated[str, QueryParameter(max_length=10)]


@get("/clubs/{organization_slug:str}/audit", opt=CLUB, sync_to_thread=True)
def audit_page(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    act: Short = "",
    actor: Short = "",
    since: Day = "",
    until: Day = "",
    before: Before = None,
) -> Template:
    """The club's newest acts of the kind that is asked for."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        last = None if before is None else session.get(AuditEntry, before)
        found = entries(session, _wanted(club.id, act, actor, since, until), last)
    asked = {"act": act, "actor": actor, "since": since, "until": until}
    following = next_key(list(found), PAGE, lambda entry: entry.id)
    return club_page(
        request, club, "audit/audit.html", "/audit", entries=found, acts=list(Act), asked=asked, next=following
    )


@get("/clubs/{organization_slug:str}/audit.csv", opt=CLUB, sync_to_thread=True)
def audit_table(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    act: Short = "",
    actor: Short = "",
    since: Day = "",
    until: Day = "",
) -> Response[Any]:
    """All of the club's acts of the kind that is asked for, as CSV; that somebody took it is an act itself."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        club = club_named(session, organization_slug)
        # A NUL would break the stream half-way: no database takes one.
        act, actor = searched(act), searched(actor)
        asked = {"act": act, "actor": actor, "since": searched(since), "until": searched(until)}
        actor_of(request).did(
            session, Act.AUDIT_EXPORT, "organization", club.id, portal.clock(), organization_id=club.id, filter=asked
        )
    headers = {"Content-Disposition": f'attachment; filename="{club.slug}-audit.csv"'}
    lines = as_csv(portal.database, _wanted(club.id, act, actor, since, until))
    return Stream(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _wanted(club_id: int, act: str, actor: str, since: str, until: str) -> Wanted:
    return Wanted(club_id, act, actor.strip().lower()).between(_day(since), _day(until))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


ROUTES: list[ControllerRouterHandler] = [audit_page, audit_table]
