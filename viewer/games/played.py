"""The games in which a human confirmed who a player is."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from viewer.games.lines import clock_time
from viewer.games.models import Game, GameTeam, PlayerGameStats, Recording

PAGE = 25


@dataclass(frozen=True)
class Played:
    """One recording with the player in it, and what they ran."""

    recording: int
    session: str
    opponent: str
    when: str
    distance_m: int
    top_kmh: float


def played_by(
    session: Session, player_id: int, teams: Collection[int] | None, before: int | None = None
) -> list[Played]:
    """The player's games, the latest first; at most `PAGE`, older than recording `before`.

    Only those of `teams`, where they are given: a coach sees nothing of what a player did elsewhere.
    """
    rows = (
        select(Recording, Game, PlayerGameStats)
        .join(Game, Game.id == Recording.game_id)
        .join(PlayerGameStats, PlayerGameStats.recording_id == Recording.id)
        .where(PlayerGameStats.player_id == player_id)
    )
    if teams is not None:
        rows = rows.where(Game.id.in_(select(GameTeam.game_id).where(GameTeam.team_id.in_(teams))))
    last = None if before is None else session.get(Recording, before)
    if last is not None:
        rows = rows.where(tuple_(Recording.start_ns, Recording.id) < tuple_(last.start_ns, last.id))
    rows = rows.order_by(Recording.start_ns.desc(), Recording.id.desc()).limit(PAGE)
    return [
        Played(
            recording.id,
            recording.session,
            game.opponent,
            clock_time(game),
            round(numbers.distance_m),
            round(numbers.top_speed_mps * 3.6, 1),
        )
        for recording, game, numbers in session.execute(rows)
    ]
