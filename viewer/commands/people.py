"""The command for whoever belongs to a club: who they are, who is invited, and taking a part away from somebody."""

import argparse
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from viewer.accounts.administration import user_named
from viewer.clock import now
from viewer.clubs import people, squads
from viewer.clubs.actor import COMMAND_LINE
from viewer.clubs.clubs import club_named
from viewer.clubs.people import Circle, Member
from viewer.clubs.teams import team_called
from viewer.commands.clubs import Act, add_acts, needed
from viewer.errors import BadSettings

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`people`."""
    command = add_acts(commands, "people", _PEOPLE, "list who belongs to a club or is invited, or take a part away")
    command.add_argument("--club", required=True, metavar="SLUG", help="the club")
    circles = tuple(str(circle) for circle in Circle)
    command.add_argument("--circle", choices=circles, default=Circle.ADMINS, help="list: which people (%(default)s)")
    command.add_argument("--invitation", type=int, metavar="NUMBER", help="withdraw: its number in `people invited`")
    command.add_argument("--mail", metavar="MAIL", help="remove: the address of the account")
    command.add_argument("--team", metavar="NAME", help="remove: from the staff of this team (the newest of this name)")
    command.add_argument("--player", type=int, metavar="NUMBER", help="remove: from standing for this player")


def _list(session: Session, options: argparse.Namespace) -> None:
    club, after = club_named(session, options.club).id, None
    while page := people.circle_of(session, club, Circle(options.circle), after=after):
        for member in page:
            print(member.user.mail, member.user.name, *_links(member), sep="\t")
        after = page[-1].user.id


def _links(member: Member) -> list[str]:
    teams = [
        f"{duty} of {team.name}" + (f" ({team.season.name})" if team.season else "") for team, duty in member.teams
    ]
    return teams + [f"player {player.id}, {player.first_name} {player.last_name}" for player in member.players]


def _invited(session: Session, options: argparse.Namespace) -> None:
    club, before = club_named(session, options.club).id, None
    while page := people.invited_to(session, club, now(), before):
        for invited in page:
            row = invited.invitation
            print(row.id, row.mail, invited.words, f"until {row.expires_at:%Y-%m-%d}", sep="\t")
        before = page[-1].invitation.id


def _withdraw(session: Session, options: argparse.Namespace) -> None:
    needed(options, "invitation")
    people.take_back(session, club_named(session, options.club).id, options.invitation, now(), COMMAND_LINE)


def _remove(session: Session, options: argparse.Namespace) -> None:
    needed(options, "mail")
    if options.team and options.player is not None:
        raise BadSettings("remove takes --team or --player, not both")
    club, user = club_named(session, options.club), user_named(session, options.mail)
    if options.team:
        people.remove_staff(session, team_called(session, club.id, options.team), user.id, now(), COMMAND_LINE)
    elif options.player is not None:
        player = squads.player_of(session, options.player, club.id)
        squads.unlink_parent(session, player, user.id, now(), COMMAND_LINE)
    else:
        people.remove_admin(session, club, user.id, now(), COMMAND_LINE)


_PEOPLE: dict[str, Act] = {"list": _list, "invited": _invited, "withdraw": _withdraw, "remove": _remove}
