"""Commands that copy a portal into a file and make one of such a file."""

import argparse
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from viewer.audit.acts import Act
from viewer.clock import now
from viewer.clubs.actor import COMMAND_LINE
from viewer.commands.common import HORIZON, Run, add_command, existing_database, settings_of
from viewer.db import Database
from viewer.db.backup.making import make_backup, name_in_row, rotate
from viewer.db.backup.restoring import Target, restore
from viewer.db.migrate import newest
from viewer.errors import BadBackup, BadSettings
from viewer.media.opening import open_store
from viewer.privacy.again import Erasures
from viewer.privacy.horizon import horizon_of
from viewer.sealing import open_seal, secret_of

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def _in_words(run: Run) -> Run:
    def command(options: argparse.Namespace) -> int | None:
        try:
            return run(options)
        except OSError as fault:
            raise BadBackup(f"the disk says: {fault.strerror or fault} ({fault.filename or 'no file'})") from fault

    return command


def add(commands: "Commands") -> None:
    """`backup` and `restore`."""
    make = add_command(commands, "backup", _in_words(_backup), "copy the portal into one file, also while it runs")
    make.add_argument("--to", type=Path, required=True, metavar="PATH", help="the file; with --keep a folder of them")
    make.add_argument(
        "--keep", type=int, metavar="DAYS", help="write a new file into the folder and delete those older than this"
    )
    make.add_argument("--with-media", action="store_true", help="with the videos and pictures, not just their sums")
    make.add_argument(
        "--with-secret", action="store_true", help="with the portal's secret: keep the file as safe as it"
    )
    back = add_command(
        commands, "restore", _in_words(_restore), "make the portal what a backup says; stop serve and worker first"
    )
    back.add_argument("--from", dest="source", type=Path, required=True, metavar="FILE", help="the backup")
    back.add_argument("--replace", action="store_true", help="put it in the place of what this portal holds")
    back.add_argument(
        "--other-secret", action="store_true", help="go on although the backup's portal had another secret"
    )


def _backup(options: argparse.Namespace) -> int:
    settings, when = settings_of(options), now()
    target = options.to
    if options.keep is not None:
        if not 1 <= options.keep <= settings.backup_days:
            raise BadSettings(
                f"--keep is from 1 to {settings.backup_days} days: what people had erased may be in no backup later "
                f"({HORIZON} is the horizon)"
            )
        target = options.to / name_in_row(when)
    database = existing_database(settings)
    manifest, listing = make_backup(
        database,
        target,
        when,
        secret_of(settings.data),
        with_secret=options.with_secret,
        media=open_store(settings) if options.with_media else None,
    )
    _note(database, target, manifest.revision == newest(), options, when)
    database.close()
    print(f"{target}: revision {manifest.revision}, {len(listing.files)} media files {_held(options, listing)}")
    if manifest.secret and not options.with_secret:
        print("the secret is not in it: keep DATA/secret.key in a place of its own", file=sys.stderr)
    if options.keep is not None:
        for old in rotate(options.to, timedelta(days=options.keep), when):
            print(f"{old} deleted")
    for path in listing.left_out:
        print(f"left out, for it is gone: {path}", file=sys.stderr)
    for path in listing.changed:
        print(f"not what came in any more: {path}", file=sys.stderr)
    return 1 if listing.changed else 0


def _note(database: Database, target: Path, known: bool, options: argparse.Namespace, when: datetime) -> None:
    """Tell the audit log that the whole portal was copied, where it is of today's form: it may be older."""
    if not known:
        print("not in the audit log: the database is of another Touchline's form", file=sys.stderr)
        return
    detail = {"file": target.name, "with_media": options.with_media, "with_secret": options.with_secret}
    try:
        with database.writing() as session:
            COMMAND_LINE.did(session, Act.BACKUP, "portal", None, when, **detail)
    except DBAPIError as fault:
        # A full disk, or a user who may only read: the copy is there, and good.
        print(f"not in the audit log: {str(fault.orig).strip().splitlines()[0]}", file=sys.stderr)


def _held(options: argparse.Namespace, listing: Any) -> str:
    return f"with {len(listing.files) - len(listing.left_out)} of them in it" if options.with_media else "listed"


def _restore(options: argparse.Namespace) -> None:
    settings = settings_of(options)
    settings.make_folders()
    database = Database(settings.database_url)
    target = Target(settings.data, database, open_store(settings), settings.work)
    erasures = Erasures(horizon_of(settings), open_seal(settings.data))
    done = restore(options.source, target, erasures, now(), replace=options.replace, other_secret=options.other_secret)
    database.close()
    print(f"restored as of {done.made_at:%Y-%m-%d %H:%M} UTC with {done.files} media files")
    if done.erased:
        print(f"erased again, as had been asked since: {done.erased}")
    if done.missing:
        print(f"{done.missing} media files are missing: restore a backup that holds them", file=sys.stderr)
