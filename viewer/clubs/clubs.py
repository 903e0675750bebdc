"""Clubs with their seasons and venues: adding, changing and finding them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import available_timezones

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.models import JoinRequest, Organization, Season, Team, Venue
from viewer.clubs.rosters import slug_of
from viewer.devices.models import Device
from viewer.errors import BadEntry, BadSettings, NotThere, UnknownTeam
from viewer.games.models import Game, Recording
from viewer.privacy.retention import move_ends_of_club

FEWEST_DAYS, MOST_DAYS = 30, 1095
"""How long a club may keep its matches: never for ever."""
PAGE = 50
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# They would hide pages of the portal's own.
_RESERVED = {"new"}


@dataclass(frozen=True)
class ClubEntry:
    """What can be said of a club; an empty `slug` is made from the name."""

    name: str
    slug: str = ""
    time_zone: str = "UTC"
    retention_days: int = 365


@dataclass(frozen=True)
class Overview:
    """A club in numbers; `bytes` is what its recordings take."""

    teams: int
    devices: int
    games: int
    bytes: int
    open_requests: int


def club_named(session: Session, slug: str) -> Organization:
    """The club with this slug; raises `NotThere`."""
    club = session.scalar(select(Organization).where(Organization.slug == slug))
    if club is None:
        raise NotThere(f"There is no club called {slug!r}.")
    return club


def club_or_only(session: Session, slug: str) -> Organization:
    """The club with this slug, or the portal's only one when it is empty.

    Raises `NotThere`, `UnknownTeam` where there is none yet, and `BadSettings` where there are several.
    """
    if slug:
        return club_named(session, slug)
    found = session.scalars(select(Organization).limit(2)).all()
    if not found:
        raise UnknownTeam("there is no team yet: make one with demo-accounts")
    if len(found) > 1:
        raise BadSettings("there are several clubs: say which by --club SLUG")
    return found[0]


def clubs_of(session: Session, numbers: frozenset[int]) -> Sequence[Organization]:
    """The clubs with these numbers, by name."""
    return session.scalars(
        select(Organization).where(Organization.id.in_(numbers)).order_by(Organization.name, Organization.id)
    ).all()


def clubs_page(session: Session, after: int | None, words: str = "") -> Sequence[Organization]:
    """The platform's clubs from the one numbered `after` on; at most `PAGE`, of those with `words` in their name."""
    listed = select(Organization).order_by(Organization.id).limit(PAGE)
    if after is not None:
        listed = listed.where(Organization.id > after)
    if words:
        listed = listed.where(func.lower(Organization.name).contains(words.lower(), autoescape=True))
    return session.scalars(listed).all()


def overview(session: Session, club: Organization) -> Overview:
    """What the club's first page tells."""

    def count(model: type[Team | Device | Game]) -> int:
        return session.scalar(select(func.count()).where(model.organization_id == club.id)) or 0

    taken = select(func.coalesce(func.sum(Recording.bytes), 0)).join(Game).where(Game.organization_id == club.id)
    asked = select(func.count()).select_from(JoinRequest).join(Team, Team.id == JoinRequest.team_id)
    asked = asked.where(Team.organization_id == club.id, JoinRequest.decided_at.is_(None))
    return Overview(
        count(Team), count(Device), count(Game), int(session.scalar(taken) or 0), session.scalar(asked) or 0
    )


def add_club(session: Session, entry: ClubEntry, now: datetime, by: Actor) -> Organization:
    """A new club; raises `BadEntry`."""
    slug = entry.slug or slug_of(entry.name)
    _check_club(session, entry, slug, None)
    club = Organization(
        name=entry.name, slug=slug, time_zone=entry.time_zone, retention_days=entry.retention_days, made_at=now
    )
    session.add(club)
    session.flush()
    by.did(session, Act.ADD, "organization", club.id, now, organization_id=club.id, name=club.name)
    return club


def change_club(session: Session, club: Organization, entry: ClubEntry, now: datetime, by: Actor) -> None:
    """Give the club another name, slug, time zone or retention; raises `BadEntry`."""
    slug = entry.slug or slug_of(entry.name)
    _check_club(session, entry, slug, club.id)
    old = {"name": club.name, "slug": club.slug, "time_zone": club.time_zone, "retention_days": club.retention_days}
    kept_days = club.retention_days
    club.name, club.slug = entry.name, slug
    club.time_zone, club.retention_days = entry.time_zone, entry.retention_days
    session.flush()
    move_ends_of_club(session, club, kept_days)
    by.did(session, Act.CHANGE, "organization", club.id, now, organization_id=club.id, old=old)


def check_retention(days: int | None) -> None:
    """Raise `BadEntry` unless matches are kept for a time that has an end."""
    if days is not None and not FEWEST_DAYS <= days <= MOST_DAYS:
        raise BadEntry("retention_days", f"Matches are kept for {FEWEST_DAYS} to {MOST_DAYS} days.")


def _check_club(session: Session, entry: ClubEntry, slug: str, own: int | None) -> None:
    if not entry.name:
        raise BadEntry("name", "A club needs a name.")
    if not _SLUG.fullmatch(slug) or len(slug) > 60 or slug in _RESERVED:
        raise BadEntry("slug", "Small letters, digits and single hyphens, such as riverside-rovers.")
    held = session.scalar(select(Organization.id).where(Organization.slug == slug))
    if held not in (None, own):
        raise BadEntry("slug", f"Another club has the address {slug!r}.")
    if entry.time_zone not in available_timezones():
        raise BadEntry("time_zone", "The name of a time zone, such as Europe/Berlin.")
    check_retention(entry.retention_days)


# ---------------------------------------------------------------------------------------------- seasons


def seasons_of(session: Session, club_id: int) -> Sequence[Season]:
    """The club's seasons, the newest first."""
    listed = select(Season).where(Season.organization_id == club_id)
    return session.scalars(listed.order_by(Season.starts_on.desc(), Season.id.desc()).limit(200)).all()


def season_choices(session: Session, club_id: int) -> list[tuple[int, str]]:
    """What a form offers: the club's seasons, the newest first."""
    return [(season.id, season.name) for season in seasons_of(session, club_id)]


def season_of(session: Session, club_id: int, season_id: int) -> Season:
    """One season of the club; raises `NotThere`."""
    season = session.scalar(select(Season).where(Season.id == season_id, Season.organization_id == club_id))
    if season is None:
        raise NotThere("There is no such season in this club.")
    return season


def season_named(session: Session, club_id: int, name: str) -> Season:
    """The club's season of this name; raises `NotThere`."""
    season = session.scalar(select(Season).where(Season.name == name, Season.organization_id == club_id))
    if season is None:
        raise NotThere(f"There is no season called {name!r} in this club.")
    return season


def save_season(
    session: Session,
    club_id: int,
    season: Season | None,
    name: str,
    starts_on: date,
    ends_on: date,
    now: datetime,
    by: Actor,
) -> Season:
    """Add a season (None), or change one; raises `BadEntry`."""
    if ends_on <= starts_on:
        raise BadEntry("ends_on", "A season ends after it has begun.")
    held = session.scalar(select(Season).where(Season.organization_id == club_id, Season.name == name))
    if held is not None and held is not season:
        raise BadEntry("name", f"There is a season {name} already.")
    act = Act.CHANGE
    if season is None:
        act, season = Act.ADD, Season(organization_id=club_id)
        session.add(season)
    season.name, season.starts_on, season.ends_on = name, starts_on, ends_on
    session.flush()
    by.did(session, act, "season", season.id, now, organization_id=club_id, name=name)
    return season


def remove_season(session: Session, season: Season, now: datetime, by: Actor) -> None:
    """Take back a season that no team plays in; raises `BadEntry`."""
    if session.scalar(select(Team.id).where(Team.season_id == season.id).limit(1)) is not None:
        raise BadEntry("", "Teams play in this season. Give them another one first.")
    by.did(session, Act.REMOVE, "season", season.id, now, organization_id=season.organization_id, name=season.name)
    session.delete(season)


# ---------------------------------------------------------------------------------------------- venues


@dataclass(frozen=True)
class VenueEntry:
    """What can be said of a venue; degrees (WGS 84) both or neither."""

    name: str
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None


def venues_of(session: Session, club_id: int, after: int | None = None) -> Sequence[Venue]:
    """The club's venues in the order in which they came, from the one numbered `after` on; at most `PAGE`."""
    listed = select(Venue).where(Venue.organization_id == club_id)
    if after is not None:
        listed = listed.where(Venue.id > after)
    return session.scalars(listed.order_by(Venue.id).limit(PAGE)).all()


def venue_choices(session: Session, club_id: int) -> list[tuple[int, str]]:
    """What a form offers: the club's venues by name."""
    listed = select(Venue).where(Venue.organization_id == club_id).order_by(Venue.name).limit(500)
    return [(venue.id, venue.name) for venue in session.scalars(listed)]


def venue_of(session: Session, club_id: int, venue_id: int) -> Venue:
    """One venue of the club; raises `NotThere`."""
    venue = session.scalar(select(Venue).where(Venue.id == venue_id, Venue.organization_id == club_id))
    if venue is None:
        raise NotThere("There is no such venue in this club.")
    return venue


def venue_named(session: Session, club_id: int, name: str) -> Venue:
    """The club's venue of this name; raises `NotThere`."""
    venue = session.scalar(select(Venue).where(Venue.name == name, Venue.organization_id == club_id))
    if venue is None:
        raise NotThere(f"There is no venue called {name!r} in this club.")
    return venue


def save_venue(
    session: Session, club_id: int, venue: Venue | None, entry: VenueEntry, now: datetime, by: Actor
) -> Venue:
    """Add a venue (None), or change one; raises `BadEntry`."""
    if (entry.latitude is None) != (entry.longitude is None):
        raise BadEntry("longitude", "Give both degrees, or neither.")
    held = session.scalar(select(Venue).where(Venue.organization_id == club_id, Venue.name == entry.name))
    if held is not None and held is not venue:
        raise BadEntry("name", f"There is a venue {entry.name} already.")
    act = Act.CHANGE
    if venue is None:
        act, venue = Act.ADD, Venue(organization_id=club_id)
        session.add(venue)
    venue.name, venue.address = entry.name, entry.address
    venue.latitude, venue.longitude = entry.latitude, entry.longitude
    session.flush()
    by.did(session, act, "venue", venue.id, now, organization_id=club_id, name=entry.name)
    return venue


def remove_venue(session: Session, venue: Venue, now: datetime, by: Actor) -> None:
    """Take a venue back; games and devices that were there have none then."""
    by.did(session, Act.REMOVE, "venue", venue.id, now, organization_id=venue.organization_id, name=venue.name)
    session.delete(venue)
