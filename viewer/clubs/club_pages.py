"""Pages of a club: what it is, its settings, seasons and venues. The guard has checked that the reader runs it."""

from typing import Any
from zoneinfo import available_timezones

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from viewer.clubs import clubs
from viewer.clubs.clubs import ClubEntry, VenueEntry, club_named
from viewer.clubs.models import Organization
from viewer.web.access import SIGNED_IN, Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import After, Asked, actor_of, done, next_key, show
from viewer.web.portal import portal_of

CLUB = open_to(Access.CLUB)
_TABS = (
    ("Overview", ""),
    ("Teams", "/teams"),
    ("People", "/people"),
    ("Players", "/players"),
    ("Devices", "/devices"),
    ("Seasons", "/seasons"),
    ("Venues", "/venues"),
    ("Imports", "/imports"),
    ("Settings", "/settings"),
    ("Consent", "/consent"),
    ("Removals", "/removals"),
    ("Log", "/audit"),
)


def own(request: Asked, club: Organization) -> bool:
    """Whether the reader runs this club themselves; the platform's admin sees no child's name."""
    return club.id in request.user.rights.clubs


def club_page(
    request: Asked, club: Organization, template: str, tab: str, *, status: int = 200, **context: Any
) -> Template:
    """A page of the club, below one of its tabs."""
    address = f"/clubs/{club.slug}"
    tabs = [(words, address + end) for words, end in _TABS if end != "/players" or own(request, club)]
    place = "/clubs" if own(request, club) else "/platform"
    context |= {"club": club, "address": address, "tabs": tabs, "tab": address + tab}
    return show(request, template, place, status=status, **context)


@get("/clubs", opt=SIGNED_IN, sync_to_thread=True)
def clubs_page(request: Asked, state: State) -> Response[Any]:
    """The clubs that the reader runs; straight on where it is only one."""
    with portal_of(state).database.reading() as session:
        mine = clubs.clubs_of(session, request.user.rights.clubs)
    if len(mine) == 1:
        return Redirect(f"/clubs/{mine[0].slug}", status_code=303)
    return show(request, "clubs/clubs.html", "/clubs", clubs=mine)


@get("/clubs/{organization_slug:str}", opt=CLUB, sync_to_thread=True)
def overview_page(request: Asked, state: State, organization_slug: FromPath[str]) -> Template:
    """The club in numbers."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        numbers = clubs.overview(session, club)
    return club_page(request, club, "clubs/overview.html", "", numbers=numbers)


# ---------------------------------------------------------------------------------------------- settings


def _settings(request: Asked, club: Organization, form: Form, status: int = 200) -> Template:
    days = {"least": clubs.FEWEST_DAYS, "most": clubs.MOST_DAYS}
    zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
    return club_page(
        request, club, "clubs/settings.html", "/settings", status=status, form=form, days=days, zones=zones
    )


@get("/clubs/{organization_slug:str}/settings", opt=CLUB, sync_to_thread=True)
def settings_page(request: Asked, state: State, organization_slug: FromPath[str]) -> Template:
    """Name, address, time zone and how long matches are kept."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
    start = {n: getattr(club, n) for n in ("name", "slug", "time_zone", "retention_days")}
    return _settings(request, club, Form(start))


@post("/clubs/{organization_slug:str}/settings", opt=CLUB, status_code=200, sync_to_thread=True)
def take_settings(request: Asked, state: State, organization_slug: FromPath[str], data: Sent) -> Response[Any]:
    """Change the club."""
    portal, form = portal_of(state), Form(data)
    with portal.database.reading() as session:
        before = club_named(session, organization_slug)
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, organization_slug)
        entry = club_entry(form)
        form.check()
        clubs.change_club(session, club, entry, portal.clock(), actor_of(request))
        return done(f"/clubs/{club.slug}/settings", "saved")
    return _settings(request, before, form, 422)


def club_entry(form: Form) -> ClubEntry:
    """What the form says of a club."""
    days = form.number("retention_days", clubs.FEWEST_DAYS, clubs.MOST_DAYS)
    return ClubEntry(form.text("name", 200), form.text("slug", 60, needed=False), form.text("time_zone", 60), days or 0)


# ---------------------------------------------------------------------------------------------- seasons


def _seasons(request: Asked, session: Session, club: Organization, form: Form, status: int = 200) -> Template:
    listed = clubs.seasons_of(session, club.id)
    return club_page(request, club, "clubs/seasons.html", "/seasons", status=status, seasons=listed, form=form)


@get("/clubs/{organization_slug:str}/seasons", opt=CLUB, sync_to_thread=True)
def seasons_page(request: Asked, state: State, organization_slug: FromPath[str]) -> Template:
    """The club's seasons, and a form for a new one."""
    with portal_of(state).database.reading() as session:
        return _seasons(request, session, club_named(session, organization_slug), Form())


@post("/clubs/{organization_slug:str}/seasons", opt=CLUB, status_code=200, sync_to_thread=True)
def add_season(request: Asked, state: State, organization_slug: FromPath[str], data: Sent) -> Response[Any]:
    """Add a season."""
    return _take_season(request, state, organization_slug, None, data)


@get("/clubs/{organization_slug:str}/seasons/{season_id:int}", opt=CLUB, sync_to_thread=True)
def season_page(request: Asked, state: State, organization_slug: FromPath[str], season_id: FromPath[int]) -> Template:
    """One season, to be changed."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        season = clubs.season_of(session, club.id, season_id)
    start = {n: getattr(season, n) for n in ("name", "starts_on", "ends_on")}
    return club_page(request, club, "clubs/season.html", "/seasons", season_id=season_id, form=Form(start))


@post("/clubs/{organization_slug:str}/seasons/{season_id:int}", opt=CLUB, status_code=200, sync_to_thread=True)
def change_season(
    request: Asked, state: State, organization_slug: FromPath[str], season_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Change a season."""
    return _take_season(request, state, organization_slug, season_id, data)


def _take_season(request: Asked, state: State, slug: str, season_id: int | None, data: Sent) -> Response[Any]:
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, slug)
        season = None if season_id is None else clubs.season_of(session, club.id, season_id)
        name, first, last = form.text("name", 60), form.day("starts_on"), form.day("ends_on")
        form.check()
        clubs.save_season(session, club.id, season, name, first, last, portal.clock(), actor_of(request))
        return done(f"/clubs/{slug}/seasons", "added" if season_id is None else "saved")
    with portal.database.reading() as session:
        club = club_named(session, slug)
        if season_id is None:
            return _seasons(request, session, club, form, 422)
    return club_page(request, club, "clubs/season.html", "/seasons", status=422, season_id=season_id, form=form)


@post("/clubs/{organization_slug:str}/seasons/{season_id:int}/remove", opt=CLUB, status_code=200, sync_to_thread=True)
def remove_season(
    request: Asked, state: State, organization_slug: FromPath[str], season_id: FromPath[int]
) -> Response[Any]:
    """Take back a season without teams."""
    portal, form = portal_of(state), Form()
    with form.taking(), portal.database.writing() as session:
        season = clubs.season_of(session, club_named(session, organization_slug).id, season_id)
        clubs.remove_season(session, season, portal.clock(), actor_of(request))
        return done(f"/clubs/{organization_slug}/seasons", "removed")
    with portal.database.reading() as session:
        return _seasons(request, session, club_named(session, organization_slug), form, 422)


# ---------------------------------------------------------------------------------------------- venues


def _venues(
    request: Asked, session: Session, club: Organization, form: Form, after: int | None = None, status: int = 200
) -> Template:
    listed = list(clubs.venues_of(session, club.id, after))
    following = next_key(listed, clubs.PAGE, lambda venue: venue.id)
    context: dict[str, Any] = {"venues": listed, "following": following, "form": form}
    return club_page(request, club, "clubs/venues.html", "/venues", status=status, **context)


@get("/clubs/{organization_slug:str}/venues", opt=CLUB, sync_to_thread=True)
def venues_page(request: Asked, state: State, organization_slug: FromPath[str], after: After = None) -> Template:
    """Where the club plays, and a form for a new place."""
    with portal_of(state).database.reading() as session:
        return _venues(request, session, club_named(session, organization_slug), Form(), after)


@post("/clubs/{organization_slug:str}/venues", opt=CLUB, status_code=200, sync_to_thread=True)
def add_venue(request: Asked, state: State, organization_slug: FromPath[str], data: Sent) -> Response[Any]:
    """Add a venue."""
    return _take_venue(request, state, organization_slug, None, data)


@get("/clubs/{organization_slug:str}/venues/{venue_id:int}", opt=CLUB, sync_to_thread=True)
def venue_page(request: Asked, state: State, organization_slug: FromPath[str], venue_id: FromPath[int]) -> Template:
    """One venue, to be changed."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        venue = clubs.venue_of(session, club.id, venue_id)
    start = {n: getattr(venue, n) for n in ("name", "address", "latitude", "longitude")}
    return club_page(request, club, "clubs/venue.html", "/venues", venue_id=venue_id, form=Form(start))


@post("/clubs/{organization_slug:str}/venues/{venue_id:int}", opt=CLUB, status_code=200, sync_to_thread=True)
def change_venue(
    request: Asked, state: State, organization_slug: FromPath[str], venue_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Change a venue."""
    return _take_venue(request, state, organization_slug, venue_id, data)


def _take_venue(request: Asked, state: State, slug: str, venue_id: int | None, data: Sent) -> Response[Any]:
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, slug)
        venue = None if venue_id is None else clubs.venue_of(session, club.id, venue_id)
        entry = VenueEntry(
            form.text("name", 200),
            form.text("address", 400, needed=False),
            form.degrees("latitude", 90),
            form.degrees("longitude", 180),
        )
        form.check()
        clubs.save_venue(session, club.id, venue, entry, portal.clock(), actor_of(request))
        return done(f"/clubs/{slug}/venues", "added" if venue_id is None else "saved")
    with portal.database.reading() as session:
        club = club_named(session, slug)
        if venue_id is None:
            return _venues(request, session, club, form, status=422)
    return club_page(request, club, "clubs/venue.html", "/venues", status=422, venue_id=venue_id, form=form)


@post("/clubs/{organization_slug:str}/venues/{venue_id:int}/remove", opt=CLUB, status_code=200, sync_to_thread=True)
def remove_venue(request: Asked, state: State, organization_slug: FromPath[str], venue_id: FromPath[int]) -> Redirect:
    """Take a venue back."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        venue = clubs.venue_of(session, club_named(session, organization_slug).id, venue_id)
        clubs.remove_venue(session, venue, portal.clock(), actor_of(request))
    return done(f"/clubs/{organization_slug}/venues", "removed")


ROUTES = [
    clubs_page,
    overview_page,
    settings_page,
    take_settings,
    seasons_page,
    add_season,
    season_page,
    change_season,
    remove_season,
    venues_page,
    add_venue,
    venue_page,
    change_venue,
    remove_venue,
]
