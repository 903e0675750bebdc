"""Commands for imports from TeamSnap and tables."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.clock import now
from viewer.clubs.invitations import invite
from viewer.clubs.models import Organization
from viewer.commands.common import add_command, database_of, settings_of
from viewer.errors import BadSettings, BadTable, NotConnected, UnknownTeam
from viewer.imports.duties import queue_sync
from viewer.imports.models import ImportRun
from viewer.imports.runs import RunState, apply_run, changes_of, drop_run, make_run, runs_of
from viewer.imports.sheets import Sheet, read_sheet
from viewer.imports.tables import MOST_BYTES
from viewer.imports.teamsnap.oauth import connection_of

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`import`."""
    words = "compare a club with TeamSnap or a table, and apply what was found"
    command = add_command(commands, "import", _import, words)
    command.add_argument("what", choices=("csv", "teamsnap-sync", "list", "apply", "drop"))
    subject = "csv: the table; apply and drop: the run"
    command.add_argument("subject", nargs="?", default="", metavar="FILE|RUN", help=subject)
    command.add_argument("--club", required=True, metavar="SLUG", help="the club, as it stands in addresses")
    command.add_argument("--sheet", choices=[s.value for s in Sheet], default="players", help="csv: what it is of")
    command.add_argument(
        "--change", action="append", default=[], metavar="ID", help="apply: only this, may be repeated"
    )
    command.add_argument("--public-url", default="", metavar="URL", help="apply: the portal's address in invitations")


def _import(options: argparse.Namespace) -> int:
    run = {"csv": _csv, "teamsnap-sync": _sync, "list": _list, "apply": _apply, "drop": _drop}[options.what]
    return run(options)


def _csv(options: argparse.Namespace) -> int:
    try:
        with Path(options.subject).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise BadSettings(f"cannot read the table {options.subject!r}: {fault.strerror}") from fault
    database = database_of(options)
    with database.writing() as session:
        club = _club(session, options.club)
        try:
            snapshot = read_sheet(Sheet(options.sheet), data, club.time_zone)
        except BadTable as fault:
            for line in fault.faults:
                print(line, file=sys.stderr)
            raise
        run, _ = make_run(session, club.id, snapshot, now(), by=None, asked=True)
        if run is None:
            print("everything in this table is here already")
        else:
            _show(run)
    return 0


def _sync(options: argparse.Namespace) -> int:
    with database_of(options).writing() as session:
        connection = connection_of(session, _club(session, options.club).id)
        if connection is None:
            raise NotConnected("this club is not connected to TeamSnap: its admin does that on the imports page")
        queued = queue_sync(session, connection, now())
    print("the worker looks at TeamSnap within a minute" if queued else "TeamSnap is being looked at already")
    return 0


def _list(options: argparse.Namespace) -> int:
    with database_of(options).reading() as session:
        for run in runs_of(session, _club(session, options.club).id):
            print(f"{run.id} {run.source} {run.state} {run.made_at:%Y-%m-%dT%H:%M}Z {len(run.changes)} changes")
            if run.state == RunState.OPEN:
                _show(run)
    return 0


def _apply(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    with database_of(options).writing() as session:
        run = _run(session, options)
        proposed = {change.id for change in changes_of(run) if change.ticked and change.tickable}
        ticked = set(options.change) or proposed
        outcome = apply_run(session, run.id, ticked, now(), by=None, invite=invite, url=settings.url)
    for words in outcome.left_out:
        print(f"left out: {words}", file=sys.stderr)
    print(f"{len(outcome.done)} changes were made")
    return 1 if outcome.left_out else 0


def _drop(options: argparse.Namespace) -> int:
    with database_of(options).writing() as session:
        run = _run(session, options)
        drop_run(session, run.id, now(), by=None)
    print(f"run {run.id} is dropped")
    return 0


def _run(session: Session, options: argparse.Namespace) -> ImportRun:
    """The club's run that the subject numbers; raises `BadSettings`."""
    club = _club(session, options.club)
    run = session.get(ImportRun, int(options.subject)) if options.subject.isdecimal() else None
    if run is None or run.organization_id != club.id:
        raise BadSettings(f"this club has no run {options.subject!r}: `import list` names them")
    return run


def _show(run: ImportRun) -> None:
    print(f"run {run.id}: * is proposed, all else is done only by --change ID")
    for change in changes_of(run):
        mark = " " if not change.tickable else "*" if change.ticked else "-"
        print(f"{mark} {change.id} {change.group} {change.act}: {change.words}")


def _club(session: Session, slug: str) -> Organization:
    club = session.scalar(select(Organization).where(Organization.slug == slug))
    if club is None:
        raise UnknownTeam(f"there is no club {slug!r}")
    return club
