"""Games in the database: those that a recording might show, their scores, and who may see them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from viewer.accounts.models import User
from viewer.clubs.models import ParentPlayer, Player, TeamCoach, TeamPlayer, Venue
from viewer.games.matching import EARLIEST, LATEST, Place, Planned
from viewer.games.models import Game, GameEvent, Recording, ScoreSource
from wire.events import EventType
from wire.pitch_tracks import TeamSide


def planned_around(session: Session, organization_id: int, begins: datetime) -> list[Planned]:
    """The club's games that a recording which begins then may show, as `viewer.games.matching` wants them."""
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
