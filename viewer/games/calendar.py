"""Games in the database: those that a recording might show, their scores, and who may see them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from viewer.accounts.models import User
from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.models import ParentPlayer, Player, Team, TeamCoach, TeamPlayer, Venue
from viewer.errors import BadEntry, NotThere
from viewer.games.matching import EARLIEST, LATEST, Place, Planned
from viewer.games.models import Game, GameEvent, GameTeam, Recording, ScoreSource
from wire.events import EventType
from wire.pitch_tracks import TeamSide

PAGE = 25
MOST_GOALS = 99


@dataclass(frozen=True)
class GameEntry:
    """What can be said of a game of a team."""

    opponent: str
    starts_at: datetime
    at_home: bool = True
    title: str = ""
    venue_id: int | None = None


def planned_around(
    session: Session, organization_id: int, begins: datetime, team_id: int, names: Iterable[str]
) -> list[Planned]:
    """The club's games that a recording which begins then may show, as `viewer.games.matching` wants them.

    A rig is its team's: another team's game it shows only if the sheet (`names`) names both that team and the opponent,
    since by time alone strangers would see the video, and whoever opted out would not be known to be in it.
    """
    said = {name.strip().casefold() for name in names}
    games = session.scalars(
        select(Game)
        .where(
            Game.organization_id == organization_id,
            Game.starts_at.between(begins - LATEST, begins - EARLIEST),
            Game.cancelled_at.is_(None),
        )
        .options(selectinload(Game.teams), joinedload(Game.venue))
    )
    return [
        Planned(g.id, g.starts_at, frozenset(t.id for t in g.teams) | {g.team_id}, g.opponent, place_of(g.venue))
        for g in games
        if team_id in {g.team_id, *(t.id for t in g.teams)}
        or (g.opponent.strip().casefold() in said and any(t.name.strip().casefold() in said for t in g.teams))
    ]


def place_of(venue: Venue | None) -> Place | None:
    """A venue as `viewer.games.matching` wants it."""
    return None if venue is None else Place(venue.id, venue.latitude, venue.longitude)


def our_side(game: Game, home: str, away: str) -> TeamSide:
    """Which side of a sheet the game's own team is; by its name, the opponent's, or as the calendar has it."""
    ours, theirs = game.team.name.strip().casefold(), game.opponent.strip().casefold()
    home, away = home.strip().casefold(), away.strip().casefold()
    if ours in (home, away):
        return TeamSide.HOME if ours == home else TeamSide.AWAY
    if theirs in (home, away):
        return TeamSide.AWAY if theirs == home else TeamSide.HOME
    return TeamSide.HOME if game.at_home else TeamSide.AWAY


def recount(session: Session, game: Game) -> None:
    """Set the score to the goals found in the game's recordings, unless somebody entered it."""
    if game.score_source != ScoreSource.EVENTS:
        return
    goals = session.execute(
        select(Recording.our_side, GameEvent.side, func.count())
        .join(GameEvent, GameEvent.recording_id == Recording.id)
        .where(Recording.game_id == game.id, GameEvent.type == EventType.GOAL.value, GameEvent.side != "")
        .group_by(Recording.our_side, GameEvent.side)
    ).all()
    game.our_score = sum(n for ours, side, n in goals if side == ours)
    game.their_score = sum(n for ours, side, n in goals if side != ours)


def members_of(session: Session, game: Game) -> Sequence[User]:
    """Everybody whom a game is for: coaches and managers of its teams, players on their rosters, their parents."""
    teams = [team.id for team in game.teams]
    on_roster = select(TeamPlayer.player_id).where(TeamPlayer.team_id.in_(teams), TeamPlayer.left_on.is_(None))
    linked = (
        select(TeamCoach.user_id)
        .where(TeamCoach.team_id.in_(teams))
        .union(
            select(ParentPlayer.user_id).where(ParentPlayer.player_id.in_(on_roster)),
            select(Player.user_id).where(Player.id.in_(on_roster), Player.user_id.is_not(None)),
        )
    )
    return session.scalars(select(User).where(User.id.in_(linked), User.disabled_at.is_(None)).order_by(User.id)).all()


# ---------------------------------------------------------------------------------------------- games by hand


def games_of(session: Session, team_id: int, before: int | None = None) -> Sequence[Game]:
    """The team's games and those it played in as a sister team, the latest first; older than game `before`."""
    listed = select(Game).where(Game.id.in_(select(GameTeam.game_id).where(GameTeam.team_id == team_id)))
    last = None if before is None else session.get(Game, before)
    if last is not None:
        listed = listed.where(tuple_(Game.starts_at, Game.id) < tuple_(last.starts_at, last.id))
    listed = listed.options(selectinload(Game.recordings), joinedload(Game.venue))
    return session.scalars(listed.order_by(Game.starts_at.desc(), Game.id.desc()).limit(PAGE)).all()


def game_of(session: Session, team_id: int, game_id: int) -> Game:
    """One game of the team's own; raises `NotThere`."""
    game = session.scalar(
        select(Game)
        .where(Game.id == game_id, Game.team_id == team_id)
        .options(selectinload(Game.recordings), joinedload(Game.team), joinedload(Game.venue))
    )
    if game is None:
        raise NotThere("There is no such game of this team.")
    return game


def save_game(session: Session, team: Team, game: Game | None, entry: GameEntry, now: datetime, by: Actor) -> Game:
    """Add a game (None) in the club's time zone, or change one; raises `BadEntry`."""
    if not entry.opponent:
        raise BadEntry("opponent", "Say against whom.")
    if (
        entry.venue_id is not None
        and session.scalar(
            select(Venue.id).where(Venue.id == entry.venue_id, Venue.organization_id == team.organization_id)
        )
        is None
    ):
        raise BadEntry("venue_id", "Please choose one of these.")
    if game is not None and game.recordings and entry.starts_at != game.starts_at:
        raise BadEntry("starts_at", "This game was recorded at this time.")
    act = Act.CHANGE
    if game is None:
        act = Act.ADD
        zone = team.organization.time_zone
        game = Game(organization_id=team.organization_id, team_id=team.id, time_zone=zone, teams=[team], made_at=now)
        session.add(game)
    game.opponent, game.starts_at, game.at_home = entry.opponent, entry.starts_at, entry.at_home
    game.title, game.venue_id = entry.title, entry.venue_id
    session.flush()
    by.did(session, act, "game", game.id, now, organization_id=game.organization_id)
    return game


def set_score(session: Session, game: Game, ours: int | None, theirs: int | None, now: datetime, by: Actor) -> None:
    """Enter the score by hand, so that no recording changes it; without one, what the recordings show holds again."""
    if (ours is None) != (theirs is None):
        raise BadEntry("our_score" if ours is None else "their_score", "Give both, or neither.")
    if any(goals is not None and not 0 <= goals <= MOST_GOALS for goals in (ours, theirs)):
        raise BadEntry("our_score", f"Goals from 0 to {MOST_GOALS}.")
    game.our_score, game.their_score = ours, theirs
    game.score_source = ScoreSource.EVENTS if ours is None else ScoreSource.HAND
    if ours is None and game.recordings:
        recount(session, game)
    session.flush()
    score = {"ours": game.our_score, "theirs": game.their_score}
    by.did(session, Act.SCORE, "game", game.id, now, organization_id=game.organization_id, **score)


def cancel_game(session: Session, game: Game, now: datetime, by: Actor) -> None:
    """Say that a game is not played; raises `BadEntry` for one that was recorded."""
    if game.recordings:
        raise BadEntry("", "This game was recorded, so it was played.")
    game.cancelled_at = game.cancelled_at or now
    by.did(session, Act.CANCEL, "game", game.id, now, organization_id=game.organization_id)


def revive_game(session: Session, game: Game, now: datetime, by: Actor) -> None:
    """Say that a cancelled game is played after all."""
    game.cancelled_at = None
    by.did(session, Act.REVIVE, "game", game.id, now, organization_id=game.organization_id)
