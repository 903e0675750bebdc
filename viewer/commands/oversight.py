"""Commands for what a club answers for: consent, requests to remove something, and the audit log."""

import argparse
import sys
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from viewer.audit.acts import Act
from viewer.audit.reading import Wanted, as_csv
from viewer.clock import now
from viewer.clubs.actor import COMMAND_LINE
from viewer.clubs.clubs import club_named
from viewer.clubs.models import Player
from viewer.clubs.teams import team_called
from viewer.commands.clubs import add_acts, day, needed
from viewer.commands.common import add_command, database_of, line, settings_of
from viewer.errors import BadSettings, NotThere
from viewer.games.models import Recording
from viewer.games.words import match_clock
from viewer.privacy.consent import answer, consents_of, news, players_of
from viewer.privacy.horizon import horizon_of
from viewer.privacy.models import RemovalRequest, Scope
from viewer.privacy.removals import Outcome, decide_removal, removals_of

if TYPE_CHECKING:
    from viewer.commands.common import Commands

_SAID = {True: "yes", False: "no", None: "-"}


def add(commands: "Commands") -> None:
    """`consent`, `removal` and `audit`."""
    consent = add_acts(commands, "consent", _CONSENT, "list what was answered for a club's players, or enter a paper")
    removal = add_acts(commands, "removal", _REMOVAL, "list a club's requests to remove something, or decide one")
    audit = add_command(commands, "audit", _audit, "print a club's audit log as CSV, newest first")
    for command in (consent, removal, audit):
        command.add_argument("--club", required=True, metavar="SLUG", help="the club")
    consent.add_argument("--team", metavar="NAME", help="list: players of this team alone")
    consent.add_argument("--player", type=int, metavar="NUMBER", help="enter: the player's number in `consent list`")
    for name, words in (("--given", "agreed to"), ("--refused", "not agreed to")):
        scopes = tuple(str(scope) for scope in Scope)
        consent.add_argument(name, action="append", default=[], choices=scopes, help=f"enter: {words}; may be repeated")
    consent.add_argument("--signed-by", type=line(300), metavar="NAME", help="enter: who signed the paper")
    removal.add_argument("--decided", action="store_true", help="list: those that were decided")
    removal.add_argument("--request", type=int, metavar="NUMBER", help="decide: its number in `removal list`")
    removal.add_argument("--outcome", choices=tuple(str(o) for o in Outcome), help="decide: what is done")
    removal.add_argument("--words", type=line(400), default="", help="decide: what whoever asked is told besides")
    removal.add_argument("--public-url", default="", metavar="URL", help="the portal's address in the mail")
    audit.add_argument("--act", default="", help="one kind of act alone, such as view")
    audit.add_argument("--by", default="", metavar="MAIL", help="one person's acts alone")
    audit.add_argument("--since", type=day, metavar="DAY", help="from this day on (UTC)")
    audit.add_argument("--until", type=day, metavar="DAY", help="up to and with this day (UTC)")


# -------------------------------------------------------------------------------------------- consent


def _list_answers(session: Session, options: argparse.Namespace) -> None:
    club, after = club_named(session, options.club).id, None
    team = team_called(session, club, options.team).id if options.team else None
    print("player", "name", *Scope, sep="\t")
    while page := players_of(session, club, team, after):
        answers = consents_of(session, [player.id for player in page])
        for player in page:
            said = (_SAID[answers[player.id][scope]] for scope in Scope)
            print(player.id, f"{player.first_name} {player.last_name}".strip(), *said, sep="\t")
        after = page[-1].id


def _enter_paper(session: Session, options: argparse.Namespace) -> None:
    needed(options, "player", "signed_by")
    said = {Scope(scope): given for given in (True, False) for scope in (options.refused, options.given)[given]}
    if not said or set(options.given) & set(options.refused):
        raise BadSettings("consent enter needs --given or --refused, and each scope once")
    club, player = club_named(session, options.club), session.get(Player, options.player)
    if player is None or player.organization_id != club.id:
        raise NotThere(f"there is no player {options.player} in {club.name}")
    if fresh := news(session, player.id, said):
        answer(session, player, fresh, COMMAND_LINE, now(), source="paper", signed_by=options.signed_by)


# ------------------------------------------------------------------------------------------- removals


def _list_removals(session: Session, options: argparse.Namespace) -> None:
    club, before = club_named(session, options.club).id, None
    while page := removals_of(session, club, decided=options.decided, before_id=before):
        for request, recording, clip in page:
            what = "match" if clip is None else f"clip at {match_clock(clip.start_s)}"
            said = request.outcome if options.decided else " ".join(request.words.split())
            print(request.id, f"{request.made_at:%Y-%m-%d}", recording.session, what, request.contact, said, sep="\t")
        before = page[-1][0].id


def _decide(session: Session, options: argparse.Namespace) -> None:
    needed(options, "request", "outcome")
    club, request = club_named(session, options.club), session.get(RemovalRequest, options.request)
    if request is None or club.id != _club_of(session, request):
        raise NotThere(f"there is no request {options.request} in {club.name}")
    settings = settings_of(options)
    outcome, horizon = Outcome(options.outcome), horizon_of(settings)
    decide_removal(session, request, outcome, options.words.strip(), COMMAND_LINE, now(), horizon, settings.url)


def _club_of(session: Session, request: RemovalRequest) -> int:
    return session.get_one(Recording, request.recording_id).game.organization_id


# ---------------------------------------------------------------------------------------------- audit


def _audit(options: argparse.Namespace) -> None:
    database = database_of(options)
    asked = {"act": options.act, "actor": options.by.strip().lower()}
    asked |= {"since": str(options.since or ""), "until": str(options.until or "")}
    with database.writing() as session:
        club = club_named(session, options.club).id
        COMMAND_LINE.did(session, Act.AUDIT_EXPORT, "organization", club, now(), organization_id=club, filter=asked)
    wanted = Wanted(club, asked["act"], asked["actor"]).between(options.since, options.until)
    for lines in as_csv(database, wanted):
        sys.stdout.write(lines)


_CONSENT = {"list": _list_answers, "enter": _enter_paper}
_REMOVAL = {"list": _list_removals, "decide": _decide}
