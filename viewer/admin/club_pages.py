"""The platform's first page, and its clubs. The guard has checked that the reader runs the platform."""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.response import Template
from sqlalchemy.orm import Session

from viewer.accounts.models import Role
from viewer.admin import condition
from viewer.admin.told import told
from viewer.clubs import clubs, people
from viewer.clubs.club_pages import club_entry
from viewer.web.access import Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import After, Asked, Words, actor_of, done, next_key, searched, show
from viewer.web.portal import portal_of

PLATFORM = open_to(Access.PLATFORM)
_TABS = (
    ("Health", "/platform"),
    ("Clubs", "/platform/clubs"),
    ("Accounts", "/platform/users"),
    ("Work", "/platform/jobs"),
    ("Mail", "/platform/mail"),
    ("Storage", "/platform/storage"),
    ("Settings", "/platform/settings"),
)


def platform_page(request: Asked, template: str, tab: str, *, status: int = 200, **context: Any) -> Template:
    """A page of the platform, below one of its tabs."""
    return show(request, template, "/platform", status=status, tabs=_TABS, tab=tab, **context)


@get("/platform", opt=PLATFORM, sync_to_thread=True)
def health_page(request: Asked, state: State) -> Template:
    """Whether all is well: database, disk, work and mail that wait or failed, periodic duties."""
    portal = portal_of(state)
    held, right = condition.revision(portal.database)
    with portal.database.reading() as session:
        health = condition.health_of(session, portal.clock())
    context: dict[str, Any] = {"revision": held, "right": right, "health": health}
    disk = condition.disk_of(portal.settings)
    return platform_page(request, "admin/health.html", "/platform", disk=disk, **context)


@get("/platform/clubs", opt=PLATFORM, sync_to_thread=True)
def clubs_page(request: Asked, state: State, words: Words = "", after: After = None) -> Template:
    """Every club, and a form for a new one."""
    with portal_of(state).database.reading() as session:
        return _clubs(request, session, _new(), words=searched(words), after=after)


@post("/platform/clubs", opt=PLATFORM, status_code=200, sync_to_thread=True)
def add_club(request: Asked, state: State, data: Sent) -> Response[Any]:
    """Add a club and invite its first admin."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        by, now = actor_of(request), portal.clock()
        entry, mail = club_entry(form), form.text("mail", 320)
        form.check()
        club = clubs.add_club(session, entry, now, by)
        people.invite_as(session, mail, Role.CLUB_ADMIN, now, by, portal.settings.url, organization_id=club.id)
    if form.faults:
        with portal.database.reading() as session:
            return _clubs(request, session, form, status=422)
    portal.wake()
    return done("/platform/clubs", "added")


def _new() -> Form:
    return Form({"time_zone": "Europe/Berlin", "retention_days": 365})


def _clubs(
    request: Asked, session: Session, form: Form, *, words: str = "", after: int | None = None, status: int = 200
) -> Template:
    listed = list(clubs.clubs_page(session, after, words))
    context: dict[str, Any] = {
        "clubs": listed,
        "following": next_key(listed, clubs.PAGE, lambda club: club.id),
        "words": words,
        "form": form,
        "days": (clubs.FEWEST_DAYS, clubs.MOST_DAYS),
    }
    return platform_page(request, "admin/clubs.html", "/platform/clubs", status=status, **context)


@get("/platform/settings", opt=PLATFORM, sync_to_thread=True)
def settings_page(request: Asked, state: State) -> Template:
    """What the portal was told at its start; passwords are left out."""
    portal = portal_of(state)
    lines = told(portal.settings, portal.assets.version)
    return platform_page(request, "admin/settings.html", "/platform/settings", told=lines)


ROUTES = [health_page, clubs_page, add_club, settings_page]
