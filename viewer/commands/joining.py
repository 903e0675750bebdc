"""The command for whoever asks to join a team by its code."""

import argparse
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from viewer.clock import now
from viewer.clubs import joining
from viewer.clubs.actor import COMMAND_LINE
from viewer.clubs.clubs import club_named
from viewer.clubs.joining import As
from viewer.clubs.models import JoinRequest, Team
from viewer.clubs.teams import team_called
from viewer.commands.clubs import Act, add_acts, needed
from viewer.commands.common import settings_of
from viewer.errors import NotThere

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`join`."""
    join = add_acts(commands, "join", _JOIN, "list who asks to join a team, let somebody in, or decline")
    join.add_argument("--club", required=True, metavar="SLUG", help="the club")
    join.add_argument("--team", required=True, metavar="NAME", help="the team (the newest of this name)")
    join.add_argument("--request", type=int, metavar="NUMBER", help="admit, decline: its number in `join list`")
    join.add_argument("--player", type=int, metavar="NUMBER", help="admit: the player's number in `player list`")
    join.add_argument("--as", dest="role", choices=tuple(str(role) for role in As), help="admit: as what (parent)")
    join.add_argument("--public-url", default="", metavar="URL", help="the portal's address in the mail")


def _list(session: Session, options: argparse.Namespace) -> None:
    for request in joining.open_requests(session, _team(session, options).id):
        words = " ".join(request.words.split())
        print(request.id, f"{request.made_at:%Y-%m-%d}", request.user.mail, request.user.name, words, sep="\t")


def _admit(session: Session, options: argparse.Namespace) -> None:
    needed(options, "request", "player")
    team, request = _team(session, options), _asked(session, options)
    player = next((p for p in joining.roster(session, team.id) if p.id == options.player), None)
    if player is None:
        raise NotThere(f"No player numbered {options.player} is on this roster.")
    url = settings_of(options).url
    joining.admit(session, request, player, As(options.role or As.PARENT), COMMAND_LINE, now(), url=url)


def _decline(session: Session, options: argparse.Namespace) -> None:
    needed(options, "request")
    joining.decline(session, _asked(session, options), COMMAND_LINE, now(), url=settings_of(options).url)


def _team(session: Session, options: argparse.Namespace) -> Team:
    return team_called(session, club_named(session, options.club).id, options.team)


def _asked(session: Session, options: argparse.Namespace) -> JoinRequest:
    team, request = _team(session, options), session.get(JoinRequest, options.request)
    if request is None or request.team_id != team.id:
        raise NotThere(f"Nobody asked to join {team.name} by a request {options.request}.")
    return request


_JOIN: dict[str, Act] = {"list": _list, "admit": _admit, "decline": _decline}
