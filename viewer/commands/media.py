"""Commands for the matches' files: taking in packages by hand, and what the files take."""

import argparse
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from viewer.admin.condition import clubs_usage, disk_of, slugs, teams_usage
from viewer.audit.log import note
from viewer.clock import now
from viewer.clubs.clubs import club_named
from viewer.commands.common import add_command, add_media, database_of, settings_of
from viewer.errors import BadPackage, BadSettings
from viewer.media.folder import read_file
from viewer.media.opening import open_store
from viewer.media.store import MediaStore
from viewer.media.sweeping import INCOMING, orphans
from viewer.uploads.ingest import device_called, ingest

if TYPE_CHECKING:
    from viewer.commands.common import Commands

BUCKET = "bucket:"
"""Begins the name of a package that somebody put into the bucket by an upload link."""


def add(commands: "Commands") -> None:
    """`ingest` and `media`."""
    taking = add_command(commands, "ingest", _ingest, "take in a match package from a file, as if its hub had sent it")
    taking.add_argument("package", help=f"a package's tar, or {BUCKET}NAME as media upload-link names it")
    taking.add_argument("--device", required=True, metavar="NAME", help="the hub that made it")
    taking.add_argument("--club", default="", metavar="SLUG", help="the hub's club, where several have such a hub")
    media = add_command(commands, "media", _media, "show what the matches' files take, or let a package be sent")
    media.add_argument("act", choices=tuple(_ACTS), help="what to do")
    media.add_argument("--name", default="", help="what the package is to be called (only for upload-link)")
    media.add_argument("--club", default="", metavar="SLUG", help="of each of this club's teams (only for usage)")
    media.add_argument("--hours", type=float, default=4.0, help="how long the link is good (%(default)g)")
    for command in (taking, media):
        add_media(command)


def _ingest(options: argparse.Namespace) -> None:
    database, settings, when = database_of(options), settings_of(options), now()
    media = open_store(settings)
    with database.reading() as session:
        device = device_called(session, options.device, options.club)
    sent = options.package.startswith(BUCKET)
    path = f"{INCOMING}/{options.package.removeprefix(BUCKET)}"
    try:
        pieces = media.read(path) if sent else read_file(Path(options.package))
        match_session = ingest(database, settings, pieces, device.id, when)
    except OSError as fault:
        raise BadPackage(f"cannot read {options.package}: {fault.strerror or 'there is no such package'}") from fault
    with database.writing() as session:
        note(
            session,
            "ingest",
            "device",
            device.id,
            when,
            organization_id=device.organization_id,
            recording=match_session,
        )
    if sent:
        media.delete(path)
    print(f"{match_session} will be taken in by the worker within a minute")


def _media(options: argparse.Namespace) -> None:
    _ACTS[options.act](options, open_store(settings_of(options)))


def _usage(options: argparse.Namespace, media: MediaStore) -> None:
    database, settings = database_of(options), settings_of(options)
    with database.reading() as session:
        club = club_named(session, options.club).id if options.club else None
        usage = media.usage()
        print(f"{usage.files} files, {usage.bytes / 1e9:.3f} GB")
        after: int | None = None
        while page := clubs_usage(session, after) if club is None else teams_usage(session, club, after):
            names = slugs(session, [line.id for line in page]) if club is None else {}
            for line in page:
                print(names.get(line.id, line.name), f"{line.recordings} recordings", _gigabytes(line.bytes), sep="\t")
            after = page[-1].id
    disk = disk_of(settings)
    print(f"disk: {_gigabytes(disk.free)} of {_gigabytes(disk.total)} free")


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.3f} GB"


def _orphans(options: argparse.Namespace, media: MediaStore) -> None:
    with database_of(options).reading() as session:
        for prefix in orphans(session, media, now()):
            print(f"{prefix}\t{media.usage(prefix).bytes / 1e9:.3f} GB")


def _upload_link(options: argparse.Namespace, media: MediaStore) -> None:
    if not options.name:
        raise BadSettings("media upload-link needs --name, such as saturday.tar")
    link = media.upload_link(f"{INCOMING}/{options.name}", timedelta(hours=options.hours))
    if link is None:
        raise BadSettings("upload links are for media in a bucket: with a folder, copy the package here and ingest it")
    print(f"send it with: curl -T PACKAGE 'LINK', then: ingest {BUCKET}{options.name} --device NAME", file=sys.stderr)
    print(link)


_ACTS = {"usage": _usage, "orphans": _orphans, "upload-link": _upload_link}
