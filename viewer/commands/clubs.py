"""Commands for clubs, their seasons, venues and teams."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from viewer.accounts.models import Role
from viewer.clock import now
from viewer.clubs import clubs, people, teams
from viewer.clubs.actor import COMMAND_LINE
from viewer.clubs.clubs import ClubEntry, VenueEntry, club_named
from viewer.clubs.teams import TeamEntry
from viewer.commands.common import add_command, database_of, settings_of
from viewer.errors import BadSettings

if TYPE_CHECKING:
    from viewer.commands.common import Commands

Act = Callable[[Session, argparse.Namespace], None]


def add(commands: "Commands") -> None:
    """`club`, `season`, `venue` and `team`."""
    club = add_acts(commands, "club", _CLUB, "list clubs, add one, or change one")
    club.add_argument("--club", default="", metavar="SLUG", help="the club to change")
    club.add_argument("--name", help="its name")
    club.add_argument("--slug", help="its name in addresses (made from the name when left out)")
    club.add_argument("--time-zone", metavar="ZONE", help="such as Europe/Berlin (UTC)")
    club.add_argument("--retention-days", type=int, metavar="DAYS", help="how long matches are kept (365)")
    club.add_argument("--admin", default="", metavar="MAIL", help="invite this address to run the club")
    club.add_argument("--public-url", default="", metavar="URL", help="the portal's address in the invitation")
    season = add_acts(commands, "season", _SEASON, "list a club's seasons, add, change or remove one")
    venue = add_acts(commands, "venue", _VENUE, "list a club's venues, add, change or remove one")
    team = add_acts(commands, "team", _TEAM, "list a club's teams, add or change one, or its code to join")
    for command in (season, venue, team):
        command.add_argument("--club", required=True, metavar="SLUG", help="the club")
    season.add_argument("--season", default="", metavar="NAME", help="the season to change or remove")
    season.add_argument("--name", help="its name, such as 2026/27")
    season.add_argument("--starts", type=day, metavar="DAY", help="its first day, such as 2026-08-01")
    season.add_argument("--ends", type=day, metavar="DAY", help="its last day")
    venue.add_argument("--venue", default="", metavar="NAME", help="the venue to change or remove")
    venue.add_argument("--name", help="its name")
    venue.add_argument("--address", help="its address")
    venue.add_argument("--latitude", type=float, metavar="DEGREES", help="WGS 84, north is positive")
    venue.add_argument("--longitude", type=float, metavar="DEGREES", help="WGS 84, east is positive")
    team.add_argument("--team", default="", metavar="NAME", help="the team to change (the newest of this name)")
    team.add_argument("--name", help="its name")
    team.add_argument("--season", metavar="NAME", help="its season; empty for none")
    team.add_argument("--born-from", type=int, metavar="YEAR", help="first birth year; 0 for none")
    team.add_argument("--born-to", type=int, metavar="YEAR", help="last birth year; 0 for none")
    team.add_argument("--retention-days", type=int, metavar="DAYS", help="how long matches are kept; 0: as the club")


def add_acts(commands: "Commands", name: str, acts: Mapping[str, Act], help_text: str) -> argparse.ArgumentParser:
    """A command that does one of `acts`, each in one transaction."""

    def run(options: argparse.Namespace) -> None:
        with database_of(options).writing() as session:
            acts[options.act](session, options)

    command = add_command(commands, name, run, help_text)
    command.add_argument("act", choices=tuple(acts), help="what to do")
    return command


def needed(options: argparse.Namespace, *names: str) -> None:
    """Raise `BadSettings` unless the options are given."""
    for name in names:
        if getattr(options, name) in (None, ""):
            raise BadSettings(f"{options.act} needs --{name.replace('_', '-')}")


def day(text: str) -> date:
    """An option that is a day."""
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it like 2026-08-31") from fault


# ---------------------------------------------------------------------------------------------- clubs


def _list_clubs(session: Session, _options: argparse.Namespace) -> None:
    after: int | None = None
    while page := clubs.clubs_page(session, after):
        for club in page:
            numbers = clubs.overview(session, club)
            print(f"{club.slug}\t{club.name}\t{club.time_zone}\t{club.retention_days} days\t{numbers.teams} teams")
        after = page[-1].id


def _add_club(session: Session, options: argparse.Namespace) -> None:
    needed(options, "name")
    start = ClubEntry(options.name, options.slug or "")
    entry = replace(
        start,
        time_zone=options.time_zone or start.time_zone,
        retention_days=start.retention_days if options.retention_days is None else options.retention_days,
    )
    club = clubs.add_club(session, entry, now(), COMMAND_LINE)
    _invite(session, club.id, options)
    print(club.slug)


def _change_club(session: Session, options: argparse.Namespace) -> None:
    needed(options, "club")
    club = club_named(session, options.club)
    entry = ClubEntry(
        options.name or club.name,
        options.slug or club.slug,
        options.time_zone or club.time_zone,
        club.retention_days if options.retention_days is None else options.retention_days,
    )
    clubs.change_club(session, club, entry, now(), COMMAND_LINE)
    _invite(session, club.id, options)


def _invite(session: Session, club_id: int, options: argparse.Namespace) -> None:
    if options.admin:
        url = settings_of(options).url
        people.invite_as(session, options.admin, Role.CLUB_ADMIN, now(), COMMAND_LINE, url, organization_id=club_id)


# ---------------------------------------------------------------------------------------------- seasons and venues


def _list_seasons(session: Session, options: argparse.Namespace) -> None:
    for season in clubs.seasons_of(session, club_named(session, options.club).id):
        print(f"{season.name}\t{season.starts_on}\t{season.ends_on}")


def _add_season(session: Session, options: argparse.Namespace) -> None:
    needed(options, "name", "starts", "ends")
    club = club_named(session, options.club)
    clubs.save_season(session, club.id, None, options.name, options.starts, options.ends, now(), COMMAND_LINE)


def _change_season(session: Session, options: argparse.Namespace) -> None:
    needed(options, "season")
    club = club_named(session, options.club)
    season = clubs.season_named(session, club.id, options.season)
    name, first, last = options.name or season.name, options.starts or season.starts_on, options.ends or season.ends_on
    clubs.save_season(session, club.id, season, name, first, last, now(), COMMAND_LINE)


def _remove_season(session: Session, options: argparse.Namespace) -> None:
    needed(options, "season")
    season = clubs.season_named(session, club_named(session, options.club).id, options.season)
    clubs.remove_season(session, season, now(), COMMAND_LINE)


def _list_venues(session: Session, options: argparse.Namespace) -> None:
    club, after = club_named(session, options.club), None
    while page := clubs.venues_of(session, club.id, after):
        for venue in page:
            place = "-" if venue.latitude is None else f"{venue.latitude:.5f},{venue.longitude:.5f}"
            print(f"{venue.name}\t{venue.address or '-'}\t{place}")
        after = page[-1].id


def _add_venue(session: Session, options: argparse.Namespace) -> None:
    needed(options, "name")
    entry = VenueEntry(options.name, options.address or "", options.latitude, options.longitude)
    clubs.save_venue(session, club_named(session, options.club).id, None, entry, now(), COMMAND_LINE)


def _change_venue(session: Session, options: argparse.Namespace) -> None:
    needed(options, "venue")
    club = club_named(session, options.club)
    venue = clubs.venue_named(session, club.id, options.venue)
    entry = VenueEntry(
        options.name or venue.name,
        venue.address if options.address is None else options.address,
        venue.latitude if options.latitude is None else options.latitude,
        venue.longitude if options.longitude is None else options.longitude,
    )
    clubs.save_venue(session, club.id, venue, entry, now(), COMMAND_LINE)


def _remove_venue(session: Session, options: argparse.Namespace) -> None:
    needed(options, "venue")
    venue = clubs.venue_named(session, club_named(session, options.club).id, options.venue)
    clubs.remove_venue(session, venue, now(), COMMAND_LINE)


# ---------------------------------------------------------------------------------------------- teams


def _list_teams(session: Session, options: argparse.Namespace) -> None:
    club, after = club_named(session, options.club), None
    while page := teams.teams_of(session, club.id, after=after):
        for line in teams.team_lines(session, page):
            team = line.team
            season = team.season.name if team.season else "-"
            print(f"{team.name}\t{season}\t{line.players} players\t{team.code or '-'}")
        after = page[-1].id


def _add_team(session: Session, options: argparse.Namespace) -> None:
    needed(options, "name")
    club_id = club_named(session, options.club).id
    team = teams.save_team(
        session, club_id, None, _team_entry(session, club_id, TeamEntry(options.name), options), now(), COMMAND_LINE
    )
    print(team.code)


def _change_team(session: Session, options: argparse.Namespace) -> None:
    needed(options, "team")
    club_id = club_named(session, options.club).id
    team = teams.team_called(session, club_id, options.team)
    held = TeamEntry(team.name, team.season_id, team.first_birth_year, team.last_birth_year, team.retention_days)
    entry = replace(_team_entry(session, club_id, held, options), name=options.name or team.name)
    teams.save_team(session, club_id, team, entry, now(), COMMAND_LINE)


def _team_entry(session: Session, club_id: int, held: TeamEntry, options: argparse.Namespace) -> TeamEntry:
    if options.season is not None:
        found = clubs.season_named(session, club_id, options.season).id if options.season else None
        held = replace(held, season_id=found)
    if options.born_from is not None:
        held = replace(held, first_birth_year=options.born_from or None)
    if options.born_to is not None:
        held = replace(held, last_birth_year=options.born_to or None)
    if options.retention_days is not None:
        held = replace(held, retention_days=options.retention_days or None)
    return held


def _new_code(session: Session, options: argparse.Namespace) -> None:
    needed(options, "team")
    team = teams.team_called(session, club_named(session, options.club).id, options.team)
    teams.renew_code(session, team, now(), COMMAND_LINE)
    print(team.code)


def _end_code(session: Session, options: argparse.Namespace) -> None:
    needed(options, "team")
    team = teams.team_called(session, club_named(session, options.club).id, options.team)
    teams.end_code(session, team, now(), COMMAND_LINE)


_CLUB: dict[str, Act] = {"list": _list_clubs, "add": _add_club, "change": _change_club}
_SEASON: dict[str, Act] = {
    "list": _list_seasons,
    "add": _add_season,
    "change": _change_season,
    "remove": _remove_season,
}
_VENUE: dict[str, Act] = {"list": _list_venues, "add": _add_venue, "change": _change_venue, "remove": _remove_venue}
_TEAM: dict[str, Act] = {
    "list": _list_teams,
    "add": _add_team,
    "change": _change_team,
    "new-code": _new_code,
    "end-code": _end_code,
}
