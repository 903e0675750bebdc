"""Rosters by hand: who plays in a team, under which number, from when to when, and who stands for whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session, joinedload

from viewer.accounts.models import User
from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.clubs import PAGE
from viewer.clubs.models import ParentPlayer, Player, Team, TeamPlayer
from viewer.errors import BadEntry, NotThere

POSITIONS = ("Goalkeeper", "Defender", "Midfielder", "Forward")
FIRST_BIRTH_YEAR, LAST_BIRTH_YEAR = 1930, 2030
MOST_ON_ROSTER = 100


@dataclass(frozen=True)
class PlayerEntry:
    """What can be said of a player."""

    first_name: str
    last_name: str
    birth_year: int | None = None
    default_position: str = ""


@dataclass(frozen=True)
class Parent:
    """Somebody who stands for a player."""

    user: User
    relationship: str


def roster_of(session: Session, team_id: int) -> Sequence[TeamPlayer]:
    """Who plays in the team now: by number, those without one last, then by name."""
    entries = session.scalars(
        select(TeamPlayer)
        .where(TeamPlayer.team_id == team_id, TeamPlayer.left_on.is_(None))
        .options(joinedload(TeamPlayer.player))
    ).all()
    return sorted(entries, key=_by_number)


def former_of(session: Session, team_id: int, before: int | None = None) -> Sequence[TeamPlayer]:
    """Who has left the team, the newest entry first; those numbered under `before`, at most `PAGE`."""
    left = select(TeamPlayer).where(TeamPlayer.team_id == team_id, TeamPlayer.left_on.is_not(None))
    if before is not None:
        left = left.where(TeamPlayer.id < before)
    left = left.options(joinedload(TeamPlayer.player)).order_by(TeamPlayer.id.desc()).limit(PAGE)
    return session.scalars(left).all()


def entry_of(session: Session, team_id: int, entry_id: int) -> TeamPlayer:
    """One line of the team's roster, left ones too; raises `NotThere`."""
    entry = session.scalar(
        select(TeamPlayer)
        .where(TeamPlayer.id == entry_id, TeamPlayer.team_id == team_id)
        .options(joinedload(TeamPlayer.player), joinedload(TeamPlayer.team))
    )
    if entry is None:
        raise NotThere("There is no such player on this roster.")
    return entry


def playing(session: Session, team_id: int, entry_id: int) -> TeamPlayer:
    """One line of the team's roster, of somebody who is on it now; raises `NotThere`.

    Who stands for a child is not for the staff of a team that the child has left.
    """
    entry = entry_of(session, team_id, entry_id)
    if entry.left_on is not None:
        raise NotThere("This player has left the team.")
    return entry


def add_player(
    session: Session, team: Team, entry: PlayerEntry, jersey_number: str, joined_on: date, now: datetime, by: Actor
) -> TeamPlayer:
    """A player whom the club has not had yet, on the team's roster; raises `BadEntry`."""
    _check_player(entry)
    for listed in roster_of(session, team.id):
        if _name(listed.player) == (entry.first_name.casefold(), entry.last_name.casefold()):
            raise BadEntry("first_name", f"{entry.first_name} {entry.last_name} is on this roster already.")
    player = Player(organization_id=team.organization_id, made_at=now)
    _fill(player, entry)
    session.add(player)
    session.flush()
    by.did(session, Act.ADD, "player", player.id, now, organization_id=team.organization_id)
    return put_on_roster(session, team, player, jersey_number, joined_on, now, by)


def put_on_roster(
    session: Session, team: Team, player: Player, jersey_number: str, joined_on: date, now: datetime, by: Actor
) -> TeamPlayer:
    """A player of the club on another roster, or once more on one that they had left; raises `BadEntry`."""
    if player.organization_id != team.organization_id:
        raise NotThere("There is no such player in this club.")
    _check_day(joined_on, now, "joined_on")
    entries = session.scalars(
        select(TeamPlayer).where(TeamPlayer.team_id == team.id, TeamPlayer.player_id == player.id)
    ).all()
    if any(entry.left_on is None for entry in entries):
        raise BadEntry("", f"{player.first_name} {player.last_name} is on this roster already.")
    if any(entry.left_on is not None and joined_on < entry.left_on for entry in entries):
        raise BadEntry("joined_on", "They were on the roster that day already.")
    if len(roster := roster_of(session, team.id)) >= MOST_ON_ROSTER:
        raise BadEntry("", f"A roster has at most {MOST_ON_ROSTER} players.")
    _check_number(roster, jersey_number, None)
    again = next((entry for entry in entries if entry.joined_on == joined_on), None)
    entry = again or TeamPlayer(team_id=team.id, player_id=player.id, joined_on=joined_on)
    entry.jersey_number, entry.left_on = jersey_number or None, None
    player.inactive_at = None
    session.add(entry)
    session.flush()
    by.did(session, Act.JOIN, "player", player.id, now, organization_id=team.organization_id, team=team.id)
    return entry


def change_player(
    session: Session, listed: TeamPlayer, entry: PlayerEntry, jersey_number: str, now: datetime, by: Actor
) -> None:
    """Put a player's name, year, position or number right; raises `BadEntry`."""
    _check_player(entry)
    if listed.left_on is None:
        _check_number(roster_of(session, listed.team_id), jersey_number, listed.id)
    _fill(listed.player, entry)
    listed.jersey_number = jersey_number or None
    session.flush()
    club = listed.player.organization_id
    by.did(session, Act.CHANGE, "player", listed.player_id, now, organization_id=club, team=listed.team_id)


def leave(session: Session, listed: TeamPlayer, left_on: date, now: datetime, by: Actor) -> None:
    """End a player's time in the team: they keep what was played until then; raises `BadEntry`."""
    _check_day(left_on, now, "left_on")
    if left_on < listed.joined_on:
        raise BadEntry("left_on", f"They joined on {listed.joined_on:%Y-%m-%d}.")
    listed.left_on = left_on
    session.flush()
    club = listed.player.organization_id
    by.did(session, Act.LEAVE, "player", listed.player_id, now, organization_id=club, team=listed.team_id)


def player_of(session: Session, player_id: int, club_id: int | None = None) -> Player:
    """One player, of that club where one is given; raises `NotThere`."""
    player = session.get(Player, player_id)
    if player is None or club_id not in (None, player.organization_id):
        raise NotThere("There is no such player.")
    return player


def players_of(session: Session, club_id: int, *, words: str = "", after: int | None = None) -> Sequence[Player]:
    """The club's players by last name, from the one numbered `after` on; at most `PAGE`, with `words` in a name."""
    listed = select(Player).where(Player.organization_id == club_id)
    for word in words.lower().split():
        either = func.lower(Player.first_name).contains(word, autoescape=True)
        listed = listed.where(either | func.lower(Player.last_name).contains(word, autoescape=True))
    last = None if after is None else session.get(Player, after)
    if last is not None:
        listed = listed.where(
            tuple_(Player.last_name, Player.first_name, Player.id) > tuple_(last.last_name, last.first_name, last.id)
        )
    return session.scalars(listed.order_by(Player.last_name, Player.first_name, Player.id).limit(PAGE)).all()


def teams_played(session: Session, player_ids: Iterable[int]) -> dict[int, list[TeamPlayer]]:
    """Where each of the players plays and played, the newest first."""
    rows = session.scalars(
        select(TeamPlayer)
        .where(TeamPlayer.player_id.in_(list(player_ids)))
        .options(joinedload(TeamPlayer.team))
        .order_by(TeamPlayer.joined_on.desc(), TeamPlayer.id.desc())
    )
    found: dict[int, list[TeamPlayer]] = {}
    for row in rows:
        found.setdefault(row.player_id, []).append(row)
    return found


def parents_of(session: Session, player_ids: Iterable[int]) -> dict[int, list[Parent]]:
    """Who stands for each of the players, by name."""
    rows = session.execute(
        select(ParentPlayer, User)
        .join(User, User.id == ParentPlayer.user_id)
        .where(ParentPlayer.player_id.in_(list(player_ids)))
        .order_by(User.name, User.id)
    )
    found: dict[int, list[Parent]] = {}
    for link, user in rows:
        found.setdefault(link.player_id, []).append(Parent(user, link.relationship_name))
    return found


def unlink_parent(session: Session, player: Player, user_id: int, now: datetime, by: Actor) -> None:
    """Let somebody stand for the player no more; raises `NotThere`."""
    ended = session.scalars(
        delete(ParentPlayer)
        .where(ParentPlayer.player_id == player.id, ParentPlayer.user_id == user_id)
        .returning(ParentPlayer.user_id)
    ).all()
    if not ended:
        raise NotThere("They do not stand for this player.")
    by.did(session, Act.UNLINK_PARENT, "player", player.id, now, organization_id=player.organization_id, user=user_id)


def _by_number(entry: TeamPlayer) -> tuple[bool, int, str, tuple[str, str]]:
    number = entry.jersey_number or ""
    return (not number, int(number) if number.isdecimal() else 1000, number, _name(entry.player))


def _name(player: Player) -> tuple[str, str]:
    return (player.first_name.casefold(), player.last_name.casefold())


def _fill(player: Player, entry: PlayerEntry) -> None:
    player.first_name, player.last_name = entry.first_name, entry.last_name
    player.birth_year, player.default_position = entry.birth_year, entry.default_position


def _check_player(entry: PlayerEntry) -> None:
    for field, value in (("first_name", entry.first_name), ("last_name", entry.last_name)):
        if not value:
            raise BadEntry(field, "A player has a first and a last name.")
    if entry.birth_year is not None and not FIRST_BIRTH_YEAR <= entry.birth_year <= LAST_BIRTH_YEAR:
        raise BadEntry("birth_year", f"A year from {FIRST_BIRTH_YEAR} to {LAST_BIRTH_YEAR}.")


def _check_number(roster: Iterable[TeamPlayer], jersey_number: str, own: int | None) -> None:
    # Two shirts of one number would make it impossible to tell who is who in a recording.
    for entry in roster:
        if jersey_number and entry.jersey_number == jersey_number and entry.id != own:
            name = f"{entry.player.first_name} {entry.player.last_name}"
            raise BadEntry("jersey_number", f"{name} wears number {jersey_number}.")


def _check_day(day: date, now: datetime, field: str) -> None:
    # A day of grace, for clubs whose day has begun before UTC's.
    if (day - now.date()).days > 1:
        raise BadEntry(field, "That day has not come yet.")
