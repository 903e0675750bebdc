"""Making backups, one or a row of them of which the old ones go."""

import re
import tempfile
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import msgspec

from viewer.db.backup.archive import Manifest, Writing, writing
from viewer.db.backup.copies import MediaFile, copy_of
from viewer.db.backup.media import Media
from viewer.db.engine import Database
from viewer.errors import BadBackup
from viewer.sealing import FILE as SECRET
from viewer.sealing import fingerprint

DATABASE, LISTING, MEDIA = "database", "media.json", "media/"
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"touchline-(\d{8}T\d{6}Z)\.tar(\.new)?")


class Listing(msgspec.Struct, frozen=True):
    """The media that the database tells of. Where the backup holds media, `left_out` were gone when it was made, and
    `changed` were not what had come in any more.
    """

    files: tuple[MediaFile, ...]
    left_out: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def make_backup(
    database: Database,
    target: Path,
    now: datetime,
    secret: bytes | None,
    *,
    with_secret: bool = False,
    media: Media | None = None,
) -> tuple[Manifest, Listing]:
    """Write the portal into the file `target`, with the media's files where `media` is given.

    Raises `BadBackup` or `ToolMissing`; `target` is untouched then.
    """
    if not target.parent.is_dir():
        raise BadBackup(f"there is no folder {target.parent}")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder, writing(target) as out:
        copy = copy_of(database, Path(folder))
        out.add_file(DATABASE, copy.path)
        listing = Listing(copy.files) if media is None else _add_media(out, copy.files, media)
        data = msgspec.json.encode(listing)
        out.add(LISTING, len(data), [data])
        if with_secret and secret is not None:
            out.add(SECRET, len(secret), [secret])
        mark = fingerprint(secret) if secret is not None else ""
        kind = database.engine.dialect.name
        return out.finish(kind, copy.revision, version("touchline"), now, mark), listing


def rotate(folder: Path, keep: timedelta, now: datetime) -> list[Path]:
    """Delete the backups of the row in `folder` that are older than `keep`, and what broken ones left behind."""
    gone = []
    for path in sorted(folder.iterdir()):
        named = _NAME.fullmatch(path.name)
        if named and now - datetime.strptime(named[1], _STAMP).replace(tzinfo=UTC) > keep:
            path.unlink()
            gone.append(path)
    return gone


def name_in_row(now: datetime) -> str:
    """What a backup of a row is called."""
    return f"touchline-{now.astimezone(UTC).strftime(_STAMP)}.tar"


def _add_media(out: Writing, files: tuple[MediaFile, ...], media: Media) -> Listing:
    left_out, changed = [], []
    for file in files:
        try:
            size = media.size(file.name)
        except FileNotFoundError:
            # Deleted since the database was copied, as retention does, or lost before.
            left_out.append(file.name)
            continue
        if out.add(MEDIA + file.name, size, media.read(file.name)).sha256 != file.sha256:
            changed.append(file.name)
    return Listing(files, tuple(left_out), tuple(changed))
