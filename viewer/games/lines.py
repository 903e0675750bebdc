"""Games as lists show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from viewer.games.models import Game


@dataclass(frozen=True)
class GameLine:
    """A game in a list; `mine` is whether it is the team's own and may be changed, `recordings` its sessions."""

    id: int
    opponent: str
    at_home: bool
    title: str
    when: str
    venue: str
    score: str
    state: str
    mine: bool
    recordings: tuple[str, ...]


def game_lines(games: Iterable[Game], team_id: int) -> list[GameLine]:
    """The games as the team's list shows them; recordings and venue are loaded."""
    return [_line(game, team_id) for game in games]


def clock_time(game: Game) -> str:
    """When the game begins, as the clocks show it there: `Sun 22 Nov 2026, 10:00`."""
    there = game.starts_at.astimezone(ZoneInfo(game.time_zone))
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"


def _line(game: Game, team_id: int) -> GameLine:
    known = game.our_score is not None and game.their_score is not None
    return GameLine(
        game.id,
        game.opponent,
        game.at_home,
        game.title,
        clock_time(game),
        game.venue.name if game.venue else "",
        f"{game.our_score}:{game.their_score}" if known else "",
        "cancelled" if game.cancelled_at else "recorded" if game.recordings else "",
        game.team_id == team_id,
        tuple(recording.session for recording in game.recordings),
    )
