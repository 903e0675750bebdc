"""Commands for accounts: making and inviting people, closing accounts, and helping those who locked themselves out."""

import argparse
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts import administration
from viewer.accounts.models import Role, User
from viewer.accounts.passwords import check_new
from viewer.accounts.people import make_user
from viewer.accounts.service import mail_address
from viewer.admin.users import account_of, users_page
from viewer.audit.log import note
from viewer.clock import now
from viewer.clubs.clubs import club_named
from viewer.clubs.invitations import invite
from viewer.clubs.squads import player_of
from viewer.clubs.teams import team_called
from viewer.commands.common import add_command, database_of, new_password, settings_of
from viewer.errors import BadSettings

if TYPE_CHECKING:
    from viewer.commands.common import Commands

Act = Callable[[Session, argparse.Namespace, datetime], None]


def add(commands: "Commands") -> None:
    """`user`."""
    words = (
        "accounts: add MAIL --name NAME, invite MAIL --role ROLE, disable, enable, end-sign-ins, reset-second-factor, "
        "make-admin or end-admin MAIL, show MAIL, or list"
    )
    user = add_command(commands, "user", _run, words)
    user.add_argument("act", choices=list(_ACTS), metavar="ACT")
    user.add_argument("mail", nargs="?", default="", metavar="MAIL", help="the account's address")
    user.add_argument("--name", default="", help="the person's name (add)")
    user.add_argument("--password", default="", help="generated and printed when left out (add)")
    roles = [role.value for role in Role if role is not Role.PLATFORM_ADMIN]
    user.add_argument("--role", choices=roles, default=Role.PARENT, help="what they become (invite; %(default)s)")
    user.add_argument("--club", default="", metavar="SLUG", help="the club, for its admins and a team's staff (invite)")
    user.add_argument("--team", default="", metavar="NAME", help="the team, for a coach or manager (invite)")
    user.add_argument("--player", type=int, metavar="NUMBER", help="for the rest: the number in `player list` (invite)")
    user.add_argument("--words", default="", metavar="WORDS", help="only those with this in name or address (list)")
    user.add_argument("--public-url", default="", metavar="URL", help="the portal's address in mails")


def _run(options: argparse.Namespace) -> None:
    if bool(options.mail) is (options.act == "list"):
        raise BadSettings(f"touchline-viewer user {options.act} {'takes no' if options.mail else 'needs an'} address")
    with database_of(options).writing() as session:
        _ACTS[options.act](session, options, now())


def _add(session: Session, options: argparse.Namespace, when: datetime) -> None:
    if not options.name:
        raise BadSettings("say who it is: --name NAME")
    if session.scalar(select(User.id).where(User.mail == mail_address(options.mail))) is not None:
        raise BadSettings(f"there is an account {mail_address(options.mail)} already")
    password = options.password or new_password()
    check_new(password, mail_address(options.mail))
    user = make_user(session, options.mail, options.name, password, when)
    note(session, "add", "account", user.id, when)
    if not options.password:
        print(f"the password of {user.mail}; it is shown only this once", file=sys.stderr)
        print(password)


def _invite(session: Session, options: argparse.Namespace, when: datetime) -> None:
    if options.team and not options.club:
        raise BadSettings("--team is a name: say in which club, --club SLUG")
    club = club_named(session, options.club) if options.club else None
    team = team_called(session, club.id, options.team) if club and options.team else None
    if options.player is not None:
        player_of(session, options.player)
    invite(
        session,
        options.mail,
        Role(options.role),
        now=when,
        url=settings_of(options).url,
        organization_id=club.id if club else None,
        team_id=team.id if team else None,
        player_id=options.player,
    )
    print(f"{mail_address(options.mail)} gets a mail")


def _list(session: Session, options: argparse.Namespace, when: datetime) -> None:
    last: int | None = None
    while some := users_page(session, options.words.strip(), last):
        for user in some:
            print(f"{user.id}\t{user.mail}\t{user.name}\t{user.role}\t{_state(user)}")
        last = some[-1].id


def _show(session: Session, options: argparse.Namespace, when: datetime) -> None:
    account = account_of(session, administration.user_named(session, options.mail).id)
    user, seen = account.user, account.seen_at
    links = ("Admin of the platform",) if user.role == Role.PLATFORM_ADMIN else ()
    lines = [
        ("number", user.id),
        ("address", user.mail),
        ("name", user.name),
        ("state", _state(user)),
        ("since", f"{user.made_at:%Y-%m-%d}"),
        ("signed in", f"{account.sign_ins} browser{'' if account.sign_ins == 1 else 's'}"),
        ("last seen", f"{seen:%Y-%m-%dT%H:%M}Z" if seen else "not signed in"),
        ("second factor", "set up" if account.second_factor else "none"),
        *(("is", words) for words in links + account.links),
    ]
    for name, value in lines:
        print(name, value, sep="\t")


def _state(user: User) -> str:
    return "disabled" if user.disabled_at else "open"


def _with_user(act: Callable[[Session, User, datetime], object], done: str) -> Act:
    def run(session: Session, options: argparse.Namespace, when: datetime) -> None:
        user = administration.user_named(session, options.mail)
        act(session, user, when)
        print(f"{user.mail} {done}")

    return run


_ACTS: dict[str, Act] = {
    "add": _add,
    "invite": _invite,
    "disable": _with_user(administration.disable, "is disabled and signed out everywhere"),
    "enable": _with_user(administration.enable, "may sign in again"),
    "end-sign-ins": _with_user(administration.end_all_sign_ins, "is signed out everywhere"),
    "reset-second-factor": _with_user(administration.reset_second_factor, "has no second factor any more"),
    "make-admin": _with_user(administration.make_platform_admin, "runs the platform"),
    "end-admin": _with_user(administration.end_platform_admin, "does not run the platform any more"),
    "show": _show,
    "list": _list,
}
