"""Commands for jobs and mails that wait or were given up."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from viewer.admin.condition import mails_in
from viewer.audit.acts import Act
from viewer.clock import now
from viewer.clubs.actor import COMMAND_LINE
from viewer.commands.common import add_command, add_queue, database_of, settings_of
from viewer.db import Database
from viewer.errors import BadSettings
from viewer.jobs.dead_letters import WorkKind, drop, failed_work, jobs_overview, retry, title_of, work_row
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.mail.models import Mail

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`jobs`."""
    jobs = add_command(commands, "jobs", _jobs, "list what waits and was given up; show, retry or drop dead letters")
    jobs.add_argument("act", choices=("list", "show", "retry", "drop"))
    jobs.add_argument("ids", nargs="*", type=int, metavar="ID", help="which, for show, retry and drop")
    jobs.add_argument("--mail", action="store_true", help="mails of the outbox instead of jobs")
    states = [state.value for state in State]
    jobs.add_argument("--state", choices=states, help="list: the outbox's mails in this state (with --mail)")
    jobs.add_argument("--all", action="store_true", help="retry or drop every dead letter")
    add_queue(jobs)


def _jobs(options: argparse.Namespace) -> int:
    database = database_of(options)
    kind: WorkKind = "mail" if options.mail else "job"
    if options.state and (options.act, kind) != ("list", "mail"):
        raise BadSettings("--state is for mails that are listed: jobs --mail --state STATE list")
    if options.act == "list":
        return _mails(database, State(options.state)) if options.state else _list(database, kind)
    if not options.ids and not (options.all and options.act != "show"):
        print("say which: IDs as `jobs list` has them, or --all", file=sys.stderr)
        return 2
    if options.act == "show":
        return _show(database, kind, options.ids)
    done = _each(database, kind, options)
    if options.act == "retry" and done:
        # The queue takes its time to import.
        from viewer.jobs.wake import Wake  # noqa: PLC0415

        wake = Wake(settings_of(options))
        wake()
        wake.finish()
    print({"retry": f"{done} to be tried again", "drop": f"{done} dropped"}[options.act])
    return 0 if done or options.all else 1


def _list(database: Database, kind: WorkKind) -> int:
    with database.reading() as session:
        overview = jobs_overview(session)
        dead = _dead(session, kind)
    for count in overview.counts:
        print(f"{count.kind} {count.state} {count.rows}")
    if overview.oldest is not None:
        print(f"oldest due {overview.oldest.isoformat(timespec='seconds')}")
    for row in dead:
        what = row.kind if isinstance(row, Job) else row.recipient
        print(f"{kind} {row.id} {what} {row.key} attempts={row.attempts} fault={row.fault!r}")
    return 0


def _mails(database: Database, state: State) -> int:
    """What the outbox's page shows: not what mails say, for their links are keys to accounts."""
    before: int | None = None
    with database.reading() as session:
        while page := mails_in(session, state, before):
            for mail in page:
                tries = f"attempts={mail.attempts}" + (f" fault={mail.fault!r}" if mail.fault else "")
                print(mail.id, f"{mail.made_at:%Y-%m-%dT%H:%M}Z", mail.recipient, mail.subject, tries, sep="\t")
            before = page[-1].id
    return 0


def _show(database: Database, kind: WorkKind, ids: list[int]) -> int:
    missing = 0
    with database.reading() as session:
        for row_id in ids:
            row = work_row(session, kind, row_id)
            if row is None:
                missing += 1
                print(f"there is no {kind} {row_id}", file=sys.stderr)
                continue
            # A mail's text may hold a link that works once: it is for its reader.
            told: dict[str, Any] = {c.key: getattr(row, c.key) for c in row.__table__.columns if c.key != "text"}
            print(json.dumps(told, indent=2, default=str, ensure_ascii=False))
    return 1 if missing else 0


def _each(database: Database, kind: WorkKind, options: argparse.Namespace) -> int:
    """Retry or drop; returns how many dead letters there were among those named."""
    when, done = now(), 0
    with database.writing() as session:
        named = dict.fromkeys(options.ids)
        rows = _dead(session, kind) if options.all else [work_row(session, kind, row_id) for row_id in named]
        for row in rows:
            if row is None or not (retry(session, row, when) if options.act == "retry" else drop(session, row)):
                continue
            detail: dict[str, Any] = {"what": title_of(row)} if options.act == "drop" else {}
            COMMAND_LINE.did(session, Act(options.act), kind, row.id, when, **detail)
            done += 1
    return done


def _dead(session: Session, kind: WorkKind) -> list[Job | Mail]:
    dead: list[Job | Mail] = []
    while page := failed_work(session, kind, dead[-1].id if dead else None, 500):
        dead.extend(page)
    return dead
