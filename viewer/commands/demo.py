"""Commands that fill a portal to try it."""

import argparse
from typing import TYPE_CHECKING

from viewer.accounts.models import Role
from viewer.accounts.people import make_user
from viewer.clock import now
from viewer.clubs.models import Duty
from viewer.clubs.rosters import make_coach, make_organization, make_parent, make_player, make_team
from viewer.commands.common import add_command, database_of, new_password

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`demo-accounts`."""
    demo = add_command(commands, "demo-accounts", _demo_accounts, "make a club with two teams, a coach and a parent")
    demo.add_argument("--club", default="Touchline FC")
    demo.add_argument("--home", default="Home", help="name of the first team; the parent belongs to it")
    demo.add_argument("--away", default="Away", help="name of the second team")
    demo.add_argument("--coach", default="coach@example.org", metavar="MAIL")
    demo.add_argument("--coach-password", default="", help="generated and printed when left out")
    demo.add_argument("--parent", default="parent@example.org", metavar="MAIL")
    demo.add_argument("--parent-password", default="", help="generated and printed when left out")


def _demo_accounts(options: argparse.Namespace) -> None:
    database, when = database_of(options), now()
    people = (
        (options.coach, "Coach", options.coach_password or new_password(), Role.COACH),
        (options.parent, "Parent", options.parent_password or new_password(), Role.PARENT),
    )
    with database.writing() as session:
        club = make_organization(session, options.club, when)
        home, away = make_team(session, club, options.home, when), make_team(session, club, options.away, when)
        coach, parent = (make_user(session, *person[:3], when, person[3]) for person in people)
        for team in (home, away):
            make_coach(session, coach, team, Duty.COACH, when)
        player = make_player(session, home, "Robin", "Example", when.date(), when)
        make_parent(session, parent, player, "parent", when)
    for mail, name, password, _ in people:
        print(f"{name.lower()} {mail} {password}")
