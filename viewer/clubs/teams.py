"""Teams: adding, changing and listing them, and the code by which people ask to join."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.clubs import PAGE, check_retention
from viewer.clubs.models import JoinRequest, Team, TeamPlayer
from viewer.clubs.rosters import new_code
from viewer.errors import BadEntry, NotThere, UnknownTeam
from viewer.privacy.retention import move_ends, retention_of


@dataclass(frozen=True)
class TeamEntry:
    """What can be said of a team; without `retention_days` the club's holds."""

    name: str
    season_id: int | None = None
    first_birth_year: int | None = None
    last_birth_year: int | None = None
    retention_days: int | None = None


@dataclass(frozen=True)
class TeamLine:
    """A team in a list: how many play in it, and how many wait to be let in."""

    team: Team
    players: int
    waiting: int


def team_of(session: Session, team_id: int, club_id: int | None = None) -> Team:
    """A team, of that club where one is given; raises `NotThere`."""
    team = session.get(Team, team_id)
    if team is None or club_id not in (None, team.organization_id):
        raise NotThere("There is no such team.")
    return team


def team_called(session: Session, club_id: int, name: str) -> Team:
    """The club's newest team of this name; raises `NotThere`."""
    named = select(Team).where(Team.organization_id == club_id, Team.name == name)
    team = session.scalar(named.order_by(Team.id.desc()).limit(1))
    if team is None:
        raise NotThere(f"There is no team called {name!r} in this club.")
    return team


def first_team(session: Session, club_id: int) -> Team:
    """The club's oldest team; raises `UnknownTeam`."""
    team = session.scalar(select(Team).where(Team.organization_id == club_id).order_by(Team.id).limit(1))
    if team is None:
        raise UnknownTeam("there is no team yet: make one with team add")
    return team


def teams_of(
    session: Session, club_id: int, *, season_id: int | None = None, after: int | None = None
) -> Sequence[Team]:
    """The club's teams by name, the newest of a name first, from the one numbered `after` on; at most `PAGE`."""
    listed = select(Team).where(Team.organization_id == club_id)
    if season_id is not None:
        listed = listed.where(Team.season_id == season_id)
    last = None if after is None else session.get(Team, after)
    if last is not None:
        listed = listed.where((Team.name > last.name) | ((Team.name == last.name) & (Team.id < last.id)))
    return session.scalars(listed.order_by(Team.name, Team.id.desc()).limit(PAGE)).all()


def team_choices(session: Session, club_id: int) -> list[tuple[int, str]]:
    """What a form offers: the club's teams by name, with their season."""
    listed = select(Team).where(Team.organization_id == club_id).order_by(Team.name, Team.id.desc()).limit(500)
    return [(t.id, f"{t.name} ({t.season.name})" if t.season else t.name) for t in session.scalars(listed)]


def teams_with(session: Session, numbers: Iterable[int]) -> Sequence[Team]:
    """The teams with these numbers by name; of one name the newest first."""
    return session.scalars(select(Team).where(Team.id.in_(set(numbers))).order_by(Team.name, Team.id.desc())).all()


def team_lines(session: Session, teams: Sequence[Team]) -> list[TeamLine]:
    """The teams with how many play in them and wait."""
    numbers = [team.id for team in teams]
    playing = session.execute(
        select(TeamPlayer.team_id, func.count())
        .where(TeamPlayer.team_id.in_(numbers), TeamPlayer.left_on.is_(None))
        .group_by(TeamPlayer.team_id)
    )
    asking = session.execute(
        select(JoinRequest.team_id, func.count())
        .where(JoinRequest.team_id.in_(numbers), JoinRequest.decided_at.is_(None))
        .group_by(JoinRequest.team_id)
    )
    players, waiting = ({team: count for team, count in rows} for rows in (playing, asking))
    return [TeamLine(team, players.get(team.id, 0), waiting.get(team.id, 0)) for team in teams]


def save_team(session: Session, club_id: int, team: Team | None, entry: TeamEntry, now: datetime, by: Actor) -> Team:
    """Add a team (None) or change one; raises `BadEntry`. A new team gets a code to join by."""
    if not entry.name:
        raise BadEntry("name", "A team needs a name.")
    years = (entry.first_birth_year, entry.last_birth_year)
    if (years[0] is None) != (years[1] is None):
        raise BadEntry("last_birth_year", "Give both birth years, or neither.")
    if years[0] is not None and years[1] is not None and years[0] > years[1]:
        raise BadEntry("last_birth_year", "The last birth year is not before the first.")
    check_retention(entry.retention_days)
    same = select(Team).where(Team.organization_id == club_id, Team.name == entry.name)
    held = session.scalar(same.where(Team.season_id == entry.season_id).limit(1))
    if held is not None and held is not team:
        raise BadEntry("name", f"There is a team {entry.name} in that season already.")
    act = Act.CHANGE
    if team is None:
        act, team = Act.ADD, Team(organization_id=club_id, code=new_code(), made_at=now)
        session.add(team)
    before = None if act is Act.ADD else retention_of(team)
    team.name, team.season_id, team.retention_days = entry.name, entry.season_id, entry.retention_days
    team.first_birth_year, team.last_birth_year = years
    session.flush()
    session.refresh(team)
    if before is not None:
        move_ends(session, team, before)
    by.did(session, act, "team", team.id, now, organization_id=club_id, name=entry.name)
    return team


def renew_code(session: Session, team: Team, now: datetime, by: Actor) -> None:
    """Give the team a fresh code to join by; the one before is good for nothing."""
    team.code = new_code()
    by.did(session, Act.RENEW_CODE, "team", team.id, now, organization_id=team.organization_id)


def end_code(session: Session, team: Team, now: datetime, by: Actor) -> None:
    """Let nobody ask to join by a code any more."""
    team.code = None
    by.did(session, Act.END_CODE, "team", team.id, now, organization_id=team.organization_id)
