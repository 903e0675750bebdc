"""Commands for players and games of a team."""

import argparse
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from viewer.clock import now
from viewer.clubs import clubs, squads, teams
from viewer.clubs.actor import COMMAND_LINE
from viewer.clubs.clubs import club_named
from viewer.clubs.models import Team, TeamPlayer
from viewer.clubs.squads import PlayerEntry
from viewer.commands.clubs import Act, add_acts, day, needed
from viewer.errors import BadEntry, BadSettings, NotThere
from viewer.games import calendar
from viewer.games.calendar import GameEntry
from viewer.games.lines import game_lines

if TYPE_CHECKING:
    from viewer.commands.common import Commands

_SCORE = re.compile(r"(\d{1,2}):(\d{1,2})")


def add(commands: "Commands") -> None:
    """`player` and `game`."""
    player = add_acts(commands, "player", _PLAYER, "list a roster, add or change players, let them leave or join")
    game = add_acts(commands, "game", _GAME, "list a team's games, add, change or cancel one, or enter its score")
    for command in (player, game):
        command.add_argument("--club", required=True, metavar="SLUG", help="the club")
        command.add_argument("--team", required=True, metavar="NAME", help="the team (the newest of this name)")
    player.add_argument("--player", type=int, metavar="NUMBER", help="the player's number in `player list`")
    player.add_argument("--first-name", metavar="NAME", help="first name")
    player.add_argument("--last-name", metavar="NAME", help="last name")
    player.add_argument("--number", metavar="JERSEY", help="jersey number; empty for none")
    player.add_argument("--position", help="where they play, such as Defender")
    player.add_argument("--birth-year", type=int, metavar="YEAR", help="0 for unknown")
    player.add_argument("--day", type=day, metavar="DAY", help="when they join or leave (today)")
    player.add_argument("--former", action="store_true", help="list those who have left")
    game.add_argument("--game", type=int, metavar="NUMBER", help="the game's number in `game list`")
    game.add_argument("--opponent", metavar="NAME", help="against whom")
    game.add_argument("--starts", metavar="TIME", help="kick-off in the club's time zone, such as 2026-08-31T10:30")
    game.add_argument("--place", choices=("home", "away"), help="where it is played (home)")
    game.add_argument("--venue", metavar="NAME", help="at which venue; empty for none")
    game.add_argument("--title", help="such as league or cup")
    game.add_argument("--score", metavar="OURS:THEIRS", help="by hand, such as 2:1; empty: as the recording shows it")


def _team(session: Session, options: argparse.Namespace) -> Team:
    return teams.team_called(session, club_named(session, options.club).id, options.team)


# ---------------------------------------------------------------------------------------------- players


def _list_players(session: Session, options: argparse.Namespace) -> None:
    team = _team(session, options)
    if not options.former:
        for entry in squads.roster_of(session, team.id):
            _say(entry, f"since {entry.joined_on}")
        return
    before: int | None = None
    while page := squads.former_of(session, team.id, before):
        for entry in page:
            _say(entry, f"{entry.joined_on} to {entry.left_on}")
        before = page[-1].id


def _say(entry: TeamPlayer, when: str) -> None:
    name = f"{entry.player.first_name} {entry.player.last_name}"
    print(f"{entry.player_id}\t{entry.jersey_number or '-'}\t{name}\t{entry.player.default_position or '-'}\t{when}")


def _add_player(session: Session, options: argparse.Namespace) -> None:
    needed(options, "first_name", "last_name")
    team, when = _team(session, options), now()
    entry = PlayerEntry(options.first_name, options.last_name, options.birth_year or None, options.position or "")
    joined_on = options.day or _today(team, when)
    added = squads.add_player(session, team, entry, options.number or "", joined_on, when, COMMAND_LINE)
    print(added.player_id)


def _change_player(session: Session, options: argparse.Namespace) -> None:
    needed(options, "player")
    listed = _listed(session, options)
    player = listed.player
    entry = PlayerEntry(
        options.first_name or player.first_name,
        options.last_name or player.last_name,
        player.birth_year if options.birth_year is None else options.birth_year or None,
        player.default_position if options.position is None else options.position,
    )
    number = listed.jersey_number or "" if options.number is None else options.number
    squads.change_player(session, listed, entry, number, now(), COMMAND_LINE)


def _leave(session: Session, options: argparse.Namespace) -> None:
    needed(options, "player")
    listed, when = _listed(session, options), now()
    squads.leave(session, listed, options.day or _today(listed.team, when), when, COMMAND_LINE)


def _join(session: Session, options: argparse.Namespace) -> None:
    needed(options, "player")
    team, when = _team(session, options), now()
    player = squads.player_of(session, options.player)
    day_of = options.day or _today(team, when)
    squads.put_on_roster(session, team, player, options.number or "", day_of, when, COMMAND_LINE)


def _listed(session: Session, options: argparse.Namespace) -> TeamPlayer:
    for entry in squads.roster_of(session, _team(session, options).id):
        if entry.player_id == options.player:
            return entry
    raise NotThere(f"No player numbered {options.player} is on this roster.")


def _today(team: Team, when: datetime) -> date:
    return when.astimezone(ZoneInfo(team.organization.time_zone)).date()


# ---------------------------------------------------------------------------------------------- games


def _list_games(session: Session, options: argparse.Namespace) -> None:
    team, before = _team(session, options), None
    while page := calendar.games_of(session, team.id, before):
        for line in game_lines(page, team.id):
            print(f"{line.id}\t{line.when}\t{line.opponent}\t{line.score or '-'}\t{line.state or 'planned'}")
        before = page[-1].id


def _add_game(session: Session, options: argparse.Namespace) -> None:
    needed(options, "opponent", "starts")
    team = _team(session, options)
    starts_at = _moment(options.starts, team.organization.time_zone)
    venue_id = clubs.venue_named(session, team.organization_id, options.venue).id if options.venue else None
    entry = GameEntry(options.opponent, starts_at, options.place != "away", options.title or "", venue_id)
    print(calendar.save_game(session, team, None, entry, now(), COMMAND_LINE).id)


def _change_game(session: Session, options: argparse.Namespace) -> None:
    needed(options, "game")
    team = _team(session, options)
    game = calendar.game_of(session, team.id, options.game)
    venue_id = game.venue_id
    if options.venue is not None:
        venue_id = clubs.venue_named(session, team.organization_id, options.venue).id if options.venue else None
    entry = GameEntry(
        options.opponent or game.opponent,
        _moment(options.starts, game.time_zone) if options.starts else game.starts_at,
        game.at_home if options.place is None else options.place == "home",
        game.title if options.title is None else options.title,
        venue_id,
    )
    calendar.save_game(session, team, game, entry, now(), COMMAND_LINE)


def _score(session: Session, options: argparse.Namespace) -> None:
    needed(options, "game")
    if options.score is None:
        raise BadSettings("score needs --score")
    game = calendar.game_of(session, _team(session, options).id, options.game)
    goals = _SCORE.fullmatch(options.score)
    if options.score and goals is None:
        raise BadEntry("score", "A score is written like 2:1, ours first.")
    ours, theirs = (int(goals[1]), int(goals[2])) if goals else (None, None)
    calendar.set_score(session, game, ours, theirs, now(), COMMAND_LINE)


def _cancel(session: Session, options: argparse.Namespace) -> None:
    needed(options, "game")
    game = calendar.game_of(session, _team(session, options).id, options.game)
    calendar.cancel_game(session, game, now(), COMMAND_LINE)


def _revive(session: Session, options: argparse.Namespace) -> None:
    needed(options, "game")
    game = calendar.game_of(session, _team(session, options).id, options.game)
    calendar.revive_game(session, game, now(), COMMAND_LINE)


def _moment(text: str, time_zone: str) -> datetime:
    try:
        there = datetime.fromisoformat(text)
    except ValueError as fault:
        raise BadEntry("starts", f"{text!r} is no time: write it like 2026-08-31T10:30.") from fault
    return (there if there.tzinfo else there.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)


_PLAYER: dict[str, Act] = {
    "list": _list_players,
    "add": _add_player,
    "change": _change_player,
    "leave": _leave,
    "join": _join,
}
_GAME: dict[str, Act] = {
    "list": _list_games,
    "add": _add_game,
    "change": _change_game,
    "score": _score,
    "cancel": _cancel,
    "revive": _revive,
}
